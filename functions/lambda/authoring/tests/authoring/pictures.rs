//! Courses show images, and hold them for as long.

use akademi_domain::{course::pictures::CoursePictures, ids::ImageId};
use akademi_feed::LambdaEvent;
use akademi_lambda_store::pictures::files_of;
use http::Method;
use serde_json::{Value, json};

use crate::{
    academy::{Answer, Person, World, administrator, html_lesson, instructor, modules},
    uploads::actions,
};

/// An image with two files of 100 and 200 pixels, as `images` makes it.
async fn image(world: &World, academy: u8, preset: &str) -> ImageId {
    let id = ImageId::new(world.ports.now(), world.ports.random());
    let mut superuser = world.database.superuser().await.unwrap();
    sqlx::query(
        "WITH made AS (INSERT INTO image (tenant_id, id, user_id, upload_id, preset, crop, created_at, ready_at)
                       VALUES ($1, $2, $2, $2, $3, '{}', 0, 0)),
              names AS (SELECT encode(sha256(uuid_send($2) || width::text::bytea), 'hex') || '.jpg' AS name, width
                        FROM UNNEST(ARRAY[100, 200]) AS width),
              stored AS (INSERT INTO picture (tenant_id, name, bytes) SELECT $1, name, width FROM names)
         INSERT INTO image_file (tenant_id, image_id, name, width, height) SELECT $1, $2, name, width, width FROM names",
    )
    .bind(instructor(academy).tenant.as_uuid())
    .bind(id.as_uuid())
    .bind(preset)
    .execute(&mut superuser)
    .await
    .unwrap();
    id
}

async fn delete(world: &World, image: ImageId) -> Result<u64, String> {
    let mut tx = world.database.postgres().tenant(instructor(1).tenant).await.unwrap();
    for sql in ["DELETE FROM image_file WHERE image_id = $1", "DELETE FROM image WHERE id = $1"] {
        let deleted = sqlx::query(sql).bind(image.as_uuid()).execute(tx.connection()).await;
        deleted.map_err(|error| error.into_database_error().unwrap().code().unwrap().into_owned())?;
    }
    tx.commit().await.unwrap();
    Ok(1)
}

async fn choose(world: &World, person: Person, course: &str, revision: i64, mut chosen: Value) -> Answer {
    chosen["revision"] = json!(revision);
    world.call(person, Method::PUT, &format!("{course}/pictures"), Some(&chosen)).await
}

async fn published(world: &World) -> Option<CoursePictures> {
    let events = world.events().await;
    events.into_iter().rev().find_map(|(_, event)| match event {
        LambdaEvent::CoursePublished { outline, .. } => Some(outline.pictures),
        _ => None,
    })
}

#[tokio::test]
async fn what_a_draft_shows_is_seen_with_the_next_publication() {
    let world = World::new().await;
    let author = instructor(1);
    let (course, _) = world.create(author, "Işık").await;
    let (card, banner) = (image(&world, 1, "course_card").await, image(&world, 1, "banner").await);
    let (first, second) =
        (image(&world, 1, "product_gallery").await, image(&world, 1, "product_gallery").await);
    let target = format!("{course}/pictures");
    let nothing =
        json!({ "revision": 1, "card": null, "banner": null, "gallery": [], "video": null, "files": {} });
    assert_eq!(world.get(author, &target).await.expect(200), nothing);

    let video = json!({ "from": "youtube", "id": "dQw4w9WgXcQ" });
    let all = json!({ "card": card, "banner": banner, "gallery": [second, first], "video": video });
    let chosen = choose(&world, author, &course, 1, all.clone()).await.expect(200);
    for field in ["card", "banner", "gallery", "video"] {
        assert_eq!(chosen[field], all[field]);
    }
    assert_eq!((&chosen["revision"], chosen["files"].as_object().unwrap().len()), (&json!(2), 4));
    assert_eq!(world.get(author, &target).await.expect(200), chosen);
    assert!(actions(&world).await.contains(&"course.pictures_chosen".to_owned()));

    world.put_content(author, &course, 2, &modules(&[html_lesson("Oku", "<p>Işık</p>")])).await.expect(200);
    world.publish(author, &course).await.expect(200);
    let mut tx = world.database.postgres().tenant(author.tenant).await.unwrap();
    let files = files_of(&mut tx, &[card, banner, first, second]).await.unwrap();
    drop(tx);
    let seen = published(&world).await.unwrap();
    assert_eq!((&seen.card, &seen.banner), (&files[&card], &files[&banner]));
    assert_eq!(seen.gallery, [files[&second].clone(), files[&first].clone()]);
    assert_eq!(serde_json::to_value(&seen.video).unwrap(), video);
    assert_eq!(
        seen.card.iter().map(|file| (file.width, file.bytes)).collect::<Vec<_>>(),
        [(100, 100), (200, 200)]
    );
    assert_eq!(json!(files)[card.to_string()], chosen["files"][card.to_string()]);

    // What is not sent is taken away.
    let fewer = choose(&world, author, &course, 3, json!({ "banner": banner })).await.expect(200);
    assert_eq!(
        (&fewer["card"], &fewer["gallery"], &fewer["video"]),
        (&Value::Null, &json!([]), &Value::Null)
    );
    assert_eq!(published(&world).await.unwrap(), seen, "not before it is published");
    world.publish(author, &course).await.expect(200);
    let seen = published(&world).await.unwrap();
    assert_eq!((seen.card.len(), seen.banner.len(), seen.gallery.len()), (0, 2, 0));
}

