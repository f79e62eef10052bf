//! What is refused is told, and leaves nothing.

use http::Method;
use serde_json::{Value, json};

use super::world::{IMAGES, World, administrator, instructor, learner};
use crate::sources::{jpeg, quarters};

async fn nothing_is_there(world: &World) {
    for sql in [
        "SELECT count(*) FROM image",
        "SELECT count(*) FROM image_file",
        "SELECT count(*) FROM picture",
        "SELECT count(*) FROM audit_entry",
    ] {
        assert_eq!(world.count(sql).await, 0, "{sql}");
    }
    assert_eq!((world.metered(1).await, world.stored(1).await), (0, 0));
}

#[tokio::test]
async fn what_is_no_picture_or_cannot_be_cropped_so_is_refused() {
    let world = World::new().await;
    let author = instructor(1, 1);
    let photo = jpeg(&quarters(640, 480));
    let good = world.upload(author, &photo).await;
    let hostile: [(&str, &[u8]); 4] = [
        ("a program", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"),
        ("an AVIF", b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf"),
        ("cut off", &photo[..photo.len() / 2]),
        ("small", &jpeg(&quarters(100, 100))),
    ];
    for (name, content) in hostile {
        let upload = world.upload(author, content).await;
        let answer = world.make(author, upload, "course_card", Value::Null).await;
        assert_eq!(answer.problem(), (422, "image-refused".into(), vec![]), "{name}: {}", answer.json());
        assert!(answer.json()["detail"].as_str().unwrap().starts_with("No image can be made"), "{name}");
    }
    for crop in [
        json!({ "focal_point": { "x": 1.1, "y": 0.5 } }),
        json!({ "rectangle": { "x": 0.0, "y": 0.0, "width": 0.0, "height": 1.0 } }),
        json!({ "rectangle": { "x": 0.5, "y": 0.0, "width": 0.6, "height": 1.0 } }),
    ] {
        let answer = world.make(author, good, "course_card", crop.clone()).await;
        assert_eq!(answer.problem(), (422, "invalid-request".into(), vec!["crop".into()]), "{crop}");
    }
    for (body, field) in [
        (json!({ "upload": good, "preset": "avatar" }), "preset"),
        (json!({ "upload": good, "preset": "poster" }), "preset"),
        (json!({ "upload": good, "preset": "banner", "x": 1 }), "x"),
        (json!({ "upload": "1", "preset": "banner" }), "upload"),
        (json!({ "preset": "banner" }), "upload"),
    ] {
        let answer = world.call(Some(author), Method::POST, IMAGES, Some(&body)).await;
        assert_eq!(answer.status, 422, "{body}");
        assert!(answer.json()["errors"].to_string().contains(field), "{body}: {}", answer.json());
    }
    nothing_is_there(&world).await;
}

#[tokio::test]
async fn only_ones_own_complete_image_is_a_source() {
    let world = World::new().await;
    let author = instructor(1, 1);
    let photo = jpeg(&quarters(640, 480));
    let make = async |person, upload| world.make(person, upload, "course_card", Value::Null).await.problem();
    let of = async |kind, state| world.upload_of(author, kind, state, &photo).await;
    for state in ["open", "scanning"] {
        assert_eq!(make(author, of("image", state).await).await, (409, "upload-incomplete".into(), vec![]));
    }
    assert_eq!(make(author, of("image", "given_up").await).await.0, 404);
    let document = of("document", "complete").await;
    assert_eq!(make(author, document).await, (422, "invalid-request".into(), vec!["upload".into()]));
    let good = world.upload(author, &photo).await;
    // An administrator's own uploads are their own too.
    for stranger in [instructor(1, 2), administrator(1), instructor(2, 1)] {
        assert_eq!(make(stranger, good).await.0, 404, "{stranger:?}");
    }
    assert_eq!(make(learner(1), good).await.0, 403);
    let body = json!({ "upload": good, "preset": "course_card" });
    assert_eq!(world.call(None, Method::POST, IMAGES, Some(&body)).await.status, 401);
    nothing_is_there(&world).await;
}

#[tokio::test]
async fn a_full_academy_takes_no_image() {
    let world = World::new().await;
    let author = instructor(1, 1);
    let photo = jpeg(&quarters(640, 480));
    let upload = world.upload(author, &photo).await;
    world.limit_storage(1, Some(i64::try_from(photo.len()).unwrap() + 100)).await;
    let refused = world.make(author, upload, "course_card", Value::Null).await;
    assert_eq!(refused.problem(), (409, "storage-full".into(), vec![]));
    nothing_is_there(&world).await;
    world.limit_storage(1, None).await;
    world.make(author, upload, "course_card", Value::Null).await.expect(201);
    assert_eq!(world.metered(1).await, world.stored(1).await);
}
