//! Images are made of uploads, once.

use serde_json::{Value, json};

use super::world::{IMAGES, World, administrator, instructor, urls};
use crate::{
    oracle::decoded,
    sources::{jpeg, pattern, quarters},
};

#[tokio::test]
async fn an_upload_becomes_three_sizes_in_three_formats_that_anybody_sees() {
    let world = World::new().await;
    let author = instructor(1, 1);
    let upload = world.upload(author, &jpeg(&quarters(800, 800))).await;
    let crop = json!({ "rectangle": { "x": 0.0, "y": 0.5, "width": 0.5, "height": 0.5 } });
    let made = world.make(author, upload, "product_gallery", crop.clone()).await;
    let location = made.headers["location"].to_str().unwrap().to_owned();
    let image = made.expect(201);
    assert_eq!(location, format!("{IMAGES}/{}", image["id"].as_str().unwrap()));
    assert_eq!((&image["preset"], &image["crop"]), (&json!("product_gallery"), &crop));
    let variants = image["variants"].as_array().unwrap();
    let told: Vec<_> = variants
        .iter()
        .map(|file| (file["width"].as_u64().unwrap(), file["content_type"].as_str().unwrap()))
        .collect();
    let types = ["image/avif", "image/webp", "image/jpeg"];
    assert_eq!(told, [320, 400].map(|width| types.map(|kind| (width, kind))).concat());
    for file in variants {
        let url = file["url"].as_str().unwrap();
        let answer = world.picture(1, url, None).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.headers["content-type"], file["content_type"].as_str().unwrap());
        assert_eq!(answer.content.len() as u64, file["bytes"].as_u64().unwrap());
        let side = file["width"].as_u64().unwrap() as usize;
        let pixels = decoded(url.rsplit('/').next().unwrap(), &answer.content, "rgb24");
        assert_eq!(pixels.len(), side * side * 3);
        // The lower left quarter is blue.
        let [red, green, blue] = pixels[pixels.len() / 2..][..3] else { panic!() };
        assert!(blue > 170 && red < 70 && green < 90, "{red} {green} {blue}");
    }
    assert_eq!(world.get(author, &location).await.expect(200), image);
}

#[tokio::test]
async fn the_same_upload_preset_and_crop_are_the_same_image() {
    let world = World::new().await;
    let author = instructor(1, 1);
    let upload = world.upload(author, &jpeg(&pattern(640, 480))).await;
    let first = world.make(author, upload, "course_card", Value::Null).await.expect(201);
    assert_eq!(world.make(author, upload, "course_card", Value::Null).await.expect(200), first);
    let middle = json!({ "focal_point": { "x": 0.5, "y": 0.5 } });
    assert_eq!(world.make(author, upload, "course_card", middle).await.expect(200), first);
    let again = json!({ "focal_point": { "x": 0.5, "y": 0.0 } });
    let other = world.make(author, upload, "course_card", again).await.expect(201);
    assert_ne!((&other["id"], urls(&other)), (&first["id"], urls(&first)));
    assert_eq!(world.count("SELECT count(*) FROM image").await, 2);
    let actions = "SELECT count(*) FROM audit_entry WHERE action = 'image.created'";
    assert_eq!(world.count(actions).await, 2, "who asks again makes nothing");
}

#[tokio::test]
async fn sixteen_who_ask_at_once_get_one_image() {
    let world = World::new().await;
    let author = instructor(1, 1);
    let upload = world.upload(author, &jpeg(&quarters(320, 180))).await;
    let asked = (0..16).map(|_| world.make(author, upload, "course_card", Value::Null));
    let answers = futures::future::join_all(asked).await;
    let statuses: Vec<_> = answers.iter().map(|answer| answer.status.as_u16()).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 15, "{statuses:?}");
    let first = answers[0].json();
    assert!(answers.iter().all(|answer| answer.json() == first));
    assert_eq!(world.count("SELECT count(*) FROM image").await, 1);
    assert_eq!(world.metered(1).await, world.stored(1).await);
}

#[tokio::test]
async fn a_photo_of_two_parts_is_read_whole() {
    let world = World::new().await;
    let author = instructor(1, 1);
    // What follows the end of a JPEG is no part of it.
    let mut file = jpeg(&quarters(320, 320));
    file.resize(17 << 20, 0);
    let upload = world.upload(author, &file).await;
    world.make(author, upload, "product_gallery", Value::Null).await.expect(201);
}

#[tokio::test]
async fn images_are_listed_by_pages_to_those_who_may_see_them() {
    let world = World::new().await;
    let mut made = Vec::new();
    for (number, width) in [(1, 320), (1, 321), (2, 322)] {
        let author = instructor(1, number);
        let upload = world.upload(author, &jpeg(&quarters(width, 200))).await;
        made.insert(0, world.make(author, upload, "course_card", Value::Null).await.expect(201));
        world.clock.advance_seconds(1);
    }
    let first = world.get(administrator(1), &format!("{IMAGES}?limit=2")).await.expect(200);
    assert_eq!(first["data"], json!(made[..2]));
    let next = format!("{IMAGES}?limit=2&cursor={}", first["next_cursor"].as_str().unwrap());
    let second = world.get(administrator(1), &next).await.expect(200);
    assert_eq!((&second["data"], &second["next_cursor"]), (&json!(made[2..]), &Value::Null));
    assert_eq!(world.get(instructor(1, 1), IMAGES).await.expect(200)["data"], json!(made[1..]));
    for stranger in [instructor(1, 2), administrator(2)] {
        let target = format!("{IMAGES}/{}", made[2]["id"].as_str().unwrap());
        assert_eq!(world.get(stranger, &target).await.status, 404);
        assert_eq!(world.delete(stranger, &made[2]).await.status, 404);
    }
    assert_eq!(world.get(administrator(2), IMAGES).await.expect(200)["data"], json!([]));
    world.delete(administrator(1), &made[2]).await.expect(204);
    world.delete(instructor(1, 1), &made[1]).await.expect(204);
    assert_eq!(world.get(administrator(1), IMAGES).await.expect(200)["data"], json!(made[..1]));
}
