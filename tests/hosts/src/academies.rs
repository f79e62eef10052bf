//! Two academies that share every id and every address, so that an answer kept under any of them is the other's too.

use akademi_api::signed::{CALL_HEADER, CallContext, PlaneKeys, Purpose};
use akademi_domain::{ids::TenantId, time::Timestamp};
use akademi_edge_store::{
    Statement,
    operations::{NewAcademy, create_academy},
};
use akademi_feed::{Batch, Envelope};
use akademi_local::{
    api_client::{Answer, ApiClient},
    secrets::{Variables, generate},
};
use anyhow::Context;
use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, Uri, header};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicI64, Ordering};

use crate::{
    engine::{RunningEdge, silent_ports},
    insistent::Insistent,
};

/// The course that learners are enrolled in.
pub const COURSE: &str = "01890000-0000-7000-8000-0000000000c1";
pub const SLUG: &str = "ortak-ders";
/// A course that nobody has, for sale.
pub const COURSE_FOR_SALE: &str = "01890000-0000-7000-8000-0000000000c2";
pub const VIDEO: &str = "01890000-0000-7000-8000-0000000000a1";
pub const TEXT: &str = "01890000-0000-7000-8000-0000000000a2";
/// A word that both academies' lessons hold.
pub const COMMON_WORD: &str = "ortak";

/// What tells an academy from the other: `mark` stands in all its texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Academy {
    pub id: TenantId,
    pub mark: &'static str,
    pub host: &'static str,
    /// What the course for sale costs, in kuruş.
    pub price: i64,
}

/// A deployment of both.
pub struct Academies {
    pub variables: Variables,
    pub both: [Academy; 2],
    now: Timestamp,
    /// The last number of the Lambda plane's feed that has been brought.
    told: AtomicI64,
}

const SOURCE: &str = "lambda:hosts";

