//! The files of a course, for those who may see it.

use akademi_domain::{
    ids::{CourseId, EnrolmentId, UserId},
    permission::Permissions,
};
use akademi_lambda_store::{links::Access, object_key::ObjectKey};

use crate::{
    academy::{NOW, Person, World, instructor},
    import_world::{job, opened, small_course, started},
};

/// The asset's address, its key in storage, and its course.
async fn with_one_file(world: &World) -> (String, ObjectKey, CourseId) {
    let id = started(world, instructor(1), "k", &small_course()).await;
    assert!(world.authoring.run_next_import().await.unwrap());
    let done = job(world, instructor(1), &id).await;
    let mut superuser = world.database.superuser().await.unwrap();
    let (asset, key): (String, String) =
        sqlx::query_as("SELECT id::text, object_key FROM asset").fetch_one(&mut superuser).await.unwrap();
    let course = done["result"]["course"].as_str().unwrap().parse().unwrap();
    (format!("/api/v1/media/{asset}"), key.parse().unwrap(), course)
}

pub fn learner(academy: u8) -> Person {
    Person { user: UserId::new(NOW, [77; 10]), permissions: Permissions::NONE, ..instructor(academy) }
}

pub async fn enrol(world: &World, person: Person, course: CourseId) {
    let mut superuser = world.database.superuser().await.unwrap();
    sqlx::query("INSERT INTO enrolment (tenant_id, id, user_id, course_id, source, created_at) VALUES ($1, $2, $3, $4, 'staff', 0)")
        .bind(person.tenant.as_uuid())
        .bind(EnrolmentId::new(NOW, world.ports.random()).as_uuid())
        .bind(person.user.as_uuid())
        .bind(course.as_uuid())
        .execute(&mut superuser)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_file_is_for_those_enrolled_in_its_course_and_for_authors() {
    let world = World::new().await;
    let (address, key, course) = with_one_file(&world).await;
    let file = format!("{address}/gunes%20a.png");
    let refused = world.get(learner(1), &file).await;
    assert_eq!((refused.status.as_u16(), refused.problem().0), (403, "forbidden"));
    // Neither another course nor another academy's enrolment counts.
    enrol(&world, learner(1), CourseId::new(NOW, [5; 10])).await;
    enrol(&world, learner(2), course).await;
    assert_eq!(world.get(learner(1), &file).await.status, 403);
    enrol(&world, learner(1), course).await;
    for person in [learner(1), instructor(1)] {
        let found = world.get(person, &file).await;
        assert_eq!(found.status, 302);
        assert_eq!(found.headers["cache-control"], "no-store");
        let link = found.headers["location"].to_str().unwrap();
        let content_type = "image/png".parse().unwrap();
        let saved = Access::Download { content_type, file_name: Some("gunes a.png".into()) };
        assert_eq!(opened(&world, "GET", link), Some((key.clone(), saved)));
        assert_eq!(opened(&world, "PUT", link), None);
    }
    for person in [learner(2), instructor(2)] {
        assert_eq!(world.get(person, &file).await.status, 404);
    }
    for path in ["a/b", "hls/master.m3u8", "hls/"] {
        assert_eq!(world.get(learner(1), &format!("{address}/{path}")).await.status, 404, "{path}");
    }
    let found = world.get(learner(1), &file).await;
    let link = found.headers["location"].to_str().unwrap();
    world.pass_seconds(301);
    assert_eq!(opened(&world, "GET", link), None, "the link lives five minutes");
}

#[tokio::test]
async fn the_key_of_an_encrypted_video_is_for_whoever_may_watch_it() {
    let world = World::new().await;
    let (address, _, course) = with_one_file(&world).await;
    let address = format!("{address}/hls/key");
    enrol(&world, learner(1), course).await;
    assert_eq!(world.get(learner(1), &address).await.status, 404, "it is not encrypted");
    let mut superuser = world.database.superuser().await.unwrap();
    sqlx::query("UPDATE asset SET content_key = $1")
        .bind([7_u8; 16].as_slice())
        .execute(&mut superuser)
        .await
        .unwrap();
    for person in [learner(1), instructor(1)] {
        let answer = world.get(person, &address).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.body, "\u{7}".repeat(16));
        assert_eq!(answer.headers["content-type"], "application/octet-stream");
        assert_eq!(answer.headers["cache-control"], "no-store");
    }
    let unknown = Person { user: UserId::new(NOW, [78; 10]), ..learner(1) };
    assert_eq!(world.get(unknown, &address).await.status, 403);
    assert_eq!(world.get(learner(2), &address).await.status, 404);
}