#[tokio::test]
async fn an_image_that_a_draft_or_a_publication_shows_stays() {
    let world = World::new().await;
    let author = instructor(1);
    let (course, _) = world.create(author, "Işık").await;
    let card = image(&world, 1, "course_card").await;
    let in_use = Err("23503".to_owned());
    choose(&world, author, &course, 1, json!({ "card": card })).await.expect(200);
    assert_eq!(delete(&world, card).await, in_use);
    world.put_content(author, &course, 2, &modules(&[html_lesson("Oku", "<p>Işık</p>")])).await.expect(200);
    world.publish(author, &course).await.expect(200);
    choose(&world, author, &course, 3, json!({})).await.expect(200);
    assert_eq!(delete(&world, card).await, in_use, "it is published");
    world.publish(author, &course).await.expect(200);
    assert_eq!(delete(&world, card).await, Ok(1));
}

#[tokio::test]
async fn what_cannot_stand_there_is_refused_and_nothing_changes() {
    let world = World::new().await;
    let author = instructor(1);
    let (course, _) = world.create(author, "Işık").await;
    let (card, shot) = (image(&world, 1, "course_card").await, image(&world, 1, "product_gallery").await);
    let others = image(&world, 2, "course_card").await;
    let unready = image(&world, 1, "course_card").await;
    let mut superuser = world.database.superuser().await.unwrap();
    sqlx::query("UPDATE image SET ready_at = NULL WHERE id = $1")
        .bind(unready.as_uuid())
        .execute(&mut superuser)
        .await
        .unwrap();
    let mut shots = Vec::new();
    for _ in 0..6 {
        shots.push(image(&world, 1, "product_gallery").await);
    }
    choose(&world, author, &course, 1, json!({ "card": card })).await.expect(200);
    let before = world.everything().await;
    let asset = json!({ "from": "asset", "asset": card });
    for (chosen, fields) in [
        (json!({ "banner": card }), vec!["banner"]),
        (json!({ "card": others }), vec!["card"]),
        (json!({ "card": unready }), vec!["card"]),
        (json!({ "card": shot, "gallery": [shot, card] }), vec!["card", "gallery[1]"]),
        (json!({ "gallery": [shot, shot] }), vec!["gallery[1]"]),
        (json!({ "gallery": shots }), vec!["gallery"]),
        (json!({ "video": asset }), vec!["video"]),
        (json!({ "video": { "from": "youtube", "id": "x" } }), vec!["video"]),
        (json!({ "gallery": ["x"] }), vec!["gallery[0]"]),
        (json!({ "logo": card }), vec!["logo"]),
    ] {
        let answer = choose(&world, author, &course, 2, chosen.clone()).await;
        assert_eq!((answer.status.as_u16(), answer.problem().1), (422, fields), "{chosen}: {}", answer.body);
    }
    let stale = choose(&world, author, &course, 1, json!({})).await;
    assert_eq!(stale.status, 409);
    for stranger in [instructor(2), Person { user: administrator(3).user, ..author }] {
        assert_eq!(choose(&world, stranger, &course, 2, json!({})).await.status, 404);
        assert_eq!(world.get(stranger, &format!("{course}/pictures")).await.status, 404);
    }
    assert_eq!(world.everything().await, before);
    choose(&world, administrator(1), &course, 2, json!({})).await.expect(200);
}
