//! A video from the person who sends it to what those who watch it read, through a bucket.

use akademi_api::ports::HttpClient;
use akademi_domain::{
    permission::{Permission, Permissions},
    upload::PART_BYTES,
};
use akademi_lambda::{aws::Bucket, http_client::Network};
use akademi_lambda_store::object_key::ObjectKey;
use bytes::Bytes;
use http::{Method, Request, Response};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::process::Command;

use crate::{
    api_gateway::{Call, forward, json as body_of},
    batches::{WAKE_TRANSCODE, data},
    events::batch,
    storage::reached,
    world::{Running, World, course},
};

/// Sends to a link as its answer says.
pub async fn send(link: &Value, body: &[u8]) -> Response<Bytes> {
    let mut request =
        Request::builder().method(link["method"].as_str().unwrap()).uri(link["url"].as_str().unwrap());
    for (name, value) in link["headers"].as_object().unwrap() {
        request = request.header(name, value.as_str().unwrap());
    }
    Network::new().send(request.body(Bytes::copy_from_slice(body)).unwrap()).await.unwrap()
}

async fn ask(
    world: &World,
    running: &Running,
    method: Method,
    target: &str,
    body: Option<Value>,
) -> Response<Bytes> {
    let permissions = Permissions::NONE.with(Permission::CoursesWrite);
    let call = Call { permissions, idempotency_key: Some("film"), body, ..Call::staff(method, target) };
    forward(world, running, call).await
}

/// A real video, with a box at its end that players skip (ISO 14496-12, 8.1.2), so that it has three parts.
fn film() -> Vec<u8> {
    let mut film = std::fs::read(data("bikes.mp4")).unwrap();
    let padding = 2 * usize::try_from(PART_BYTES).unwrap();
    film.extend(u32::try_from(padding).unwrap().to_be_bytes());
    film.extend(b"free");
    film.resize(film.len() + padding - 8, 7);
    film
}

#[tokio::test(flavor = "multi_thread")]
async fn a_video_is_sent_in_parts_across_a_restart_transcoded_and_played() {
    let world = World::new().await;
    let film = film();
    let authoring = world.start(env!("CARGO_BIN_EXE_authoring")).await;
    let new = json!({ "file_name": "bikes.mp4", "bytes": film.len(), "kind": "video" });
    let made = ask(&world, &authoring, Method::POST, "/api/v1/uploads", Some(new)).await;
    assert_eq!(made.status(), 201, "{:?}", made.body());
    let upload = format!("/api/v1/uploads/{}", body_of(&made)["id"].as_str().unwrap());

    let parts: Vec<&[u8]> = film.chunks(usize::try_from(PART_BYTES).unwrap()).collect();
    let announced: Vec<Value> = (1..)
        .zip(&parts)
        .map(|(number, part)| json!({ "number": number, "sha256": format!("{:x}", Sha256::digest(part)) }))
        .collect();
    let target = format!("{upload}/parts");
    let answer = ask(&world, &authoring, Method::POST, &target, Some(json!({ "parts": announced }))).await;
    assert_eq!(answer.status(), 200, "{:?}", answer.body());
    let links = body_of(&answer)["parts"].as_array().unwrap().clone();
    assert_eq!(links.len(), 3);
    let (third, first) =
        tokio::join!(send(&links[2]["upload"], parts[2]), send(&links[0]["upload"], parts[0]));
    assert_eq!((first.status().as_u16(), third.status().as_u16()), (200, 200));
    // The second is sent wrong.
    let mut wrong = parts[1].to_vec();
    wrong[0] ^= 1;
    assert_eq!(send(&links[1]["upload"], &wrong).await.status(), 400);
    assert_eq!(send(&links[1]["upload"], &wrong[1..]).await.status(), 403);
    let target = format!("{upload}/complete");
    assert_eq!(ask(&world, &authoring, Method::POST, &target, None).await.status(), 409);
    drop(authoring);

    let authoring = world.start(env!("CARGO_BIN_EXE_authoring")).await;
    let found = ask(&world, &authoring, Method::GET, &upload, None).await;
    assert_eq!(body_of(&found)["present"], json!([1, 3]));
    assert_eq!(send(&links[1]["upload"], parts[1]).await.status(), 200);
    let whole = ask(&world, &authoring, Method::POST, &target, None).await;
    assert_eq!((whole.status().as_u16(), &body_of(&whole)["content_type"]), (200, &json!("video/mp4")));

    let target = format!("/api/v1/authoring/courses/{}/assets", course());
    let attach = json!({ "upload": body_of(&whole)["id"] });
    let asset = ask(&world, &authoring, Method::POST, &target, Some(attach)).await;
    assert_eq!(asset.status(), 201, "{:?}", asset.body());
    let transcode = world.start(env!("CARGO_BIN_EXE_transcode")).await;
    let video = transcode.api.invoke(batch(&[("a", WAKE_TRANSCODE)]), 300).await.unwrap();
    assert_eq!(video.response().unwrap(), json!({ "batchItemFailures": [] }));
    assert_eq!(world.texts("SELECT state FROM asset").await, ["ready"]);

    // What the edge's playlists name is in the bucket, with its type.
    let bucket = reached(&world.bucket);
    let folder: ObjectKey = world.texts("SELECT playback_key FROM asset").await[0].parse().unwrap();
    let key = |path: &str| path.split('/').fold(folder.clone(), |key, part| key.join(part).unwrap());
    let master = text(&bucket, &key("master.m3u8")).await;
    let rendition = master.lines().find(|line| line.ends_with("/index.m3u8")).unwrap();
    let playlist = text(&bucket, &key(rendition)).await;
    let init = playlist.split("#EXT-X-MAP:URI=\"").nth(1).unwrap().split('"').next().unwrap();
    let objects = world.bucket.objects().unwrap();
    let mut played = Vec::new();
    for name in std::iter::once(init).chain(playlist.lines().filter(|line| line.ends_with(".m4s"))) {
        let file = key(rendition.trim_end_matches("index.m3u8").trim_end_matches('/')).join(name).unwrap();
        assert_eq!(objects[file.as_str()], "video/mp4");
        played.extend_from_slice(&bucket.objects().read(&file, 10 << 20).await.unwrap());
    }
    let file = world.folder.path().join("played.mp4");
    std::fs::write(&file, played).unwrap();
    let probe = Command::new("ffprobe")
        .args(["-v", "error", "-count_frames", "-select_streams", "v", "-of", "csv=p=0"])
        .args(["-show_entries", "stream=codec_name,nb_read_frames"])
        .arg(&file)
        .output()
        .unwrap();
    let (said, errors) = (String::from_utf8_lossy(&probe.stdout), String::from_utf8_lossy(&probe.stderr));
    let (codec, frames) = said.trim().split_once(',').unwrap();
    assert_eq!((codec, errors.as_ref()), ("h264", ""), "{said}");
    // Ten seconds.
    assert!(frames.parse::<u32>().unwrap() > 200, "{said}");
}

async fn text(bucket: &Bucket, key: &ObjectKey) -> String {
    String::from_utf8(bucket.objects().read(key, 1 << 20).await.unwrap().to_vec()).unwrap()
}
