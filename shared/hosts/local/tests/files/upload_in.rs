//! Files that an instructor sends in parts, until a learner watches and downloads them.

use akademi_local::api_client::{ApiClient, JsonExt};
use akademi_sync::Trigger;
use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, header};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    course_in::{probed_seconds, real_file},
    deployment::{Deployment, IDEMPOTENCY_KEY, INSTRUCTOR, LEARNER, ended, get, location, send},
};

pub const ADMINISTRATOR: &str = "yonetici@umraniye.example";
const DOCUMENT: &[u8] = b"%PDF-1.7\n1 0 obj\nendobj\n%%EOF\n";

pub async fn post(client: &ApiClient, path: &str, body: &Value, status: StatusCode) -> Value {
    client.post(path, body).await.unwrap().expect(status).unwrap()
}

/// Sends a file in its parts and completes it; its id.
pub async fn sent(client: &ApiClient, name: &str, kind: &str, content: &Bytes) -> Value {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (IDEMPOTENCY_KEY, HeaderValue::from_str(kind).unwrap()),
    ];
    let body = json!({ "file_name": name, "bytes": content.len(), "kind": kind }).to_string();
    let answer = client.send(Method::POST, "/api/v1/uploads", &headers, body.into()).await.unwrap();
    let made = answer.expect(StatusCode::CREATED).unwrap();
    let path = format!("/api/v1/uploads/{}", made.text("id").unwrap());
    let part_bytes = made["part_bytes"].as_u64().unwrap() as usize;
    for (part, number) in content.chunks(part_bytes).zip(1_u64..) {
        let sha256: String = Sha256::digest(part).iter().map(|byte| format!("{byte:02x}")).collect();
        let parts = json!({ "parts": [{ "number": number, "sha256": sha256 }] });
        let links = post(client, &format!("{path}/parts"), &parts, StatusCode::OK).await;
        let link = links["parts"][0]["upload"]["url"].as_str().unwrap();
        assert_eq!(send(Method::PUT, link, &[], Bytes::copy_from_slice(part)).await.status(), StatusCode::OK);
    }
    let whole = post(client, &format!("{path}/complete"), &json!({}), StatusCode::OK).await;
    assert_eq!(whole["present"].as_array().unwrap().len(), content.len().div_ceil(part_bytes));
    whole["id"].clone()
}

