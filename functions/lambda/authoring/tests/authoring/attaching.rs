//! Uploads become files of courses.

use akademi_domain::{
    ids::UploadId,
    permission::Permissions,
    upload::{PART_BYTES, Parts},
};
use akademi_lambda_store::{
    error::StoreError,
    links::Access,
    object_key::ObjectKey,
    postgres::TenantTransaction,
    uploads::{PartedFile, folder, part_key},
};
use http::Method;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::{
    academy::{Answer, Person, World, administrator, document_lesson, instructor, modules, video_lesson},
    import_world::{job_path, opened, real_file},
    media::{enrol, learner},
    storage_use::{limit_storage, use_of},
    uploads::{actions, ask, complete, path, sent},
};

const PDF: &[u8] = b"%PDF-1.7\n1 0 obj\nendobj\n%%EOF\n";
const TWO_DAYS: i64 = 2 * 24 * 60 * 60;

/// A whole document or video of the instructor's.
async fn completed(world: &World, key: &str, kind: &str, content: &[u8]) -> Value {
    let upload = sent(world, key, kind, content).await;
    complete(world, instructor(1), &upload).await.expect(200)
}

pub async fn attach(world: &World, person: Person, course: &str, upload: &Value) -> Answer {
    let body = json!({ "upload": upload["id"] });
    world.call(person, Method::POST, &format!("{course}/assets"), Some(&body)).await
}

/// What the meter says: all, of files, of uploads.
async fn used(world: &World) -> [u64; 3] {
    let shown = use_of(world, 1).await;
    let by_kind = &shown["by_kind"];
    [&shown["used"], &by_kind["files"], &by_kind["uploads"]].map(|bytes| bytes.as_u64().unwrap())
}

