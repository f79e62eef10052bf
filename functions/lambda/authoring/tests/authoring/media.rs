//! The files of a course, for those who may see it.

use akademi_domain::{
    ids::{CourseId, EnrolmentId, UserId},
    permission::Permissions,
};
use akademi_lambda_store::{links::Access, object_key::ObjectKey};
use bytes::Bytes;
use serde_json::json;

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
async fn a_transcoded_video_plays_from_playlists_whose_names_lead_somewhere() {
    let world = World::new().await;
    let (address, _, course) = with_one_file(&world).await;
    enrol(&world, learner(1), course).await;
    let folder = ObjectKey::new(instructor(1).tenant, ["media", "v", "1"]).unwrap();
    let playlist = "application/vnd.apple.mpegurl";
    let media = "#EXTM3U\n#EXT-X-MAP:URI=\"init.mp4\"\n#EXT-X-KEY:METHOD=AES-128,URI=\"../key\"\n#EXTINF:6.0,\nsegment-00000.m4s\n\
                 #EXTINF:6.0,\n../1-1/720p/segment-00001.m4s\n#EXT-X-ENDLIST\n";
    let thumbnails = "WEBVTT\n\n00:00.000 --> 00:02.000\nthumbnails/sheet-000.jpg#xywh=0,0,160,90\n";
    let master = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n720p/index.m3u8\n";
    let mut files = Vec::new();
    for (path, content_type, content) in [
        ("master.m3u8", playlist, master),
        ("720p/index.m3u8", playlist, media),
        ("720p/init.mp4", "video/mp4", "init"),
        ("720p/segment-00000.m4s", "video/mp4", "segment"),
        ("1-1/720p/segment-00001.m4s", "video/mp4", "segment"),
        ("thumbnails.vtt", "text/vtt", thumbnails),
    ] {
        let key = path.split('/').fold(folder.clone(), |key, part| key.join(part).unwrap());
        world.storage.objects.put(&key, &content_type.parse().unwrap(), Bytes::from(content)).await.unwrap();
        files.push(json!({ "path": path, "content_type": content_type, "bytes": content.len() }));
    }
    let mut superuser = world.database.superuser().await.unwrap();
    sqlx::query("UPDATE asset SET playback_key = $1, manifest = $2, content_key = $3, duration_ms = 6000")
        .bind(folder.as_str())
        .bind(json!({ "master": "master.m3u8", "files": files }))
        .bind([7_u8; 16].as_slice())
        .execute(&mut superuser)
        .await
        .unwrap();

    let answer = world.get(learner(1), &format!("{address}/hls/master.m3u8")).await;
    assert_eq!((answer.status.as_u16(), &answer.headers["content-type"]), (200, &playlist.parse().unwrap()));
    assert_eq!(answer.body, master, "relative names lead to this route");
    let answer = world.get(learner(1), &format!("{address}/hls/720p/index.m3u8")).await;
    assert_eq!(answer.headers["content-type"], playlist);
    let text = answer.expect(200);
    let text = text.as_str().unwrap();
    let segment_access = Access::Download { content_type: "video/mp4".parse().unwrap(), file_name: None };
    let init = text.split("URI=\"").nth(1).unwrap().split('"').next().unwrap();
    let segment = text.lines().find(|line| line.starts_with("https://")).unwrap();
    for (link, name) in [(init, "init.mp4"), (segment, "segment-00000.m4s")] {
        let key = folder.join("720p").unwrap().join(name).unwrap();
        assert_eq!(opened(&world, "GET", link), Some((key, segment_access.clone())));
    }
    // Of a video whose parts were made by several workers.
    let other = text.lines().filter(|line| line.starts_with("https://")).nth(1).unwrap();
    let key =
        ["1-1", "720p", "segment-00001.m4s"].iter().fold(folder.clone(), |key, part| key.join(part).unwrap());
    assert_eq!(opened(&world, "GET", other), Some((key, segment_access.clone())));
    assert!(text.contains("URI=\"../key\""), "the key is asked for here");
    let answer = world.get(learner(1), &format!("{address}/hls/key")).await;
    assert_eq!(
        (&answer.headers["content-type"], &answer.headers["cache-control"]),
        (&"application/octet-stream".parse().unwrap(), &"no-store".parse().unwrap())
    );
    assert_eq!(answer.status, 200);
    for stranger in [learner(2), learner(3)] {
        assert_ne!(
            world.get(stranger, &format!("{address}/hls/key")).await.status,
            200,
            "the key is for whoever may watch"
        );
    }
    let answer = world.get(learner(1), &format!("{address}/hls/thumbnails.vtt")).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.headers["content-type"]),
        (200, &"text/vtt".parse().unwrap())
    );
    assert_eq!(answer.body, thumbnails);
    let direct = world.get(learner(1), &format!("{address}/hls/720p/segment-00000.m4s")).await;
    assert_eq!(direct.status, 302);
    for path in ["hls/480p/index.m3u8", "hls/../v", "hls/720p", "hls/720p/../master.m3u8"] {
        assert_eq!(world.get(learner(1), &format!("{address}/{path}")).await.status, 404, "{path}");
    }
    assert_eq!(world.get(learner(2), &format!("{address}/hls/master.m3u8")).await.status, 404);
    // A paused player comes back within an hour and twice the video.
    world.pass_seconds(3600 + 12);
    assert!(opened(&world, "GET", segment).is_some());
    world.pass_seconds(1);
    assert!(opened(&world, "GET", segment).is_none());
}
