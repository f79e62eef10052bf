//! The Open edX demo course from its archive to a video that plays.

use akademi_local::api_client::JsonExt;
use akademi_sync::Trigger;
use bytes::Bytes;
use http::{Method, StatusCode, header};
use serde_json::{Value, json};
use std::{path::PathBuf, process::Command};

use crate::deployment::{Deployment, INSTRUCTOR, LEARNER, ask, ended, get, location, send, upload};

/// A file that nobody on this project made; its absence is a failure.
pub fn real_file(name: &str) -> Bytes {
    let folder = std::env::var_os("AKADEMI_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/data"),
        PathBuf::from,
    );
    let path = folder.join(name);
    std::fs::read(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; set AKADEMI_DATA", path.display()))
        .into()
}

fn real_course() -> Bytes {
    real_file("openedx-demo-course.tar.gz")
}

fn lessons(draft: &Value) -> impl Iterator<Item = &Value> {
    draft["modules"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|module| module["sections"].as_array().unwrap())
        .flat_map(|section| section["lessons"].as_array().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_course_is_uploaded_imported_and_its_video_plays() {
    let deployment = Deployment::start().await;
    let instructor = deployment.sign_in(INSTRUCTOR).await;
    let archive = real_course();
    let made = ask(&instructor, "course", archive.len()).await;
    assert_eq!(upload(&made["upload"], archive).await.status(), StatusCode::OK);
    let job = made.text("job").unwrap();
    let start = format!("/api/v1/authoring/imports/{job}/start");
    instructor.post(&start, &json!({})).await.unwrap().expect(StatusCode::ACCEPTED).unwrap();
    let (done, _) = ended(&instructor, &job).await;
    assert_eq!(done["state"], "done", "{}", done["message"]);
    let result = &done["result"];
    for (kind, imported) in
        [("chapter", 6), ("sequential", 17), ("vertical", 58), ("html", 266), ("video", 11), ("problem", 21)]
    {
        assert_eq!(result["blocks"][kind]["imported"], imported, "{kind}");
    }

    // The video.
    let (asset, transcode) =
        (&result["transcodes"][0]["asset"], result["transcodes"][0].text("job").unwrap());
    let (transcoded, messages) = ended(&instructor, &transcode).await;
    assert_eq!(transcoded["state"], "done", "{}", transcoded["message"]);
    assert_eq!(&transcoded["result"]["asset"], asset);
    assert!(messages.iter().any(|message| message == "transcoding"), "{messages:?}");
    let course = format!("/api/v1/authoring/courses/{}", result.text("course").unwrap());
    let draft = instructor.get(&course).await.unwrap().expect(StatusCode::OK).unwrap();
    let video = lessons(&draft).find(|lesson| &lesson["body"]["source"]["asset"] == asset).unwrap();
    assert_eq!(video["duration_seconds"], transcoded["result"]["duration_ms"].as_u64().unwrap() / 1000);
    assert_eq!(video["duration_seconds"], 10);

    // Its HLS, as a player reads it: playlists with the token, the rest by links without one.
    deployment.local.lambda.sync.handle(Trigger::Wake).await.unwrap();
    let hls = format!("/api/v1/authoring/videos/{}/playback", asset.as_str().unwrap());
    let master = instructor.get(&format!("{hls}/master.m3u8")).await.unwrap();
    assert_eq!(master.headers[header::CONTENT_TYPE], "application/vnd.apple.mpegurl");
    let master = String::from_utf8(master.body.to_vec()).unwrap();
    let playlists: Vec<&str> = master.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(playlists.len() as u64, transcoded["result"]["renditions"].as_u64().unwrap());
    let mut segments = 0;
    for playlist in &playlists {
        let text = instructor.get(&format!("{hls}/{playlist}")).await.unwrap();
        assert_eq!(text.status, StatusCode::OK);
        let text = String::from_utf8(text.body.to_vec()).unwrap();
        let init = text.split("URI=\"").nth(1).unwrap().split('"').next().unwrap();
        let mut film = get(init).await.into_body().to_vec();
        links_are_checked_as_a_cdn_does(init, &film).await;
        for link in text.lines().filter(|line| line.starts_with("http://")) {
            let segment = get(link).await;
            assert_eq!(segment.status(), StatusCode::OK);
            assert_eq!(segment.headers()[header::CONTENT_TYPE], "video/mp4");
            assert_eq!(segment.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
            film.extend_from_slice(segment.body());
            segments += 1;
        }
        let file = deployment.folder.path().join("film.mp4");
        std::fs::write(&file, film).unwrap();
        let seconds = probed_seconds(&file);
        assert!((seconds - 10.0).abs() < 0.1, "{playlist}: {seconds} s");
    }
    println!("{} lessons, {} renditions, {segments} segments", lessons(&draft).count(), playlists.len());

    images_and_documents(&deployment, &draft).await;
    deployment.local.stop().await;
}

/// A link to a file of a video gives any part of it, and opens nothing else.
async fn links_are_checked_as_a_cdn_does(link: &str, content: &[u8]) {
    let part = send(Method::GET, link, &[(header::RANGE, "bytes=4-7")], Bytes::new()).await;
    assert_eq!((part.status(), &part.body()[..]), (StatusCode::PARTIAL_CONTENT, &content[4..8]));
    let (file, query) = link.split_once('?').unwrap();
    let (folder, name) = file.rsplit_once('/').unwrap();
    let elsewhere = format!("{}/x/{name}?{query}", folder.rsplit_once("/media/").unwrap().0);
    for closed in [file.to_owned(), elsewhere, link.replacen("session=", "session=0", 1)] {
        assert_eq!(get(&closed).await.status(), StatusCode::FORBIDDEN, "{closed}");
    }
    let written = send(Method::PUT, link, &[], Bytes::new()).await;
    assert_eq!(written.status(), StatusCode::METHOD_NOT_ALLOWED);
}

/// An image of a lesson and a document, for the instructor; nothing for a learner who is not enrolled.
async fn images_and_documents(deployment: &Deployment, draft: &Value) {
    let (instructor, learner) = (deployment.sign_in(INSTRUCTOR).await, deployment.sign_in(LEARNER).await);
    let images: Vec<String> = lessons(draft)
        .filter_map(|lesson| lesson["body"]["html"].as_str())
        .flat_map(|html| html.split("<img ").skip(1))
        .filter_map(|tag| tag.split("src=\"").nth(1)?.split('"').next())
        .map(str::to_owned)
        .collect();
    assert!(!images.is_empty());
    for image in &images {
        let answer = instructor.get(image).await.unwrap();
        assert_eq!(answer.status, StatusCode::FOUND, "{image}");
        let found = get(&location(&answer.headers)).await;
        assert_eq!(found.status(), StatusCode::OK);
        let content_type = found.headers()[header::CONTENT_TYPE].to_str().unwrap();
        assert!(content_type.starts_with("image/"), "{image}: {content_type}");
        assert_eq!(found.headers()[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        let sandboxed = found.headers().get(header::CONTENT_SECURITY_POLICY).is_some();
        assert_eq!(sandboxed, content_type == "image/svg+xml", "{image}");
    }
    let document = lessons(draft).find(|lesson| lesson["body"]["kind"] == "document").unwrap();
    let path = format!("/api/v1/media/{}/document.pdf", document["body"]["asset"].as_str().unwrap());
    let link = location(&instructor.get(&path).await.unwrap().headers);
    let part = send(Method::GET, &link, &[(header::RANGE, "bytes=0-4")], Bytes::new()).await;
    assert_eq!((part.status(), &part.body()[..]), (StatusCode::PARTIAL_CONTENT, &b"%PDF-"[..]));
    let head = send(Method::HEAD, &link, &[], Bytes::new()).await;
    assert_eq!(head.status(), StatusCode::OK);
    assert_eq!(head.headers()[header::CONTENT_TYPE], "application/pdf");
    assert_eq!(learner.get(&path).await.unwrap().status, StatusCode::FORBIDDEN);
    println!("{} images", images.len());
}

pub fn probed_seconds(file: &std::path::Path) -> f64 {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0"])
        .arg(file)
        .output()
        .expect("the ffprobe program is installed");
    let text = String::from_utf8(output.stdout).unwrap();
    text.trim().parse().unwrap_or_else(|_| panic!("{text:?} {}", String::from_utf8_lossy(&output.stderr)))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_truncated_archive_fails_with_its_reason_and_leaves_nothing() {
    let deployment = Deployment::start().await;
    let instructor = deployment.sign_in(INSTRUCTOR).await;
    let courses = || async { instructor.get("/api/v1/authoring/courses").await.unwrap().json().unwrap() };
    let (before, files) = (courses().await, deployment.stored());
    let archive = real_course();
    let cut = archive.slice(..archive.len() / 2);
    let made = ask(&instructor, "cut", cut.len()).await;
    assert_eq!(upload(&made["upload"], cut).await.status(), StatusCode::OK);
    let job = made.text("job").unwrap();
    let start = format!("/api/v1/authoring/imports/{job}/start");
    instructor.post(&start, &json!({})).await.unwrap().expect(StatusCode::ACCEPTED).unwrap();
    let (failed, _) = ended(&instructor, &job).await;
    assert_eq!(
        (&failed["state"], &failed["message"]),
        (&json!("failed"), &json!("the archive is cut off: its end is missing"))
    );
    assert_eq!(courses().await, before);
    // The state is told before the last file is gone.
    for _ in 0..50 {
        if deployment.stored() == files {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(deployment.stored(), files);
    deployment.local.stop().await;
}
