//! Two academies; in the first a course with a film, one that is delivery-bound, one at YouTube, a text and a film that
//! opens later. Its store counts what is read.

use akademi_api::{
    caller::Caller,
    config::Config,
    signed::{CALL_HEADER, CallContext, PlaneKeys, Purpose},
    token::TokenSigner,
};
use akademi_domain::{
    course::{CourseOutline, Html, LessonBody, VideoSource, opening::Opening},
    ids::{AssetId, CourseId, EnrolmentId, LessonId, OrderId, SessionId, TenantId, UserId},
    permission::{Permissions, Role},
    time::Timestamp,
};
use akademi_edge_world::{Store, Watched};
use akademi_feed::{Batch, Envelope, LambdaEvent};
use akademi_feed_function::Feed;
use akademi_playback::{Playback, signed_policy::PolicyVerifier};
use akademi_process::secrets::{Variables, generate};
use axum::{Router, body::Body};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures::executor::block_on;
use http::{HeaderMap, Method, Request, StatusCode, Uri, header};
use http_body_util::BodyExt;
use miniz_oxide::deflate::compress_to_vec;
use serde_json::Value;
use std::sync::Arc;
use tower::ServiceExt;

pub const MADE: Timestamp = Timestamp::from_millis(1_790_000_000_000);
pub const MEDIA: &str = "https://media.example.com";
/// What the gate asks of each request.
const GATE: usize = 1;

pub const FILM: u8 = 1;
pub const BOUND: u8 = 2;
pub const YOUTUBE: u8 = 3;
pub const TEXT: u8 = 4;
pub const LATER: u8 = 5;

pub const MASTER: &str = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n720p/index.m3u8\n";
pub const PLAYLIST: &str = "#EXTM3U\n#EXT-X-MAP:URI=\"init.mp4\"\n#EXT-X-KEY:METHOD=AES-128,URI=\"../key\"\n\
                            #EXTINF:6.500000,\nsegment-00000.m4s\n#EXTINF:6.000000,\n../1-1/720p/segment-00001.m4s\n\
                            #EXT-X-ENDLIST\n";
const SOUND: &str =
    "#EXTM3U\n#EXT-X-MAP:URI=\"init.mp4\"\n#EXTINF:6.000000,\nsegment-00000.m4s\n#EXT-X-ENDLIST\n";
const PICTURES: &str = "WEBVTT\n\n00:00.000 --> 00:02.000\nthumbnails/sheet-000.jpg#xywh=0,0,160,90\n";

/// Who asks, from which device.
#[derive(Debug, Clone, Copy)]
pub struct Person {
    pub academy: u8,
    pub number: u8,
    pub device: u8,
    pub permissions: Permissions,
}

pub fn learner(number: u8) -> Person {
    Person { academy: 1, number, device: number, permissions: Role::Student.permissions() }
}

pub fn instructor(academy: u8) -> Person {
    Person { academy, number: 9, device: 9, permissions: Role::Instructor.permissions() }
}

impl Person {
    pub fn session(self) -> SessionId {
        SessionId::new(MADE, [self.device; 10])
    }
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
    /// Statements that were read by, beside the gate's.
    pub queries: usize,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// The slug of a problem.
    pub fn problem(&self) -> String {
        let kind = self.json()["type"].as_str().unwrap_or_default().to_owned();
        kind.rsplit('/').next().unwrap_or_default().to_owned()
    }
}

pub struct World {
    store: Store,
    watched: Arc<Watched>,
    feed: Router,
    playback: Router,
    variables: Variables,
    applied: i64,
}

pub fn tenant(academy: u8) -> TenantId {
    TenantId::new(MADE, [academy; 10])
}

pub fn course() -> CourseId {
    CourseId::new(MADE, [1; 10])
}

pub fn lesson(number: u8) -> LessonId {
    LessonId::new(MADE, [number; 10])
}

pub fn film() -> AssetId {
    AssetId::new(MADE, [1; 10])
}

pub fn folder(attempt: u8) -> String {
    format!("tenants/{}/media/{}/{attempt}", tenant(1), film())
}

impl World {
    pub fn new() -> Self {
        let store = Store::new(MADE, &[(tenant(1), "one.localhost"), (tenant(2), "two.localhost")]);
        let (edge, watched) = store.watched();
        let mut variables = generate().unwrap();
        variables.insert("media_url".into(), MEDIA.into());
        let key = "K2JCJMDEHXQW5F:BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc";
        variables.insert("media_signing_keys".into(), key.into());
        let lookup = |name: &str| variables.get(name).cloned();
        let config = Config::new(&lookup);
        let feed = akademi_feed_function::router(Feed::from_config(edge.clone(), &config).unwrap());
        let playback = akademi_playback::router(Playback::from_config(edge, &config).unwrap());
        let mut world = Self { store, watched, feed, playback, variables, applied: 0 };
        world.publish();
        for number in [1, 2] {
            world.apply(&LambdaEvent::EnrolmentGranted {
                person: person(number),
                course: course(),
                enrolment: EnrolmentId::new(MADE, [number; 10]),
                order: OrderId::new(MADE, [number; 10]),
                at: MADE,
            });
        }
        world
    }