impl Academies {
    /// `lambda_url` is where the edge looks for the Lambda plane.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn new(lambda_url: &str) -> anyhow::Result<Self> {
        let mut variables = generate()?;
        variables.insert("lambda_url".into(), lambda_url.into());
        variables.insert("dns_url".into(), "http://127.0.0.1:9".into());
        variables.insert("media_url".into(), "http://127.0.0.1:9".into());
        variables
            .insert("media_signing_keys".into(), "k1:BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc".into());
        let now = silent_ports().now();
        let academy =
            |number, mark, host, price| Academy { id: TenantId::new(now, [number; 10]), mark, host, price };
        let both = [
            academy(1, "umrmark", "umraniye.localhost", 11_111),
            academy(2, "kdkmark", "kadikoy.localhost", 22_222),
        ];
        Ok(Self { variables, both, now, told: AtomicI64::new(0) })
    }

    /// What makes a new edge store theirs.
    pub fn statements(&self) -> Vec<Statement> {
        let academies = self.both.iter().flat_map(|academy| {
            let name = format!("Akademi {}", academy.mark);
            let hosts = [academy.host];
            let new = NewAcademy {
                id: academy.id,
                slug: academy.mark,
                name: &name,
                locale: "tr",
                brand_colour: "#0b6e4f",
                hosts: &hosts,
            };
            create_academy(&new, self.now)
        });
        academies.collect()
    }

    /// Brings both academies' courses and the price as `sync` does.
    ///
    /// # Errors
    /// When the edge does not take them.
    pub async fn publish(&self, edge: &RunningEdge) -> anyhow::Result<()> {
        self.tell(edge, self.both.iter().flat_map(|academy| publication(academy)).collect()).await
    }

    /// Brings these events of the Lambda plane: academy, kind, payload.
    ///
    /// # Errors
    /// When the edge does not take them.
    pub async fn tell(
        &self,
        edge: &RunningEdge,
        events: Vec<(TenantId, &'static str, Value)>,
    ) -> anyhow::Result<()> {
        let from = self.told.load(Ordering::Relaxed);
        let envelopes = (from + 1..).zip(events).map(|(number, (tenant, kind, payload))| Envelope {
            number,
            tenant,
            kind: kind.to_owned(),
            version: 1,
            payload: payload.to_string(),
        });
        let events: Vec<_> = envelopes.collect();
        let to = events.last().map_or(from, |event| event.number);
        let batch = serde_json::to_string(&Batch { source: SOURCE.into(), from, to, events })?;
        self.call(edge, "/internal/feed", batch).await?.expect(StatusCode::OK)?;
        self.told.store(to, Ordering::Relaxed);
        Ok(())
    }

    /// A signed call as `sync` makes it.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn call(&self, edge: &RunningEdge, target: &str, body: String) -> anyhow::Result<Answer> {
        let roots = self.variables.get("plane_root_keys").context("no keys")?;
        let uri: Uri = target.parse()?;
        let context = CallContext { request_id: "hosts".into(), ..CallContext::default() };
        let signature = PlaneKeys::from_config(roots)?
            .sign(Purpose::Feed, &Method::POST, &uri, body.as_bytes(), &context, silent_ports().now())
            .context("the call cannot be signed")?;
        let headers =
            [(CALL_HEADER, signature), (header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
        self.client(edge, 0).send(Method::POST, target, &headers, Bytes::from(body)).await
    }

    /// The first or the second academy's API.
    pub fn client(&self, edge: &RunningEdge, academy: usize) -> ApiClient {
        let host = self.both.get(academy).map_or("nobody.localhost", |academy| academy.host);
        ApiClient::new(Insistent::new(), edge.base(host))
    }
}

/// An academy's course with a video and a text, and one that has only a price.
fn publication(academy: &Academy) -> Vec<(TenantId, &'static str, Value)> {
    let mark = academy.mark;
    let opened = json!({ "rule": "opened" });
    let coverage = json!({ "rule": "coverage", "percent": 90 });
    let lesson = |id: &str,
                  title: String,
                  duration: Value,
                  requirement: &Value,
                  body: Value,
                  words: String| {
        json!({ "course": COURSE, "version": 1, "lesson": id, "title": title, "duration_seconds": duration,
                "requirement": requirement, "body": body, "answers": null, "words": words })
    };
    let video = json!({ "kind": "video", "source": { "from": "youtube", "id": "aqz-KE-bpKQ" },
                        "start_seconds": null, "end_seconds": null, "subtitles": [] });
    let text = json!({ "kind": "html", "html": format!("<p>{COMMON_WORD} {mark} metni</p>") });
    let (video_title, text_title) = (format!("Film {mark}"), format!("Metin {mark}"));
    let outline_lesson = |id: &str, title: &str, kind: &str, duration: Value, requirement: &Value| json!({ "id": id, "title": title, "kind": kind, "duration_seconds": duration, "requirement": requirement });
    let section = json!({ "id": "01890000-0000-7000-8000-0000000000d1", "title": format!("Giriş {mark}"),
        "lessons": [
            outline_lesson(VIDEO, &video_title, "video", json!(600), &coverage),
            outline_lesson(TEXT, &text_title, "html", Value::Null, &opened),
        ] });
    let module = json!({ "id": "01890000-0000-7000-8000-0000000000e1", "title": format!("Bölüm {mark}"),
                         "sections": [section] });
    let outline = json!({ "id": COURSE, "slug": SLUG, "title": format!("Ders {mark}"), "language": "tr",
                          "modules": [module] });
    let words = format!("{COMMON_WORD} {mark} metni");
    let events = [
        ("lesson_published", lesson(VIDEO, video_title.clone(), json!(600), &coverage, video, String::new())),
        ("lesson_published", lesson(TEXT, text_title.clone(), Value::Null, &opened, text, words)),
        (
            "course_published",
            // Long enough to be compressed.
            json!({ "version": 1, "summary": format!("{mark} ").repeat(200), "at": "2026-11-20T10:00:00Z",
                    "outline": outline }),
        ),
        (
            "course_published",
            json!({ "version": 1, "summary": mark, "at": "2026-11-20T11:00:00Z", "outline": {
                "id": COURSE_FOR_SALE, "slug": "satilik-ders", "title": format!("Satılık {mark}"), "language": "tr",
                "modules": [] } }),
        ),
        (
            "price_set",
            json!({ "course": COURSE_FOR_SALE, "price": { "amount": academy.price, "currency": "TRY" },
                    "vat_rate": 2000, "at": "2026-11-20T10:00:00Z" }),
        ),
    ];
    events.into_iter().map(|(kind, payload)| (academy.id, kind, payload)).collect()
}