/// The video with what MP4 calls free space at its end, so that it is longer than one part (ISO/IEC 14496-12 §8.1.2).
fn in_two_parts(film: &[u8]) -> Bytes {
    let free = 17_u32 << 20;
    let mut long = film.to_vec();
    long.extend(free.to_be_bytes());
    long.extend(b"free");
    long.resize(film.len() + free as usize, 0);
    long.into()
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_become_lessons_that_learners_watch_and_download() {
    let deployment = Deployment::start().await;
    let (instructor, learner) = (deployment.sign_in(INSTRUCTOR).await, deployment.sign_in(LEARNER).await);
    let courses = "/api/v1/authoring/courses";
    let draft = post(&instructor, courses, &json!({ "title": "Bisiklet" }), StatusCode::CREATED).await;
    let course = format!("{courses}/{}", draft.text("id").unwrap());
    let attach = async |upload: Value| {
        let body = json!({ "upload": upload });
        post(&instructor, &format!("{course}/assets"), &body, StatusCode::CREATED).await
    };
    let film = in_two_parts(&real_file("bikes.mp4"));
    let video = attach(sent(&instructor, "bisiklet.mp4", "video", &film).await).await;
    let document = Bytes::from_static(DOCUMENT);
    let notes = attach(sent(&instructor, "Ders notları.pdf", "document", &document).await).await;

    // The lesson names the video while it is transcoded, and learns its length.
    let lessons = json!([
        { "title": "İzle", "body": { "kind": "video", "source": { "from": "asset", "asset": video["id"] },
                                     "start_seconds": null, "end_seconds": null, "subtitles": [] } },
        { "title": "Oku", "body": { "kind": "document", "asset": notes["id"], "file_name": notes["file_name"],
                                    "content_type": notes["content_type"] } },
    ]);
    let modules = json!([{ "title": "Bir", "sections": [{ "title": "Giriş", "lessons": lessons }] }]);
    let content = json!({ "revision": draft["revision"], "modules": modules });
    let put = instructor.send_json(Method::PUT, &format!("{course}/content"), &content).await.unwrap();
    put.expect(StatusCode::OK).unwrap();
    let (transcoded, _) = ended(&instructor, &video.text("job").unwrap()).await;
    assert_eq!(transcoded["state"], "done", "{}", transcoded["message"]);
    let draft = instructor.get(&course).await.unwrap().expect(StatusCode::OK).unwrap();
    assert_eq!(draft["videos"], json!([]), "all of them play");
    assert_eq!(draft["modules"][0]["sections"][0]["lessons"][0]["duration_seconds"], 10);
    post(&instructor, &format!("{course}/publish"), &json!({}), StatusCode::OK).await;

    let (course, lesson) =
        (draft.text("id").unwrap(), &draft["modules"][0]["sections"][0]["lessons"][0]["id"]);
    let hls = format!("/api/v1/learning/courses/{course}/lessons/{}/playback", lesson.as_str().unwrap());
    let file = format!("/api/v1/media/{}/notes", notes.text("id").unwrap());
    assert_eq!(learner.get(&format!("{hls}/master.m3u8")).await.unwrap().status, StatusCode::NOT_FOUND);
    assert_eq!(learner.get(&file).await.unwrap().status, StatusCode::FORBIDDEN);
    let administrator = deployment.sign_in(ADMINISTRATOR).await;
    let me = learner.get("/api/v1/users/me").await.unwrap().expect(StatusCode::OK).unwrap();
    let grant = json!({ "person": me["id"], "course": draft["id"] });
    let mut master = None;
    for _ in 0..1000 {
        // The edge takes the enrolment once it knows the course, and Lambda hears of it from there.
        deployment.local.lambda.sync.handle(Trigger::Wake).await.unwrap();
        administrator.post("/api/v1/enrolments", &grant).await.unwrap();
        let asked = learner.get(&format!("{hls}/master.m3u8")).await.unwrap();
        let opened = learner.get(&file).await.unwrap();
        if (asked.status, opened.status) == (StatusCode::OK, StatusCode::FOUND) {
            master = Some(asked);
            break;
        }
    }
    let master = master.expect("the learner is enrolled");
    let master = String::from_utf8(master.body.to_vec()).unwrap();
    let playlist = master.lines().find(|line| !line.starts_with('#')).unwrap();
    let text = learner.get(&format!("{hls}/{playlist}")).await.unwrap();
    let text = String::from_utf8(text.body.to_vec()).unwrap();
    let mut played =
        get(text.split("URI=\"").nth(1).unwrap().split('"').next().unwrap()).await.into_body().to_vec();
    for link in text.lines().filter(|line| line.starts_with("http://")) {
        played.extend_from_slice(get(link).await.body());
    }
    let path = deployment.folder.path().join("played.mp4");
    std::fs::write(&path, played).unwrap();
    let seconds = probed_seconds(&path);
    assert!((seconds - 10.0).abs() < 0.1, "{seconds} s");

    let found = get(&location(&learner.get(&file).await.unwrap().headers)).await;
    assert_eq!((found.status(), &found.body()[..]), (StatusCode::OK, DOCUMENT));
    assert_eq!(found.headers()[header::CONTENT_TYPE], "application/pdf");
    assert_eq!(
        found.headers()[header::CONTENT_DISPOSITION],
        "inline; filename*=UTF-8''Ders%20notlar%C4%B1%2Epdf"
    );
    deployment.local.stop().await;
}
