//! Drafts, imports and files, through `origin`.

use akademi_local::api_client::JsonExt;
use http::{HeaderName, HeaderValue, Method};
use serde_json::{Value, json};

use super::NOTHING;
use crate::{
    ask::Ask,
    kind::Kind,
    recorder::Recorder,
    seed::{
        lambda::{COURSE, IMPORT},
        media::{UPLOADED, VIDEO_FILE},
    },
};

const CREATE: &str = "POST /api/v1/authoring/courses";
const LIST: &str = "GET /api/v1/authoring/courses";
const SHOW: &str = "GET /api/v1/authoring/courses/{course_id}";
const CHANGE: &str = "PATCH /api/v1/authoring/courses/{course_id}";
const CONTENT: &str = "PUT /api/v1/authoring/courses/{course_id}/content";
const PUBLISH: &str = "POST /api/v1/authoring/courses/{course_id}/publish";
const VERSIONS: &str = "GET /api/v1/authoring/courses/{course_id}/versions";
const VERSION: &str = "GET /api/v1/authoring/courses/{course_id}/versions/{version}";
const RESTORE: &str = "POST /api/v1/authoring/courses/{course_id}/versions/{version}/restore";
const ATTACH: &str = "POST /api/v1/authoring/courses/{course_id}/assets";
const IMPORTS: &str = "POST /api/v1/authoring/imports";
const START: &str = "POST /api/v1/authoring/imports/{job_id}/start";
const JOB: &str = "GET /api/v1/authoring/jobs/{job_id}";
const PREVIEW: &str = "GET /api/v1/authoring/videos/{asset_id}/playback/{*path}";
const MEDIA: &str = "GET /api/v1/media/{asset_id}/{*path}";
const UPLOADS: &str = "POST /api/v1/uploads";
const MINE: &str = "GET /api/v1/uploads";
const UPLOAD: &str = "GET /api/v1/uploads/{upload_id}";
const REMOVE: &str = "DELETE /api/v1/uploads/{upload_id}";
const PARTS: &str = "POST /api/v1/uploads/{upload_id}/parts";
const COMPLETE: &str = "POST /api/v1/uploads/{upload_id}/complete";
const STORAGE: &str = "GET /api/v1/academy/storage";
const VIDEOS: &str = "GET /api/v1/academy/video-settings";
const SET_VIDEOS: &str = "PUT /api/v1/academy/video-settings";
const COURSES: &str = "/api/v1/authoring/courses";
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

pub async fn authoring(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    drafts(r).await?;
    imports(r).await?;
    media(r).await?;
    uploads(r).await?;
    settings(r).await
}

async fn drafts(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let staff = r.staff.clone();
    let create = |body: Value| Ask::post(COURSES, &body);
    let draft = r.good((CREATE, "draft"), &staff, create(json!({ "title": "Open door" }))).await?.json()?;
    r.turkish((CREATE, "a Turkish title"), &staff, create(json!({ "title": "Kapı: Açık Ders" }))).await?;
    r.bad((CREATE, "unknown field"), &staff, create(json!({ "title": "A", "x": 1 }))).await?;
    r.bad((CREATE, "no title"), &staff, create(json!({ "title": "" }))).await?;
    r.good((LIST, "drafts"), &staff, Ask::get(COURSES)).await?;
    r.paged(LIST, &staff, COURSES, "").await?;
    let path = format!("{COURSES}/{}", draft.text("id")?);
    let nowhere = format!("{COURSES}/{NOTHING}");
    r.good((SHOW, "draft"), &staff, Ask::get(&path)).await?;
    r.bad((SHOW, "unknown draft"), &staff, Ask::get(&nowhere)).await?;
    r.bad((PUBLISH, "without a lesson"), &staff, Ask::post(format!("{path}/publish"), &json!({}))).await?;

    let change = |path: &str, revision: i64, summary: &str| {
        Ask::json(Method::PATCH, path, &json!({ "revision": revision, "summary": summary }))
    };
    r.good((CHANGE, "summary"), &staff, change(&path, 1, "A door")).await?;
    r.turkish((CHANGE, "a Turkish summary"), &staff, change(&path, 2, "Işığa açılan kapı")).await?;
    r.bad((CHANGE, "an old revision"), &staff, change(&path, 1, "x")).await?;
    r.bad((CHANGE, "unknown draft"), &staff, change(&nowhere, 1, "x")).await?;

    let content = |revision: i64, title: &str, html: &str| {
        let lesson = json!({ "title": title, "body": { "kind": "html", "html": html } });
        let section = json!({ "title": title, "lessons": [lesson] });
        let body = json!({ "revision": revision, "modules": [{ "title": title, "sections": [section] }] });
        Ask::json(Method::PUT, format!("{path}/content"), &body)
    };
    r.good((CONTENT, "content"), &staff, content(3, "Door", "<p>Open</p>")).await?;
    r.turkish((CONTENT, "Turkish content"), &staff, content(4, "Kapı", "<p>Çağlayan ışık İĞÜŞÖÇ 🎓</p>"))
        .await?;
    r.bad((CONTENT, "an old revision"), &staff, content(1, "Door", "<p>x</p>")).await?;
    r.bad((CONTENT, "without a title"), &staff, content(5, "", "<p>x</p>")).await?;
    let publish = Ask::post(format!("{path}/publish"), &json!({}));
    r.send(Kind::Good, (PUBLISH, "for the first time"), &staff, &publish).await?;
    r.send(Kind::Good, (SHOW, "published"), &staff, &Ask::get(&path)).await?;
    r.good((PUBLISH, "publish"), &staff, publish).await?;
    versions(r, &path, &nowhere).await
}

