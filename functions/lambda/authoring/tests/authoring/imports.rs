//! A course in: asked for, uploaded, started, made.

use akademi_domain::permission::Permissions;
use akademi_lambda_store::{links::Access, object_key::ObjectKey};
use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sqlx::Row;
use std::collections::BTreeMap;

use crate::{
    academy::{COURSES, Person, World, instructor},
    import_world::{
        IMPORTS, job, job_path, opened, real_file, small_course, start, started, stored, uploaded,
    },
};

fn new_import() -> Value {
    json!({ "file_name": "Işık.tar.gz", "bytes": 1000 })
}

async fn imports_in_database(world: &World) -> i64 {
    let mut superuser = world.database.superuser().await.unwrap();
    sqlx::query_scalar("SELECT count(*) FROM course_import").fetch_one(&mut superuser).await.unwrap()
}

async fn jobs_in_database(world: &World, kind: &str) -> i64 {
    let mut superuser = world.database.superuser().await.unwrap();
    sqlx::query_scalar("SELECT count(*) FROM job WHERE kind = $1")
        .bind(kind)
        .fetch_one(&mut superuser)
        .await
        .unwrap()
}

#[tokio::test]
async fn an_import_is_asked_for_once_per_key() {
    let world = World::new().await;
    let first = world.post_once(instructor(1), IMPORTS, Some("k1"), &new_import()).await;
    assert_eq!(first.headers["location"], job_path(&first.body["job"]));
    assert_eq!(first.headers.get("idempotent-replayed"), None);
    let first = first.expect(201);
    world.pass_seconds(5);
    let again = world.post_once(instructor(1), IMPORTS, Some("\"k1\""), &new_import()).await;
    assert_eq!(again.headers["idempotent-replayed"], "true");
    assert_eq!(again.expect(201), first);
    let other = json!({ "file_name": "Işık.tar.gz", "bytes": 1001 });
    let reused = world.post_once(instructor(1), IMPORTS, Some("k1"), &other).await;
    assert_eq!((reused.status.as_u16(), reused.problem().0), (422, "idempotency-key-reused"));
    assert_eq!(imports_in_database(&world).await, 1);

    // Another person's key is another key.
    let other = world.post_once(instructor(2), IMPORTS, Some("k1"), &new_import()).await.expect(201);
    assert_ne!(other["job"], first["job"]);
    let waiting = job(&world, instructor(1), &first["job"]).await;
    assert_eq!((&waiting["state"], &waiting["kind"]), (&json!("awaiting_upload"), &json!("olx_import")));
    assert_eq!(world.get(instructor(2), &job_path(&first["job"])).await.status, 404);
}

#[tokio::test]
async fn the_upload_link_takes_this_archive_for_an_hour() {
    let world = World::new().await;
    let made = world.post_once(instructor(1), IMPORTS, Some("k"), &new_import()).await.expect(201);
    let upload = &made["upload"];
    assert_eq!(
        (&upload["method"], &upload["headers"]),
        (&json!("PUT"), &json!({ "content-type": "application/gzip" }))
    );
    assert_eq!(upload["expires_at"], "2026-09-21T15:13:20Z");
    let link = upload["url"].as_str().unwrap();
    let (key, access) = opened(&world, "PUT", link).unwrap();
    assert_eq!(
        key,
        ObjectKey::new(instructor(1).tenant, ["imports", made["job"].as_str().unwrap(), "archive"]).unwrap()
    );
    let granted = Access::Upload { bytes: 1000, content_type: "application/gzip".parse().unwrap() };
    assert_eq!(access, granted);
    assert_eq!(opened(&world, "GET", link), None);
    world.pass_seconds(3601);
    assert_eq!(opened(&world, "PUT", link), None);
}

#[tokio::test]
async fn what_is_no_import_is_refused_and_nothing_is_written() {
    let world = World::new().await;
    let long = "x".repeat(201);
    for (body, field) in [
        (json!({}), "file_name"),
        (json!({ "file_name": "", "bytes": 1 }), "file_name"),
        (json!({ "file_name": long, "bytes": 1 }), "file_name"),
        (json!({ "file_name": "a\nb", "bytes": 1 }), "file_name"),
        (json!({ "file_name": "a" }), "bytes"),
        (json!({ "file_name": "a", "bytes": 0 }), "bytes"),
        (json!({ "file_name": "a", "bytes": -1 }), "bytes"),
        (json!({ "file_name": "a", "bytes": 268_435_457 }), "bytes"),
        (json!({ "file_name": "a", "bytes": 1, "url": "http://x" }), "url"),
    ] {
        let answer = world.post_once(instructor(1), IMPORTS, Some("k"), &body).await;
        assert_eq!((answer.status.as_u16(), answer.problem().1), (422, vec![field]), "{body}");
    }
    for key in [None, Some(""), Some("a b"), Some("ğ")] {
        let answer = world.post_once(instructor(1), IMPORTS, key, &new_import()).await;
        assert_eq!(
            (answer.status.as_u16(), answer.problem().0),
            (400, "idempotency-key-required"),
            "{key:?}"
        );
    }
    let learner = Person { permissions: Permissions::NONE, ..instructor(1) };
    assert_eq!(world.post_once(learner, IMPORTS, Some("k"), &new_import()).await.status, 403);
    assert_eq!(imports_in_database(&world).await, 0);

    let unknown = "01890000-0000-7000-8000-00000000ffff";
    for person in [instructor(1), learner] {
        let status = if person.permissions == Permissions::NONE { 403 } else { 404 };
        for (method, target) in [
            (Method::POST, format!("{IMPORTS}/{unknown}/start")),
            (Method::GET, format!("/api/v1/authoring/jobs/{unknown}")),
            (Method::GET, "/api/v1/authoring/jobs/7".to_owned()),
        ] {
            assert_eq!(world.call(person, method, &target, None).await.status, status, "{target}");
        }
    }
}

