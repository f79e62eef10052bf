//! What everybody sees, and caches keep.

use http::{HeaderValue, Method};
use serde_json::Value;

use super::world::{World, instructor, urls};
use crate::sources::{jpeg, quarters};

#[tokio::test]
async fn a_picture_is_kept_for_ever_and_harmless_whatever_it_is_opened_as() {
    let world = World::new().await;
    let upload = world.upload(instructor(1, 1), &jpeg(&quarters(320, 180))).await;
    let image = world.make(instructor(1, 1), upload, "course_card", Value::Null).await.expect(201);
    for url in urls(&image) {
        let full = world.picture(1, &url, None).await;
        assert_eq!(full.headers["cache-control"], "public, max-age=31536000, immutable");
        assert_eq!(full.headers["x-content-type-options"], "nosniff");
        assert!(full.headers["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
        let tag = full.headers["etag"].clone();
        let known = world.picture(1, &url, Some(tag.clone())).await;
        assert_eq!((known.status.as_u16(), known.content.len()), (304, 0));
        assert_eq!(known.headers["etag"], tag);
        assert_eq!(known.headers["cache-control"], full.headers["cache-control"]);
        let other = HeaderValue::from_static("\"x\"");
        assert_eq!(world.picture(1, &url, Some(other)).await.status, 200);
    }
}

#[tokio::test]
async fn another_academys_picture_is_none_and_so_is_what_was_uploaded() {
    let world = World::new().await;
    let author = instructor(1, 1);
    let upload = world.upload(author, &jpeg(&quarters(320, 180))).await;
    let image = world.make(author, upload, "course_card", Value::Null).await.expect(201);
    let url = &urls(&image)[0];
    assert_eq!(world.picture(2, url, None).await.status, 404);
    let name = url.rsplit('/').next().unwrap();
    let (digest, _) = name.split_once('.').unwrap();
    for wrong in [
        format!("{digest}.jpg"),
        format!("{}.avif", "0".repeat(64)),
        digest.to_owned(),
        format!("{digest}.png"),
        format!("..%2Fuploads%2F{upload}%2F1"),
        format!("%2E%2E%2F{name}"),
    ] {
        let answer = world.picture(1, &format!("/api/v1/pictures/{wrong}"), None).await;
        assert_eq!(answer.status, 404, "{wrong}");
        assert_eq!(answer.headers["cache-control"], "no-store", "{wrong}");
    }
    let written = world.call(Some(author), Method::PUT, url, None).await;
    assert_eq!(written.status, 405);
}