/// The course at `path` has two at least, and its draft is at the fifth revision.
async fn versions(r: &mut Recorder<'_>, path: &str, nowhere: &str) -> anyhow::Result<()> {
    let staff = r.staff.clone();
    let list = format!("{path}/versions");
    r.good((VERSIONS, "versions"), &staff, Ask::get(&list)).await?;
    r.paged(VERSIONS, &staff, &list, "").await?;
    r.bad((VERSIONS, "unknown draft"), &staff, Ask::get(format!("{nowhere}/versions"))).await?;
    r.good((VERSION, "the first"), &staff, Ask::get(format!("{list}/1"))).await?;
    r.turkish((VERSION, "with Turkish content"), &staff, Ask::get(format!("{list}/2"))).await?;
    r.bad((VERSION, "not published yet"), &staff, Ask::get(format!("{list}/99"))).await?;
    r.bad((VERSION, "no number"), &staff, Ask::get(format!("{list}/x"))).await?;
    let restore = |version: i64, revision: i64| {
        Ask::post(format!("{list}/{version}/restore"), &json!({ "revision": revision }))
    };
    r.bad((RESTORE, "an old revision"), &staff, restore(1, 1)).await?;
    r.bad((RESTORE, "not published yet"), &staff, restore(99, 5)).await?;
    r.good((RESTORE, "the first"), &staff, restore(1, 5)).await?;
    Ok(())
}

async fn imports(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let staff = r.staff.clone();
    let import = |name: &str, bytes: u64| {
        Ask::post("/api/v1/authoring/imports", &json!({ "file_name": name, "bytes": bytes }))
    };
    let keyed = |key: &'static str, ask: Ask| ask.with(IDEMPOTENCY_KEY, HeaderValue::from_static(key));
    let made = r.good((IMPORTS, "import"), &staff, keyed("a", import("course.tar.gz", 100))).await?.json()?;
    r.send(Kind::Good, (IMPORTS, "replayed"), &staff, &keyed("a", import("course.tar.gz", 100))).await?;
    r.turkish((IMPORTS, "a Turkish name"), &staff, keyed("b", import("Işık dersi.tar.gz", 100))).await?;
    r.bad((IMPORTS, "without a key"), &staff, import("course.tar.gz", 100)).await?;
    r.bad((IMPORTS, "another body under the key"), &staff, keyed("a", import("course.tar.gz", 101))).await?;
    r.bad((IMPORTS, "of nothing"), &staff, keyed("c", import("course.tar.gz", 0))).await?;

    let start = |job: &str| Ask::post(format!("/api/v1/authoring/imports/{job}/start"), &json!({}));
    let job = |job: &str| Ask::get(format!("/api/v1/authoring/jobs/{job}"));
    let waiting = made.text("job")?;
    r.bad((START, "before the archive was sent"), &staff, start(&waiting)).await?;
    r.good((START, "start"), &staff, start(&IMPORT.to_string())).await?;
    r.bad((START, "unknown"), &staff, start(NOTHING)).await?;
    r.good((JOB, "queued"), &staff, job(&IMPORT.to_string())).await?;
    r.send(Kind::Good, (JOB, "waiting for its archive"), &staff, &job(&waiting)).await?;
    r.bad((JOB, "unknown"), &staff, job(NOTHING)).await?;
    r.bad((JOB, "no id"), &staff, job("1")).await?;
    Ok(())
}

async fn media(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let (staff, learner) = (r.staff.clone(), r.learner()?);
    let media = |path: &str| Ask::get(format!("/api/v1/media/{VIDEO_FILE}/{path}"));
    r.send(Kind::Good, (MEDIA, "the key of an encrypted video"), &staff, &media("hls/key")).await?;
    r.good((MEDIA, "the file itself"), &staff, media("film.mp4")).await?;
    r.turkish((MEDIA, "under a Turkish name"), &staff, media("Ders%20notu%20%C5%9F.mp4")).await?;
    r.bad((MEDIA, "of another path"), &staff, media("hls/master.m3u8")).await?;
    let video =
        |asset: &str, path: &str| Ask::get(format!("/api/v1/authoring/videos/{asset}/playback/{path}"));
    r.good((PREVIEW, "playlist"), &staff, video(&VIDEO_FILE.to_string(), "master.m3u8")).await?;
    r.bad((PREVIEW, "unknown"), &staff, video(NOTHING, "master.m3u8")).await?;
    r.bad((MEDIA, "not enrolled"), &learner, media("film.mp4")).await?;
    r.bad((MEDIA, "unknown"), &staff, Ask::get(format!("/api/v1/media/{NOTHING}/film.mp4"))).await?;
    Ok(())
}