#[tokio::test]
async fn an_import_starts_when_all_of_the_archive_is_there_and_only_once() {
    let world = World::new().await;
    let archive = small_course();
    let made = uploaded(&world, instructor(1), "k", &archive[..100]).await;
    let new = json!({ "file_name": "a.tar.gz", "bytes": archive.len() });
    let whole = world.post_once(instructor(1), IMPORTS, Some("whole"), &new).await.expect(201);
    let target = format!("{IMPORTS}/{}/start", whole["job"].as_str().unwrap());
    let (key, _) = opened(&world, "PUT", whole["upload"]["url"].as_str().unwrap()).unwrap();
    for sent in [None, Some(&archive[..100])] {
        if let Some(sent) = sent {
            let gzip = "application/gzip".parse().unwrap();
            world.storage.objects.put(&key, &gzip, Bytes::copy_from_slice(sent)).await.unwrap();
        }
        let early = world.call(instructor(1), Method::POST, &target, None).await;
        assert_eq!((early.status.as_u16(), early.problem().0), (409, "upload-missing"));
    }
    assert_eq!(jobs_in_database(&world, "olx_import").await, 0);
    assert!(!world.authoring.run_next_import().await.unwrap());

    // What is there as it was announced is started, whatever it is.
    let calls = world.calls();
    let target = format!("{IMPORTS}/{}/start", made["job"].as_str().unwrap());
    assert_eq!(world.call(instructor(2), Method::POST, &target, None).await.status, 404);
    let (one, two) = tokio::join!(
        world.call(instructor(1), Method::POST, &target, None),
        world.call(instructor(1), Method::POST, &target, None)
    );
    assert_eq!(one.headers["location"], job_path(&made["job"]));
    assert_eq!((&one.expect(202)["state"], &two.expect(202)["state"]), (&json!("queued"), &json!("queued")));
    assert_eq!(jobs_in_database(&world, "olx_import").await, 1);
    assert!(world.calls() > calls, "workers were called");
}

#[tokio::test]
async fn starting_a_finished_import_again_changes_nothing() {
    let world = World::new().await;
    let id = started(&world, instructor(1), "k", &small_course()).await;
    assert!(world.authoring.run_next_import().await.unwrap());
    let done = job(&world, instructor(1), &id).await;
    assert_eq!(done["state"], "done", "{done}");
    let (rows, files) = (world.everything().await, stored(&world, instructor(1).tenant));
    assert_eq!(start(&world, instructor(1), &id).await, done);
    assert!(!world.authoring.run_next_import().await.unwrap());
    assert_eq!((world.everything().await, stored(&world, instructor(1).tenant)), (rows, files));
}

#[tokio::test]
async fn a_small_course_becomes_a_draft_with_addresses_in_its_html() {
    let world = World::new().await;
    let id = started(&world, instructor(1), "k", &small_course()).await;
    assert!(world.authoring.run_next_import().await.unwrap());
    let done = job(&world, instructor(1), &id).await;
    let result = &done["result"];
    assert_eq!(
        result["made"],
        json!({ "modules": 1, "sections": 1, "lessons": 1, "assets": 1, "raw_blocks": 1 }),
        "{done}"
    );
    let course = result["course"].as_str().unwrap();
    let draft = world.get(instructor(1), &format!("{COURSES}/{course}")).await.expect(200);
    assert_eq!((&draft["title"], &draft["slug"]), (&json!("Işık"), &json!("isik")));
    assert_eq!(draft["owner"], instructor(1).user.to_string());
    let lesson = &draft["modules"][0]["sections"][0]["lessons"][0];
    let mut superuser = world.database.superuser().await.unwrap();
    let asset: uuid::Uuid =
        sqlx::query_scalar("SELECT id FROM asset").fetch_one(&mut superuser).await.unwrap();
    assert_eq!(
        lesson["body"]["html"],
        format!(
            "<p>Merhaba</p><img src=\"/api/v1/media/{asset}/gunes%20a.png\"><a href=\"/api/v1/learning/courses/{course}/lessons/{}\" rel=\"noopener noreferrer\">bura</a>",
            lesson["id"].as_str().unwrap()
        )
    );
    let raw: (String, String) =
        sqlx::query_as("SELECT kind, olx FROM raw_block").fetch_one(&mut superuser).await.unwrap();
    assert_eq!(raw.0, "poll");
    assert!(raw.1.starts_with("<poll "), "{}", raw.1);
    assert_eq!(world.get(instructor(2), &format!("{COURSES}/{course}")).await.status, 404);
}

