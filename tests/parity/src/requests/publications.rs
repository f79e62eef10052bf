//! Two courses as the Lambda plane publishes them.

use akademi_domain::ids::TenantId;
use akademi_feed::{Batch, Envelope};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use miniz_oxide::deflate::compress_to_vec;
use serde_json::{Value, json};

use super::{BOUND, COURSE, FILM, LIVE, OTHER_COURSE, QUIZ, TEXT, VIDEO};
use crate::{recorder::SOURCE, seed::media::VIDEO_FILE};

const MASTER_PLAYLIST: &str = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n720p/index.m3u8\n";
const MEDIA_PLAYLIST: &str = "#EXTM3U\n#EXT-X-MAP:URI=\"init.mp4\"\n#EXT-X-KEY:METHOD=AES-128,URI=\"../key\"\n\
                              #EXTINF:6.0,\nsegment-00000.m4s\n#EXTINF:6.0,\nsegment-00001.m4s\n#EXT-X-ENDLIST\n";
const THUMBNAILS: &str = "WEBVTT\n\n00:00.000 --> 00:02.000\nthumbnails/sheet-000.jpg#xywh=0,0,160,90\n";

pub fn publications(tenant: TenantId) -> Batch {
    let html = |text: &str| json!({ "kind": "html", "html": text });
    let lesson = |lesson: &str,
                  title: &str,
                  duration: Value,
                  requirement: Value,
                  body: Value,
                  answers: Value,
                  words: &str| {
        (
            "lesson_published",
            json!({ "course": COURSE, "version": 1, "lesson": lesson, "title": title,
            "duration_seconds": duration, "requirement": requirement, "body": body, "answers": answers, "words": words }),
        )
    };
    let outline_lesson = |id: &str, title: &str, kind: &str, duration: Value, requirement: Value| json!({ "id": id, "title": title, "kind": kind, "duration_seconds": duration, "requirement": requirement });
    let opened = json!({ "rule": "opened" });
    let coverage = json!({ "rule": "coverage", "percent": 90 });
    let half = json!({ "rule": "score", "percent": 50 });
    let quiz = json!({ "kind": "quiz", "quiz": { "introduction": "", "questions": [{ "id": "q1",
        "prompt": "<p>Kaç renk?</p>", "points": 1, "form": { "kind": "single_choice",
        "choices": [{ "id": "a", "label": "üç" }, { "id": "b", "label": "yedi" }] } }] } });
    let answers = json!({ "explanation": "<p>Yedi.</p>", "questions": [{ "question": "q1", "points": 1,
        "rule": { "kind": "one_of", "correct": ["b"] } }] });
    let video = json!({ "kind": "video", "source": { "from": "youtube", "id": "aqz-KE-bpKQ" },
        "start_seconds": null, "end_seconds": null, "subtitles": [] });
    let film = |delivery_bound: bool| {
        json!({ "kind": "video", "source": { "from": "asset", "asset": VIDEO_FILE },
        "start_seconds": null, "end_seconds": null, "subtitles": [], "delivery_bound": delivery_bound })
    };
    let playlist = |path: &str, text: &str| {
        let deflated = STANDARD.encode(compress_to_vec(text.as_bytes(), 6));
        (
            "playlist_made",
            json!({ "asset": VIDEO_FILE, "folder": "film/1", "path": path, "deflated": deflated }),
        )
    };
    let live = json!({ "kind": "live", "description": "<p>Sorularınızı getirin.</p>",
        "starts_at": "2026-12-01T16:00:00Z", "duration_minutes": 90, "seats": null });
    let section = json!({ "id": "01890000-0000-7000-8000-0000000000d1", "title": "Giriş", "lessons": [
        outline_lesson(VIDEO, "Işık", "video", json!(60), coverage.clone()),
        outline_lesson(TEXT, "Renkler", "html", Value::Null, opened.clone()),
        outline_lesson(QUIZ, "Sınav", "quiz", Value::Null, half.clone()),
        outline_lesson(LIVE, "Buluşma", "live", Value::Null, Value::Null),
    ] });
    let module =
        json!({ "id": "01890000-0000-7000-8000-0000000000e1", "title": "Işık", "sections": [section] });
    let published = |course: &str, slug: &str, title: &str, modules: Value, at: &str| {
        (
            "course_published",
            json!({ "version": 1, "summary": "Güneşten gözümüze", "at": at,
            "outline": { "id": course, "slug": slug, "title": title, "language": "tr", "modules": modules } }),
        )
    };
    let events = [
        lesson(VIDEO, "Işık", json!(60), coverage, video, Value::Null, ""),
        lesson(
            TEXT,
            "Renkler",
            Value::Null,
            opened,
            html("<p>Beyaz ışık bir prizmadan geçer.</p>"),
            Value::Null,
            "Beyaz ışık bir prizmadan geçer.",
        ),
        lesson(QUIZ, "Sınav", Value::Null, half, quiz, answers, "Kaç renk?"),
        lesson(FILM, "Film", Value::Null, Value::Null, film(false), Value::Null, ""),
        lesson(BOUND, "Film", Value::Null, Value::Null, film(true), Value::Null, ""),
        lesson(LIVE, "Buluşma", Value::Null, Value::Null, live, Value::Null, "Sorularınızı getirin."),
        published(COURSE, "isigin-yolculugu", "Işığın Yolculuğu", json!([module]), "2026-11-20T10:00:00Z"),
        published(OTHER_COURSE, "bos-ders", "Boş Ders", json!([]), "2026-11-20T11:00:00Z"),
        playlist("master.m3u8", MASTER_PLAYLIST),
        playlist("720p/index.m3u8", MEDIA_PLAYLIST),
        playlist("thumbnails.vtt", THUMBNAILS),
        (
            "video_ready",
            json!({ "asset": VIDEO_FILE, "course": COURSE, "folder": "film/1", "duration_ms": 12_000, "poster": "poster.jpg" }),
        ),
        ("something_new", json!({ "what": "an event of a later build" })),
    ];
    let envelope = |(index, (kind, payload)): (usize, (&str, Value))| Envelope {
        number: i64::try_from(index).unwrap_or(0) + 1,
        tenant,
        kind: kind.to_owned(),
        version: 1,
        payload: payload.to_string(),
    };
    let events: Vec<_> = events.into_iter().enumerate().map(envelope).collect();
    let to = i64::try_from(events.len()).unwrap_or(0);
    Batch { source: SOURCE.into(), from: 0, to, events }
}