async fn settings(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let storage = Ask::get("/api/v1/academy/storage");
    r.good((STORAGE, "what is used"), &r.staff.clone(), storage.clone()).await?;
    r.bad((STORAGE, "made-up token"), &r.umraniye.signed_in("abc"), storage).await?;
    let (staff, path) = (r.staff.clone(), "/api/v1/academy/video-settings");
    let set = |body: Value| Ask::json(Method::PUT, path, &body);
    r.good((VIDEOS, "before anybody has set them"), &staff, Ask::get(path)).await?;
    r.bad((VIDEOS, "made-up token"), &r.umraniye.signed_in("abc"), Ask::get(path)).await?;
    r.good((SET_VIDEOS, "encrypted"), &staff, set(json!({ "encrypted": true }))).await?;
    r.bad((SET_VIDEOS, "unknown field"), &staff, set(json!({ "encrypted": true, "x": 1 }))).await?;
    r.send(Kind::Good, (VIDEOS, "encrypted"), &staff, &Ask::get(path)).await?;
    Ok(())
}

async fn uploads(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let (staff, path) = (r.staff.clone(), "/api/v1/uploads");
    let ask = |key: &'static str, name: &str, bytes: u64| {
        let request = json!({ "file_name": name, "bytes": bytes, "kind": "document" });
        Ask::post(path, &request).with(IDEMPOTENCY_KEY, HeaderValue::from_static(key))
    };
    let made = r.good((UPLOADS, "document"), &staff, ask("u", "notes.pdf", 100)).await?.json()?;
    r.send(Kind::Good, (UPLOADS, "replayed"), &staff, &ask("u", "notes.pdf", 100)).await?;
    r.turkish((UPLOADS, "a Turkish name"), &staff, ask("v", "Işık notları.pdf", 100)).await?;
    r.bad((UPLOADS, "another body under the key"), &staff, ask("u", "notes.pdf", 101)).await?;
    r.bad((UPLOADS, "larger than documents are"), &staff, ask("w", "notes.pdf", 6 << 20)).await?;

    r.good((MINE, "on their way"), &staff, Ask::get(path)).await?;
    r.paged(MINE, &staff, path, "").await?;

    let of = |upload: &str, end: &str| format!("{path}/{upload}{end}");
    let parts = |upload: &str, number: u64, digit: &str| {
        let part = json!({ "number": number, "sha256": digit.repeat(64) });
        Ask::post(of(upload, "/parts"), &json!({ "parts": [part] }))
    };
    let complete = |upload: &str| Ask::post(of(upload, "/complete"), &json!({}));
    let (id, sent) = (made.text("id")?, UPLOADED.to_string());
    r.good((PARTS, "the only one"), &staff, parts(&id, 1, "a")).await?;
    r.bad((PARTS, "with another checksum"), &staff, parts(&id, 1, "b")).await?;
    r.bad((PARTS, "that is none"), &staff, parts(&id, 2, "a")).await?;
    r.bad((PARTS, "of nothing"), &staff, parts(NOTHING, 1, "a")).await?;
    r.good((UPLOAD, "on its way"), &staff, Ask::get(of(&id, ""))).await?;
    r.send(Kind::Good, (UPLOAD, "sent"), &staff, &Ask::get(of(&sent, ""))).await?;
    r.bad((UPLOAD, "unknown"), &staff, Ask::get(of(NOTHING, ""))).await?;
    r.good((COMPLETE, "sent"), &staff, complete(&sent)).await?;
    r.bad((COMPLETE, "without its part"), &staff, complete(&id)).await?;
    r.bad((COMPLETE, "unknown"), &staff, complete(NOTHING)).await?;
    let attach = |upload: &str| Ask::post(format!("{COURSES}/{COURSE}/assets"), &json!({ "upload": upload }));
    r.good((ATTACH, "a document"), &staff, attach(&sent)).await?;
    r.send(Kind::Good, (ATTACH, "again"), &staff, &attach(&sent)).await?;
    r.bad((ATTACH, "not complete"), &staff, attach(&id)).await?;
    r.bad((ATTACH, "unknown"), &staff, attach(NOTHING)).await?;
    let remove = |upload: &str| Ask::new(Method::DELETE, of(upload, ""));
    r.bad((REMOVE, "unknown"), &staff, remove(NOTHING)).await?;
    r.bad((REMOVE, "a file of a course"), &staff, remove(&sent)).await?;
    r.good((REMOVE, "on its way"), &staff, remove(&id)).await?;
    Ok(())
}