/// The demo course of Open edX: 16 MB, 266 html blocks.
#[tokio::test]
async fn a_real_course_becomes_a_draft_and_its_files_assets() {
    let world = World::new().await;
    let id = started(&world, instructor(1), "k", &real_file("openedx-demo-course.tar.gz")).await;
    assert!(world.authoring.run_next_import().await.unwrap());
    let done = job(&world, instructor(1), &id).await;
    assert_eq!(
        (&done["state"], &done["progress_permille"]),
        (&json!("done"), &json!(1000)),
        "{}",
        done["message"]
    );
    let result = &done["result"];
    let blocks: BTreeMap<&str, (u64, u64, u64)> = result["blocks"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(kind, counts)| {
            let count = |fate: &str| counts[fate].as_u64().unwrap();
            (kind.as_str(), (count("imported"), count("kept_raw"), count("skipped")))
        })
        .collect();
    for (kind, counts) in [
        ("chapter", (6, 0, 0)),
        ("sequential", (17, 0, 0)),
        ("vertical", (58, 0, 0)),
        ("html", (266, 0, 0)),
        ("video", (11, 0, 0)),
        ("problem", (21, 8, 0)),
    ] {
        assert_eq!(blocks[kind], counts, "{kind}");
    }
    let reported = result["report"]["blocks"].as_array().unwrap().len() as u64;
    assert_eq!(
        blocks.values().map(|(imported, raw, skipped)| imported + raw + skipped).sum::<u64>(),
        reported
    );

    let course = result["course"].as_str().unwrap();
    let draft = world.get(instructor(1), &format!("{COURSES}/{course}")).await.expect(200);
    let lessons: Vec<&Value> = draft["modules"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|module| module["sections"].as_array().unwrap())
        .flat_map(|section| section["lessons"].as_array().unwrap())
        .collect();
    let of_kind = |kind: &str| lessons.iter().filter(|lesson| lesson["body"]["kind"] == kind).count();
    assert_eq!(["html", "video", "quiz", "document"].map(of_kind), [266, 11, 21, 2]);
    let made = &result["made"];
    assert_eq!((&made["modules"], &made["sections"], &made["lessons"]), (&json!(6), &json!(17), &json!(300)));

    // No reference of the archive is left, and each image leads to a file.
    let text = draft["modules"].to_string();
    assert!(!text.contains("asset:") && !text.contains("block:"), "a reference is left");
    let linked: std::collections::BTreeSet<&str> =
        text.split("/api/v1/media/").skip(1).map(|rest| &rest[..36]).collect();
    let mut superuser = world.database.superuser().await.unwrap();
    let rows = sqlx::query("SELECT id::text, object_key, sha256, bytes, content_type, state FROM asset")
        .fetch_all(&mut superuser)
        .await
        .unwrap();
    let ids: std::collections::BTreeSet<&str> = rows.iter().map(|row| row.get("id")).collect();
    assert!(linked.len() > 20 && linked.is_subset(&ids), "{} linked", linked.len());
    let mut bytes = 0;
    for row in &rows {
        let key: ObjectKey = row.get::<&str, _>("object_key").parse().unwrap();
        let content = world.storage.objects.read(&key, 1 << 30).await.unwrap();
        assert_eq!(Sha256::digest(&content).as_slice(), row.get::<&[u8], _>("sha256"));
        assert_eq!(content.len() as i64, row.get::<i64, _>("bytes"));
        bytes += content.len();
    }
    assert_eq!(stored(&world, instructor(1).tenant).len(), rows.len(), "the assets, and no archive");
    let transcodes = result["transcodes"].as_array().unwrap();
    assert_eq!(transcodes.len(), 1);
    let waiting: Vec<&str> = rows
        .iter()
        .filter(|row| row.get::<&str, _>("state") == "transcoding")
        .map(|row| row.get("id"))
        .collect();
    assert_eq!(waiting, [transcodes[0]["asset"].as_str().unwrap()]);
    assert_eq!(job(&world, instructor(1), &transcodes[0]["job"]).await["state"], "queued");
    println!(
        "{} lessons, {} assets of {bytes} bytes ({} linked from html), {reported} blocks reported",
        lessons.len(),
        rows.len(),
        linked.len()
    );
}
