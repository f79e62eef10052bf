//! An image that was begun and never finished.

use akademi_domain::retention::IMAGES;
use akademi_lambda_store::pictures::delete_unused;
use serde_json::{Value, json};

use super::world::{self, World, instructor};
use crate::sources::{jpeg, quarters};

/// As after a crash between the rows and the last file: nothing is stored, all is reserved.
async fn crashed(world: &World) -> (akademi_domain::ids::UploadId, Value) {
    let author = instructor(1, 1);
    let upload = world.upload(author, &jpeg(&quarters(640, 360))).await;
    let image = world.make(author, upload, "course_card", Value::Null).await.expect(201);
    let mut superuser = world.database.superuser().await.unwrap();
    sqlx::raw_sql("UPDATE image SET ready_at = NULL").execute(&mut superuser).await.unwrap();
    let folder = akademi_lambda_store::object_key::ObjectKey::new(author.tenant, ["pictures"]).unwrap();
    world.objects.delete_folder(&folder).await.unwrap();
    (upload, image)
}

#[tokio::test]
async fn nobody_sees_it_and_whoever_asks_again_finishes_it() {
    let world = World::new().await;
    let (upload, image) = crashed(&world).await;
    let author = instructor(1, 1);
    let target = format!("{}/{}", world::IMAGES, image["id"].as_str().unwrap());
    assert_eq!(world.get(author, &target).await.status, 404);
    assert_eq!(world.get(author, world::IMAGES).await.expect(200)["data"], json!([]));
    assert_eq!(world.delete(author, &image).await.status, 404);
    let again = world.make(author, upload, "course_card", Value::Null).await.expect(201);
    assert_eq!(again["id"], image["id"]);
    assert_eq!(world.get(author, &target).await.expect(200), again);
    assert_eq!(world.picture(1, again["variants"][0]["url"].as_str().unwrap(), None).await.status, 200);
    assert_eq!(world.metered(1).await, world.stored(1).await);
}

#[tokio::test]
async fn the_night_gives_it_up_after_a_day() {
    let world = World::new().await;
    crashed(&world).await;
    let day = i64::from(u32::try_from(IMAGES.days).unwrap()) * 24 * 3600;
    for (seconds, given_up) in [(day - 1, 0), (1, 1)] {
        world.clock.advance_seconds(seconds);
        let mut platform = world.database.postgres().platform().await.unwrap();
        assert_eq!(platform.give_up_images(world.ports.now(), 10).await.unwrap(), given_up);
        platform.commit().await.unwrap();
    }
    let mut platform = world.database.postgres().platform().await.unwrap();
    let unused = platform.unused_pictures(100).await.unwrap();
    drop(platform);
    assert_eq!(unused.len(), 6);
    assert!(world.metered(1).await > 0);
    let names: Vec<_> = unused.into_iter().map(|(_, name)| name).collect();
    let tenant = instructor(1, 1).tenant;
    delete_unused(world.database.postgres(), &world.objects, tenant, &names).await.unwrap();
    assert_eq!(world.metered(1).await, 0);
    assert_eq!(world.count("SELECT count(*) FROM image").await, 0);
}