fn id(upload: &Value) -> UploadId {
    upload["id"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_document_is_what_those_enrolled_download_and_its_bytes_are_counted_once() {
    let world = World::new().await;
    let (author, size) = (instructor(1), PDF.len() as u64);
    let (course, draft) = world.create(author, "Işık").await;
    let upload = completed(&world, "k", "document", PDF).await;
    assert_eq!((&upload["state"], &upload["asset"]), (&json!("complete"), &Value::Null));
    assert_eq!(used(&world).await, [size, 0, size]);
    let asset = attach(&world, author, &course, &upload).await.expect(201);
    let told = json!({ "id": asset["id"], "file_name": "Işık.png", "content_type": "application/pdf", "bytes": size,
                       "state": "ready", "job": null });
    assert_eq!(asset, told);
    assert_eq!(used(&world).await, [size, size, 0]);
    assert_eq!(attach(&world, author, &course, &upload).await.expect(200), asset, "the same file");
    let shown = world.get(author, &path(&upload)).await.expect(200);
    assert_eq!((&shown["state"], &shown["asset"]), (&json!("attached"), &asset["id"]));
    assert_eq!(complete(&world, author, &upload).await.expect(200), shown);

    // It is no upload any more: nobody deletes it as one, neither its owner nor the night.
    let kept = world.call(author, Method::DELETE, &path(&upload), None).await;
    assert_eq!((kept.status.as_u16(), kept.problem().0), (409, "upload-attached"));
    let mut platform = world.database.postgres().platform().await.unwrap();
    let due = platform.give_up_uploads(world.ports.now().plus_seconds(TWO_DAYS), 10).await.unwrap();
    platform.commit().await.unwrap();
    assert_eq!(due, []);
    let (other, _) = world.create(author, "Su").await;
    let refused = attach(&world, author, &other, &upload).await;
    assert_eq!((refused.status.as_u16(), refused.problem().0), (409, "upload-attached"));
    assert_eq!(used(&world).await, [size, size, 0]);

    let mut lesson = document_lesson("Oku");
    lesson["body"]["asset"] = asset["id"].clone();
    world.put_content(author, &course, 1, &modules(&[lesson])).await.expect(200);
    world.publish(author, &course).await.expect(200);
    let file = format!("/api/v1/media/{}/any.pdf", asset["id"].as_str().unwrap());
    assert_eq!(world.get(learner(1), &file).await.status, 403);
    enrol(&world, learner(1), draft["id"].as_str().unwrap().parse().unwrap()).await;
    let found = world.get(learner(1), &file).await;
    assert_eq!(found.status, 302);
    let (key, access) = opened(&world, "GET", found.headers["location"].to_str().unwrap()).unwrap();
    let content_type = "application/pdf".parse().unwrap();
    let named = Access::Download { content_type, file_name: Some("Işık.png".into()) };
    assert_eq!(access, named, "the name that it was sent with, and what it is");
    assert_eq!(key, part_key(&folder(author.tenant, id(&upload)).unwrap(), 1).unwrap());
    assert_eq!(world.storage.objects.head(&key).await.unwrap().size, size);
    assert_eq!(
        actions(&world).await,
        [
            "course.created",
            "upload.requested",
            "upload.parts_announced",
            "upload.completed",
            "upload.attached",
            "course.created",
            "course.content_replaced",
            "course.published"
        ],
    );
}

#[tokio::test]
async fn a_video_is_queued_to_be_transcoded_and_the_draft_tells_how_far_it_is() {
    let world = World::new().await;
    let (author, film) = (instructor(1), real_file("bikes.mp4"));
    let (course, _) = world.create(author, "Işık").await;
    let upload = completed(&world, "k", "video", &film).await;
    let calls = world.calls();
    let asset = attach(&world, author, &course, &upload).await.expect(201);
    assert_eq!((&asset["state"], &asset["content_type"]), (&json!("transcoding"), &json!("video/mp4")));
    assert_eq!(world.calls(), calls + 1, "a worker is called");
    attach(&world, author, &course, &upload).await.expect(200);
    assert_eq!(world.calls(), calls + 1);
    let queued = world.get(author, &job_path(&asset["job"])).await.expect(200);
    assert_eq!((&queued["kind"], &queued["state"]), (&json!("transcode"), &json!("queued")));
    let mut platform = world.database.postgres().platform().await.unwrap();
    let now = world.ports.now();
    let claimed = platform.claim_job("transcode", now, 1000).await.unwrap().unwrap();
    assert_eq!(claimed.payload, json!({ "asset": asset["id"] }));
    assert!(platform.claim_job("transcode", now, 1000).await.unwrap().is_none(), "one job");
    platform.commit().await.unwrap();

    // The file itself is where the parts are, and is for the transcoder only.
    let media = format!("/api/v1/media/{}", asset["id"].as_str().unwrap());
    for end in ["film.mp4", "hls/master.m3u8"] {
        assert_eq!(world.get(author, &format!("{media}/{end}")).await.status, 404, "{end}");
    }
    let mut superuser = world.database.superuser().await.unwrap();
    let key: String =
        sqlx::query_scalar("SELECT object_key FROM asset").fetch_one(&mut superuser).await.unwrap();
    let parts = PartedFile::new(
        world.storage.objects.clone(),
        key.parse::<ObjectKey>().unwrap(),
        Parts::new(film.len() as u64, PART_BYTES),
    );
    assert_eq!(parts.read_range(0..film.len() as u64).await.unwrap(), film);

    let before = world.get(author, &course).await;
    let video = json!({ "asset": asset["id"], "file_name": "Işık.png", "state": "transcoding", "progress_permille": 0,
                        "message": "", "job": asset["job"] });
    assert_eq!(before.body["videos"], json!([video]));
    sqlx::query("UPDATE job SET progress_permille = 400, message = 'transcoding' WHERE kind = 'transcode'")
        .execute(&mut superuser)
        .await
        .unwrap();
    let after = world.get(author, &course).await;
    let told = &after.body["videos"][0];
    assert_eq!((&told["progress_permille"], &told["message"]), (&json!(400), &json!("transcoding")));
    assert_ne!(before.headers["etag"], after.headers["etag"]);
    sqlx::query("UPDATE asset SET state = 'failed', failure = 'the file is empty'")
        .execute(&mut superuser)
        .await
        .unwrap();
    let failed = world.get(author, &course).await.expect(200);
    let told = &failed["videos"][0];
    assert_eq!((&told["state"], &told["message"]), (&json!("failed"), &json!("the file is empty")));
}

#[tokio::test]
async fn a_lesson_of_a_video_that_plays_already_learns_its_length() {
    let world = World::new().await;
    let author = instructor(1);
    let (course, _) = world.create(author, "Işık").await;
    let upload = completed(&world, "k", "video", &real_file("bikes.mp4")).await;
    let asset = attach(&world, author, &course, &upload).await.expect(201);
    let mut superuser = world.database.superuser().await.unwrap();
    sqlx::query(
        "UPDATE asset SET state = 'ready', playback_key = 'x', manifest = '{ \"files\": [] }', duration_ms = 10400",
    )
    .execute(&mut superuser)
    .await
    .unwrap();
    let lesson = |title: &str, seconds: Value, source: Value| {
        let mut lesson = video_lesson(title, 1);
        lesson["duration_seconds"] = seconds;
        lesson["requirement"] = Value::Null;
        lesson["body"]["source"] = source;
        lesson
    };
    let film = json!({ "from": "asset", "asset": asset["id"] });
    let lessons = [
        lesson("Yeni", Value::Null, film.clone()),
        lesson("Kısa", json!(4), film),
        lesson("Başka", Value::Null, json!({ "from": "youtube", "id": "dQw4w9WgXcQ" })),
    ];
    let draft = world.put_content(author, &course, 1, &modules(&lessons)).await.expect(200);
    assert_eq!(draft["videos"], json!([]), "it plays");
    let kept = &draft["modules"][0]["sections"][0]["lessons"];
    let lengths: Vec<&Value> =
        kept.as_array().unwrap().iter().map(|lesson| &lesson["duration_seconds"]).collect();
    assert_eq!(lengths, [&json!(10), &json!(4), &Value::Null]);
    assert_eq!(world.get(author, &course).await.expect(200)["modules"], draft["modules"]);
}

#[tokio::test]
async fn only_ones_own_complete_video_or_document_becomes_a_file_of_ones_own_course() {
    let world = World::new().await;
    let (author, colleague) = (instructor(1), Person { user: instructor(3).user, ..instructor(1) });
    let (course, _) = world.create(author, "Işık").await;
    let (colleagues, _) = world.create(colleague, "Su").await;
    let (elsewhere, _) = world.create(instructor(2), "Hava").await;
    let upload = completed(&world, "k", "document", PDF).await;
    let before = (used(&world).await, world.everything().await);
    for (person, course) in [
        (colleague, &colleagues),
        (administrator(2), &elsewhere),
        (author, &colleagues),
        (author, &elsewhere),
        (author, &"/api/v1/authoring/courses/01890000-0000-7000-8000-000000000001".to_owned()),
    ] {
        assert_eq!(attach(&world, person, course, &upload).await.status, 404, "{course}");
    }
    let open = sent(&world, "open", "document", PDF).await;
    let refused = attach(&world, author, &course, &open).await;
    assert_eq!((refused.status.as_u16(), refused.problem().0), (409, "upload-incomplete"));
    assert_eq!(world.call(author, Method::DELETE, &path(&open), None).await.status, 204);
    assert_eq!(attach(&world, author, &course, &open).await.status, 404);
    let picture = completed(&world, "picture", "image", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR").await;
    assert_eq!(
        attach(&world, author, &course, &picture).await.problem(),
        ("invalid-request", vec!["upload"])
    );
    assert_eq!(world.call(author, Method::DELETE, &path(&picture), None).await.status, 204);
    let stranger = Person { permissions: Permissions::NONE, ..author };
    assert_eq!(attach(&world, stranger, &course, &upload).await.status, 403);
    let both = json!({ "upload": upload["id"], "course": 1 });
    let unknown = world.call(author, Method::POST, &format!("{course}/assets"), Some(&both)).await;
    assert_eq!(unknown.status, 422);
    assert_eq!((used(&world).await, world.everything().await), before, "nothing was written");
    // Who may see all courses puts files into them.
    let chief = Person { permissions: administrator(1).permissions, ..author };
    attach(&world, chief, &colleagues, &upload).await.expect(201);
}

#[tokio::test]
async fn an_academy_that_is_full_meanwhile_still_takes_what_it_has() {
    let world = World::new().await;
    limit_storage(&world, 1, None).await;
    let (author, size) = (instructor(1), PDF.len() as u64);
    let (course, _) = world.create(author, "Işık").await;
    let upload = completed(&world, "k", "document", PDF).await;
    limit_storage(&world, 1, Some(1)).await;
    assert_eq!(ask(&world, author, "more", "document", 1).await.problem().0, "storage-full");
    attach(&world, author, &course, &upload).await.expect(201);
    assert_eq!(used(&world).await, [size, size, 0]);
}

#[tokio::test]
async fn of_many_who_attach_and_delete_at_once_one_way_is_taken_and_the_meter_is_exact() {
    let world = World::new().await;
    let (author, size) = (instructor(1), PDF.len() as u64);
    let (course, _) = world.create(author, "Işık").await;
    let (mut files, mut gone) = (0, 0);
    for round in 0..12 {
        let upload = completed(&world, &format!("k{round}"), "document", PDF).await;
        let address = path(&upload);
        let attaching = async {
            futures::future::join_all((0..4).map(|_| attach(&world, author, &course, &upload))).await
        };
        let deleting = async {
            // Sometimes later, so that both ways are taken.
            for _ in 0..round * 4 {
                tokio::task::yield_now().await;
            }
            let delete = || world.call(author, Method::DELETE, &address, None);
            futures::future::join_all((0..2).map(|_| delete())).await
        };
        let (attached, deleted) = tokio::join!(attaching, deleting);
        let count = |answers: &[Answer], status: u16| {
            answers.iter().filter(|answer| answer.status.as_u16() == status).count()
        };
        let (made, again) = (count(&attached, 201), count(&attached, 200));
        if made == 1 {
            assert_eq!((again, count(&deleted, 409)), (3, 2), "{attached:?} {deleted:?}");
            files += 1;
        } else {
            assert_eq!((count(&attached, 404), count(&deleted, 204)), (4, 1), "{attached:?} {deleted:?}");
            gone += 1;
        }
        assert_eq!(used(&world).await, [files * size, files * size, 0]);
    }
    println!("{files} became files, {gone} were deleted");
}

/// A transcoder that makes another video of the course ready while a file is added; what each was answered.
async fn ready_while_adding(
    world: &World,
    adding: impl AsyncFnOnce(&World, &str, &Value) -> Result<(), StoreError>,
) -> [Result<(), StoreError>; 2] {
    let author = instructor(1);
    let (course, draft) = world.create(author, "Işık").await;
    let film = completed(world, "film", "video", &real_file("bikes.mp4")).await;
    attach(world, author, &course, &film).await.expect(201);
    let upload = completed(world, "k", "document", PDF).await;
    let mut transcoder = world.database.postgres().tenant(author.tenant).await.unwrap();
    let process: i32 =
        sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(transcoder.connection()).await.unwrap();
    sqlx::query("SELECT FROM course_draft WHERE id = $1::uuid FOR UPDATE")
        .bind(draft["id"].as_str().unwrap())
        .execute(transcoder.connection())
        .await
        .unwrap();
    let has_ended = AtomicBool::new(false);
    let adding = async {
        let outcome = adding(world, &course, &upload).await;
        has_ended.store(true, Ordering::SeqCst);
        outcome
    };
    let ending = async {
        let mut superuser = world.database.superuser().await.unwrap();
        while !has_ended.load(Ordering::SeqCst)
            && !sqlx::query_scalar::<_, bool>(
                "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid)))",
            )
            .bind(process)
            .fetch_one(&mut superuser)
            .await
            .unwrap()
        {
            tokio::task::yield_now().await;
        }
        make_ready(&mut transcoder).await?;
        transcoder.commit().await
    };
    let (added, ended) = tokio::join!(adding, ending);
    [added, ended]
}

async fn make_ready(tx: &mut TenantTransaction) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE asset SET state = 'ready', playback_key = 'x', manifest = '{ \"files\": [{ \"bytes\": 7 }] }', duration_ms = 9
         WHERE state = 'transcoding'",
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

#[tokio::test]
async fn a_file_that_is_added_waits_for_a_video_that_becomes_ready() {
    let world = World::new().await;
    let [added, ended] = ready_while_adding(&world, async |world, course, upload| {
        attach(world, instructor(1), course, upload).await.expect(201);
        Ok(())
    })
    .await;
    added.unwrap();
    ended.unwrap();
    let film = real_file("bikes.mp4").len() as u64;
    assert_eq!(used(&world).await, [film + PDF.len() as u64 + 7, film + PDF.len() as u64, 0]);
}

/// The twin: whoever counts before the course is held waits for the transcoder, which waits for the meter.
#[tokio::test]
async fn without_holding_the_course_first_one_of_both_is_broken_off() {
    let world = World::new().await;
    let [added, ended] = ready_while_adding(&world, async |world, course, upload| {
        let mut tx = world.database.postgres().tenant(instructor(1).tenant).await?;
        sqlx::query("UPDATE upload SET state = 'attached' WHERE id = $1::uuid")
            .bind(upload["id"].as_str().unwrap())
            .execute(tx.connection())
            .await?;
        sqlx::query("SELECT FROM course_draft WHERE id = $1::uuid FOR KEY SHARE")
            .bind(course.rsplit('/').next().unwrap())
            .execute(tx.connection())
            .await?;
        tx.commit().await
    })
    .await;
    assert!(added.is_err() != ended.is_err(), "{added:?} {ended:?}");
}