    fn publish(&mut self) {
        let video = |source, delivery_bound| LessonBody::Video {
            source,
            start_seconds: None,
            end_seconds: None,
            subtitles: Vec::new(),
            delivery_bound,
        };
        let own = VideoSource::Asset { asset: film() };
        let youtube = LessonBody::Video {
            source: VideoSource::Youtube { id: "aaaaaaaaaaa".parse().unwrap() },
            start_seconds: Some(5),
            end_seconds: Some(65),
            subtitles: Vec::new(),
            delivery_bound: false,
        };
        let text = LessonBody::Html { html: Html::sanitised("<p>Işık</p>".into()) };
        let tomorrow = Opening { days: Some(1), ..Opening::default() };
        for (number, body, opens) in [
            (FILM, video(own.clone(), false), None),
            (BOUND, video(own.clone(), true), None),
            (YOUTUBE, youtube, None),
            (TEXT, text, None),
            (LATER, video(own, false), Some(tomorrow)),
        ] {
            self.apply(&LambdaEvent::LessonPublished {
                course: course(),
                version: 1,
                lesson: lesson(number),
                title: "Işık".into(),
                duration_seconds: None,
                requirement: None,
                opens,
                body,
                answers: None,
                words: String::new(),
            });
        }
        let outline = CourseOutline {
            id: course(),
            slug: "isik".parse().unwrap(),
            title: "Işık".parse().unwrap(),
            language: None,
            minimum_score: None,
            pictures: Default::default(),
            modules: Vec::new(),
        };
        let summary = String::new();
        self.apply(&LambdaEvent::CoursePublished { version: 1, summary, outline, owner: None, at: MADE });
    }

    /// What the transcoder tells of the film.
    pub fn transcoded(&mut self, attempt: u8) {
        for (path, text) in [
            ("master.m3u8", MASTER),
            ("720p/index.m3u8", PLAYLIST),
            ("audio/index.m3u8", SOUND),
            ("thumbnails.vtt", PICTURES),
        ] {
            self.apply(&LambdaEvent::PlaylistMade {
                asset: film(),
                folder: folder(attempt),
                path: path.into(),
                deflated: STANDARD.encode(compress_to_vec(text.as_bytes(), 6)),
            });
        }
        self.apply(&LambdaEvent::VideoReady {
            asset: film(),
            course: course(),
            folder: folder(attempt),
            duration_ms: 12_500,
            poster: Some("poster.jpg".into()),
        });
    }

    /// One event of the other plane.
    fn apply(&mut self, event: &LambdaEvent) {
        let record = event.record();
        let number = self.applied + 1;
        let (kind, version) = (record.kind.into(), record.version);
        let envelope = Envelope { number, tenant: tenant(1), kind, version, payload: record.payload };
        let batch =
            Batch { source: "lambda:1".into(), from: self.applied, to: number, events: vec![envelope] };
        let body = serde_json::to_vec(&batch).unwrap();
        let target = Uri::from_static("/internal/feed");
        let keys = PlaneKeys::from_config(&self.variables["plane_root_keys"]).unwrap();
        let (call, now) = (CallContext::default(), self.now());
        let signature = keys.sign(Purpose::Feed, &Method::POST, &target, &body, &call, now).unwrap();
        let request = Request::post(target)
            .header(header::CONTENT_TYPE, "application/json")
            .header(CALL_HEADER, signature)
            .body(Body::from(body))
            .unwrap();
        assert_eq!(block_on(self.feed.clone().oneshot(request)).unwrap().status(), StatusCode::OK);
        self.applied = number;
    }

    pub fn pass(&self, seconds: i64) {
        self.store.wait(seconds);
    }

    pub fn now(&self) -> Timestamp {
        self.store.now()
    }

    /// One number of the store.
    pub fn count(&self, sql: &'static str) -> i64 {
        self.store.count(sql)
    }

    pub fn get(&self, who: Person, path: &str) -> Answer {
        let signer = TokenSigner::from_config(&self.variables["token_signing_keys"]).unwrap();
        let caller = Caller {
            tenant: tenant(who.academy),
            user: person(who.number),
            session: who.session(),
            permissions: who.permissions,
        };
        let token = signer.sign(&caller, self.now(), [who.number; 16]).unwrap();
        let host = if who.academy == 1 { "one.localhost" } else { "two.localhost" };
        let request = Request::get(path)
            .header(header::HOST, host)
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .body(Body::empty())
            .unwrap();
        self.watched.take();
        block_on(async {
            let response = self.playback.clone().oneshot(request).await.unwrap();
            let (status, headers) = (response.status(), response.headers().clone());
            let body = response.into_body().collect().await.unwrap().to_bytes();
            let text = String::from_utf8(body.to_vec()).unwrap();
            let queries = self.watched.take().0.len() - GATE;
            Answer { status, headers, text, queries }
        })
    }

    /// The path that a link opens now, if it opens one.
    pub fn opened(&self, link: &str) -> Option<String> {
        let keys = &self.variables["media_signing_keys"];
        let verifier = PolicyVerifier::from_config(MEDIA, keys).unwrap();
        let (key, query) = link.strip_prefix(MEDIA)?.strip_prefix('/')?.split_once('?')?;
        verifier.verify(key, query, self.now()).ok().map(|_| key.to_owned())
    }
}

fn person(number: u8) -> UserId {
    UserId::new(MADE, [number; 10])
}

/// Where a lesson's video plays.
pub fn playback(number: u8) -> String {
    format!("/api/v1/learning/courses/{}/lessons/{}/playback", course(), lesson(number))
}
