//! A content is stored once, for as long as an image shows it.

use akademi_domain::picture::PictureName;
use akademi_lambda_store::pictures::{delete_unused, key};
use serde_json::Value;
use sqlx::{Connection, PgConnection};

use super::world::{World, instructor, urls};
use crate::sources::{jpeg, quarters};

#[tokio::test]
async fn two_images_of_one_content_are_counted_once_and_freed_with_the_last() {
    let world = World::new().await;
    let photo = jpeg(&quarters(640, 360));
    let mut images = Vec::new();
    for number in [1, 2] {
        let author = instructor(1, number);
        let upload = world.upload(author, &photo).await;
        images.push(world.make(author, upload, "course_card", Value::Null).await.expect(201));
        let counted = world.metered(1).await;
        assert!(counted > 0);
        assert_eq!(counted, world.stored(1).await);
        let told = images[0]["variants"].as_array().unwrap();
        assert_eq!(counted, told.iter().map(|file| file["bytes"].as_i64().unwrap()).sum::<i64>());
    }
    assert_ne!(images[0]["id"], images[1]["id"]);
    assert_eq!(urls(&images[0]), urls(&images[1]));
    let author = instructor(2, 1);
    let upload = world.upload(author, &photo).await;
    let others = world.make(author, upload, "course_card", Value::Null).await.expect(201);
    assert_eq!((urls(&others), world.metered(2).await), (urls(&images[0]), world.metered(1).await));

    let url = &urls(&images[0])[0];
    world.delete(instructor(1, 1), &images[0]).await.expect(204);
    assert_eq!(world.picture(1, url, None).await.status, 200);
    assert_eq!(world.metered(1).await, world.stored(1).await);
    world.delete(instructor(1, 2), &images[1]).await.expect(204);
    assert_eq!(world.picture(1, url, None).await.status, 404);
    assert_eq!((world.metered(1).await, world.stored(1).await), (0, 0));
    assert_eq!(world.picture(2, url, None).await.status, 200, "another academy has its own");
    assert_eq!(world.delete(instructor(1, 2), &images[1]).await.status, 404);
}

/// Waits until somebody waits for a lock of this connection's.
async fn until_blocked_by(superuser: &mut PgConnection, process: i32) {
    loop {
        let is_blocking: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid)))",
        )
        .bind(process)
        .fetch_one(&mut *superuser)
        .await
        .unwrap();
        if is_blocking {
            return;
        }
        tokio::task::yield_now().await;
    }
}

fn names(image: &Value) -> Vec<PictureName> {
    urls(image).iter().map(|url| url.rsplit('/').next().unwrap().parse().unwrap()).collect()
}

/// Files that nobody shows: their image is gone, they are still there. And an upload that would make the same again.
async fn left_behind(world: &World) -> (Value, akademi_domain::ids::UploadId) {
    let author = instructor(1, 1);
    let upload = world.upload(author, &jpeg(&quarters(640, 360))).await;
    let image = world.make(author, upload, "course_card", Value::Null).await.expect(201);
    let mut superuser = world.database.superuser().await.unwrap();
    sqlx::raw_sql("DELETE FROM image_file; DELETE FROM image").execute(&mut superuser).await.unwrap();
    (image, upload)
}

async fn are_stored(world: &World, names: &[PictureName]) -> bool {
    let mut all = true;
    for name in names {
        all &= world.objects.head(&key(instructor(1, 1).tenant, name).unwrap()).await.is_ok();
    }
    all
}

/// Whoever deletes is held between the files and their rows: whoever makes the same again waits, and stores it again.
#[tokio::test]
async fn a_content_that_is_deleted_just_now_is_stored_again_by_whoever_shows_it() {
    let world = World::new().await;
    let (image, upload) = left_behind(&world).await;
    let names = names(&image);
    let mut superuser = world.database.superuser().await.unwrap();
    let mut holder = world.database.superuser().await.unwrap();
    let process: i32 = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut holder).await.unwrap();
    let mut held = holder.begin().await.unwrap();
    sqlx::raw_sql("SELECT FROM storage_use FOR UPDATE").execute(&mut *held).await.unwrap();

    let tenant = instructor(1, 1).tenant;
    let deleting = delete_unused(world.database.postgres(), &world.objects, tenant, &names);
    let rest = async {
        until_blocked_by(&mut superuser, process).await;
        assert!(!are_stored(&world, &names).await, "the files are gone, their rows are not");
        let deleter: i32 =
            sqlx::query_scalar("SELECT pid FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid))")
                .bind(process)
                .fetch_one(&mut superuser)
                .await
                .unwrap();
        let making = world.make(instructor(1, 1), upload, "course_card", Value::Null);
        let letting_go = async {
            until_blocked_by(&mut superuser, deleter).await;
            held.commit().await.unwrap();
        };
        let (made, ()) = tokio::join!(making, letting_go);
        made.expect(201)
    };
    let (deleted, made) = tokio::join!(deleting, rest);
    assert_eq!(deleted.unwrap(), names.len() as u64);
    assert_eq!(urls(&made), urls(&image));
    assert!(are_stored(&world, &names).await);
    assert_eq!(world.metered(1).await, world.stored(1).await);
}

/// The twin: whoever looks without a lock deletes what is shown by then.
#[tokio::test]
async fn without_the_lock_a_content_is_deleted_that_is_shown() {
    let world = World::new().await;
    let (image, upload) = left_behind(&world).await;
    let names = names(&image);
    let unused = world.count(
        "SELECT count(*) FROM picture WHERE NOT EXISTS (SELECT FROM image_file WHERE image_file.name = picture.name)",
    );
    assert_eq!(unused.await, i64::try_from(names.len()).unwrap());
    world.make(instructor(1, 1), upload, "course_card", Value::Null).await.expect(201);
    for name in &names {
        world.objects.delete(&key(instructor(1, 1).tenant, name).unwrap()).await.unwrap();
    }
    assert!(!are_stored(&world, &names).await);
    assert_eq!(world.picture(1, &urls(&image)[0], None).await.status, 404);
}

#[tokio::test]
async fn what_is_shown_is_not_deleted_whoever_asks() {
    let world = World::new().await;
    let author = instructor(1, 1);
    let upload = world.upload(author, &jpeg(&quarters(640, 360))).await;
    let image = world.make(author, upload, "course_card", Value::Null).await.expect(201);
    let deleted =
        delete_unused(world.database.postgres(), &world.objects, author.tenant, &names(&image)).await;
    assert_eq!(deleted.unwrap(), 0);
    assert!(are_stored(&world, &names(&image)).await);
}
