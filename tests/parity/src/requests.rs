//! The list.

mod certificates;

use akademi_api::{
    ports::HttpClient,
    signed::{CALL_HEADER, CallContext, Purpose},
};
use akademi_domain::{ids::TenantId, time::Timestamp};
use akademi_feed::{Batch, Envelope};
use akademi_local::api_client::{Answer, ApiClient, JsonExt};
use anyhow::Context;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Uri, header};
use serde_json::{Value, json};
use std::sync::Arc;

use crate::{Deployment, Exchange};

const COURSE: &str = "01890000-0000-7000-8000-0000000000c1";
const OTHER_COURSE: &str = "01890000-0000-7000-8000-0000000000c2";
const VIDEO: &str = "01890000-0000-7000-8000-0000000000a1";
const TEXT: &str = "01890000-0000-7000-8000-0000000000a2";
const QUIZ: &str = "01890000-0000-7000-8000-0000000000a3";
const PLAYBACK: &str = "01890000-0000-7000-8000-0000000000b1";
const PASSWORD: &str = "uzun bir parola";

/// Sends requests and keeps what came back.
struct Recorder<'a> {
    deployment: &'a Deployment,
    academy: ApiClient,
    exchanges: Vec<Exchange>,
    now: &'a dyn Fn() -> Timestamp,
}

impl Recorder<'_> {
    async fn send(
        &mut self,
        name: &str,
        client: &ApiClient,
        method: Method,
        path: &str,
        headers: &[(HeaderName, &str)],
        body: impl Into<Bytes>,
    ) -> anyhow::Result<Answer> {
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| Ok((name.clone(), HeaderValue::from_str(value)?)))
            .collect::<anyhow::Result<_>>()?;
        let answer = client.send(method, path, &headers, body.into()).await?;
        self.exchanges.push(Exchange::new(name, &answer));
        Ok(answer)
    }

    async fn get(&mut self, name: &str, client: &ApiClient, path: &str) -> anyhow::Result<Answer> {
        self.send(name, client, Method::GET, path, &[], "").await
    }

    async fn post(
        &mut self,
        name: &str,
        client: &ApiClient,
        path: &str,
        json: &Value,
    ) -> anyhow::Result<Answer> {
        let kind = [(header::CONTENT_TYPE, "application/json")];
        self.send(name, client, Method::POST, path, &kind, json.to_string()).await
    }

    /// A signed call as `sync` makes it.
    async fn call(
        &mut self,
        name: &str,
        method: Method,
        target: &str,
        body: String,
    ) -> anyhow::Result<Answer> {
        let uri: Uri = target.parse()?;
        let context = CallContext { request_id: "parity".into(), ..CallContext::default() };
        let keys = self.deployment.plane_keys()?;
        let signature = keys.sign(Purpose::Feed, &method, &uri, body.as_bytes(), &context, (self.now)());
        let signature =
            signature.map(|value| value.to_str().map(str::to_owned)).transpose()?.unwrap_or_default();
        let headers = [(CALL_HEADER, signature.as_str()), (header::CONTENT_TYPE, "application/json")];
        let client = self.academy.clone();
        self.send(name, &client, method, target, &headers, body).await
    }
}

/// Sends the whole list to the host at `base`'s port; `academy_base` gives an academy's own address.
///
/// # Errors
/// When the host gives no answer, or one that the list cannot go on from.
pub async fn run(
    deployment: &Deployment,
    http: Arc<dyn HttpClient>,
    academy_base: impl Fn(&str) -> String,
    now: &dyn Fn() -> Timestamp,
) -> anyhow::Result<Vec<Exchange>> {
    let client = |host: &str| ApiClient::new(http.clone(), academy_base(host));
    let umraniye = client("umraniye.localhost");
    let mut recorder = Recorder { deployment, academy: umraniye.clone(), exchanges: Vec::new(), now };
    let sent =
        send_all(&mut recorder, &umraniye, &client("kadikoy.localhost"), &client("nobody.localhost")).await;
    sent.with_context(|| format!("after {:?}", recorder.exchanges.last()))?;
    Ok(recorder.exchanges)
}

async fn send_all(
    recorder: &mut Recorder<'_>,
    umraniye: &ApiClient,
    kadikoy: &ApiClient,
    nobody: &ApiClient,
) -> anyhow::Result<()> {
    doors(recorder, umraniye, nobody).await?;
    feed(recorder).await?;
    catalog(recorder, umraniye, kadikoy).await?;
    let learner = identity(recorder, umraniye, kadikoy).await?;
    let staff = umraniye.signed_in(recorder.deployment.staff_token((recorder.now)())?);
    learning(recorder, &learner, &staff).await?;
    certificates::certificates(recorder, &learner, kadikoy).await?;
    lambda(recorder, &learner, &staff).await?;
    sign_out(recorder, &learner).await
}

/// Hosts, methods and addresses that are known or not.
async fn doors(r: &mut Recorder<'_>, umraniye: &ApiClient, nobody: &ApiClient) -> anyhow::Result<()> {
    r.get("live", nobody, "/health/live").await?;
    r.get("ready", nobody, "/health/ready").await?;
    r.get("unknown host", nobody, "/api/v1/academy").await?;
    let face = r.get("academy", umraniye, "/api/v1/academy").await?;
    let etag =
        face.headers.get(header::ETAG).and_then(|tag| tag.to_str().ok()).unwrap_or_default().to_owned();
    let fresh = [(header::IF_NONE_MATCH, etag.as_str())];
    r.send("academy, unchanged", umraniye, Method::GET, "/api/v1/academy", &fresh, "").await?;
    r.send("HEAD", umraniye, Method::HEAD, "/api/v1/academy", &[], "").await?;
    r.send("OPTIONS", umraniye, Method::OPTIONS, "/api/v1/academy", &[], "").await?;
    r.send("unknown method", umraniye, Method::DELETE, "/api/v1/academy", &[], "").await?;
    r.get("unknown address", umraniye, "/api/v1/nothing").await?;
    r.get("no address at all", umraniye, "/").await?;
    r.get("key set", umraniye, "/.well-known/jwks.json").await?;
    r.exchanges.pop(); // Each deployment has keys of its own; that it answers is enough.
    r.get("document", umraniye, "/api/openapi.json").await?;
    r.get("document to read", umraniye, "/api/docs").await?;
    Ok(())
}

/// The Lambda plane's events come in, and this database's go out.
async fn feed(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let tenant = r.deployment.umraniye;
    let batch = serde_json::to_string(&publications(tenant))?;
    let academy = r.academy.clone();
    let json = [(header::CONTENT_TYPE, "application/json")];
    r.send("feed, unsigned", &academy, Method::POST, "/internal/feed", &json, batch.clone()).await?;
    r.call("feed in", Method::POST, "/internal/feed", batch.clone()).await?;
    r.call("feed in again", Method::POST, "/internal/feed", batch).await?;
    let mut gap = publications(tenant);
    gap.from += 20;
    gap.to += 20;
    gap.events.iter_mut().for_each(|event| event.number += 20);
    r.call("feed in with a gap", Method::POST, "/internal/feed", serde_json::to_string(&gap)?).await?;
    r.call("feed out", Method::GET, "/internal/feed?after=0&source=lambda:parity", String::new()).await?;
    r.call("feed out beyond its end", Method::GET, "/internal/feed?after=999", String::new()).await?;
    Ok(())
}

async fn catalog(r: &mut Recorder<'_>, umraniye: &ApiClient, kadikoy: &ApiClient) -> anyhow::Result<()> {
    let courses = "/api/v1/catalog/courses";
    r.get("courses", umraniye, courses).await?;
    let first = r.get("first page", umraniye, &format!("{courses}?limit=1")).await?.json()?;
    let cursor = first.text("next_cursor")?;
    r.get("second page", umraniye, &format!("{courses}?limit=1&cursor={cursor}")).await?;
    r.get("limit of nothing", umraniye, &format!("{courses}?limit=0")).await?;
    r.get("unknown parameter", umraniye, &format!("{courses}?page=2")).await?;
    r.get("made-up cursor", umraniye, &format!("{courses}?cursor=abc")).await?;
    r.get("no courses", kadikoy, courses).await?;
    let page = r.get("course", umraniye, &format!("{courses}/isigin-yolculugu")).await?;
    let etag =
        page.headers.get(header::ETAG).and_then(|tag| tag.to_str().ok()).unwrap_or_default().to_owned();
    let fresh = [(header::IF_NONE_MATCH, etag.as_str())];
    let path = format!("{courses}/isigin-yolculugu");
    r.send("course, unchanged", umraniye, Method::GET, &path, &fresh, "").await?;
    r.get("percent-encoded address", umraniye, &format!("{courses}/%69sigin-yolculugu")).await?;
    r.get("another academy's course", kadikoy, &format!("{courses}/isigin-yolculugu")).await?;
    r.get("unknown course", umraniye, &format!("{courses}/yok")).await?;
    for (name, query) in [
        ("search in capitals", "I%C5%9EI%C4%9EIN"),
        ("search without diacritics", "isigin"),
        ("search in a lesson", "prizma"),
        ("search by a beginning", "priz"),
        ("search for nothing known", "zeplin"),
        ("search for signs", "%22*%27"),
        ("search for no word", ""),
    ] {
        r.get(name, umraniye, &format!("/api/v1/catalog/search?q={query}")).await?;
    }
    r.get("search elsewhere", kadikoy, "/api/v1/catalog/search?q=prizma").await?;
    Ok(())
}

/// Registration, sign-in and their refusals; the learner who goes on.
async fn identity(
    r: &mut Recorder<'_>,
    umraniye: &ApiClient,
    kadikoy: &ApiClient,
) -> anyhow::Result<ApiClient> {
    let register = "/api/v1/auth/register";
    let person =
        json!({ "name": "Şükrü Iğdır Çağlayangöl 🎓", "email": "Sukru@Example.org", "password": PASSWORD });
    r.post("register", umraniye, register, &person).await?;
    r.post("register again", umraniye, register, &person).await?;
    for (name, body) in [
        ("unknown field", json!({ "name": "A", "email": "a@b.co", "password": PASSWORD, "role": "admin" })),
        ("missing field", json!({ "name": "A", "email": "a@b.co" })),
        ("wrong type", json!({ "name": 7, "email": "a@b.co", "password": PASSWORD })),
        ("no address", json!({ "name": "A", "email": "a.b.co", "password": PASSWORD })),
        ("short password", json!({ "name": "A", "email": "a@b.co", "password": "kisa" })),
        ("long name", json!({ "name": "A".repeat(201), "email": "a@b.co", "password": PASSWORD })),
    ] {
        r.post(name, umraniye, register, &body).await?;
    }
    let json = [(header::CONTENT_TYPE, "application/json")];
    r.send("malformed JSON", umraniye, Method::POST, register, &json, "{\"name\":").await?;
    r.send("no UTF-8", umraniye, Method::POST, register, &json, &b"{\"name\":\"\xff\"}"[..]).await?;
    r.send("empty body", umraniye, Method::POST, register, &json, "").await?;
    let form = [(header::CONTENT_TYPE, "application/x-www-form-urlencoded")];
    r.send("wrong media type", umraniye, Method::POST, register, &form, "name=A").await?;
    r.send("1 MB body", umraniye, Method::POST, register, &json, vec![b' '; 1 << 20]).await?;

    let login = "/api/v1/auth/login";
    let right = json!({ "email": "sukru@example.org", "password": PASSWORD });
    r.post(
        "wrong password",
        umraniye,
        login,
        &json!({ "email": "sukru@example.org", "password": "baska parola" }),
    )
    .await?;
    r.post(
        "unknown address",
        umraniye,
        login,
        &json!({ "email": "kimse@example.org", "password": PASSWORD }),
    )
    .await?;
    r.post("another academy", kadikoy, login, &right).await?;
    let tokens = r.post("sign in", umraniye, login, &right).await?.json()?;
    let learner = umraniye.signed_in(tokens.text("access_token")?);
    let me = "/api/v1/users/me";
    r.get("me", &learner, me).await?;
    r.get("me, not signed in", umraniye, me).await?;
    r.get("me, made-up token", &umraniye.signed_in("abc.def.ghi"), me).await?;
    r.get("me, elsewhere", &kadikoy.signed_in(tokens.text("access_token")?), me).await?;
    let rename = json!({ "name": "Şükrü Çağlayangöl" }).to_string();
    r.send("rename", &learner, Method::PATCH, me, &json, rename).await?;
    r.get("me, renamed", &learner, me).await?;

    let refresh = "/api/v1/auth/refresh";
    let old = json!({ "refresh_token": tokens.text("refresh_token")? });
    let next = r.post("refresh", umraniye, refresh, &old).await?.json()?;
    let replayed = r.post("refresh, raced", umraniye, refresh, &old).await?.json()?;
    anyhow::ensure!(
        next.get("refresh_token") == replayed.get("refresh_token"),
        "a race gets the same successor"
    );
    r.post("refresh elsewhere", kadikoy, refresh, &old).await?;
    r.post("refresh, made-up", umraniye, refresh, &json!({ "refresh_token": "abc" })).await?;
    r.get("sessions", &learner, "/api/v1/users/me/sessions").await?;
    Ok(learner)
}

async fn learning(r: &mut Recorder<'_>, learner: &ApiClient, staff: &ApiClient) -> anyhow::Result<()> {
    let person = learner.get("/api/v1/users/me").await?.json()?.text("id")?;
    let heartbeats = "/api/v1/progress/heartbeats";
    let heartbeat = |intervals: Value, position: f64| {
        json!({ "course": COURSE, "lesson": VIDEO, "playback": PLAYBACK, "intervals": intervals,
                "position": position, "rate": 1.0 })
    };
    r.post("heartbeat, not enrolled", learner, heartbeats, &heartbeat(json!([]), 0.0)).await?;
    let grant = json!({ "person": person, "course": COURSE });
    r.post("enrol oneself", learner, "/api/v1/enrolments", &grant).await?;
    r.post("enrol", staff, "/api/v1/enrolments", &grant).await?;
    r.post("enrol again", staff, "/api/v1/enrolments", &grant).await?;
    let nowhere = json!({ "person": person, "course": PLAYBACK });
    r.post("enrol in an unknown course", staff, "/api/v1/enrolments", &nowhere).await?;
    r.post("first heartbeat", learner, heartbeats, &heartbeat(json!([]), 0.0)).await?;
    r.post("heartbeat", learner, heartbeats, &heartbeat(json!([[0.0, 10.0]]), 10.0)).await?;
    r.post("heartbeat again", learner, heartbeats, &heartbeat(json!([[0.0, 10.0]]), 10.0)).await?;
    r.post("heartbeat backwards", learner, heartbeats, &heartbeat(json!([[9.0, 3.0]]), 3.0)).await?;
    r.post("heartbeat beyond the end", learner, heartbeats, &heartbeat(json!([[0.0, 9999.0]]), 3.0)).await?;
    let lessons = format!("/api/v1/learning/courses/{COURSE}/lessons");
    r.get("video lesson", learner, &format!("{lessons}/{VIDEO}")).await?;
    r.get("quiz lesson", learner, &format!("{lessons}/{QUIZ}")).await?;
    r.get("unknown lesson", learner, &format!("{lessons}/{COURSE}")).await?;
    r.get("no id", learner, &format!("{lessons}/1")).await?;
    r.post("open", learner, &format!("{lessons}/{TEXT}/opening"), &json!({})).await?;
    let attempts = format!("{lessons}/{QUIZ}/attempts");
    let answer =
        |choice: &str| json!({ "answers": [{ "question": "q1", "answer": { "choices": [choice] } }] });
    r.post("wrong answer", learner, &attempts, &answer("a")).await?;
    r.post("right answer", learner, &attempts, &answer("b")).await?;
    let unknown = json!({ "answers": [{ "question": "q9", "answer": { "text": "x" } }] });
    r.post("answer to no question", learner, &attempts, &unknown).await?;
    r.get("course progress", learner, &format!("/api/v1/progress/courses/{COURSE}")).await?;
    r.get("course progress elsewhere", learner, &format!("/api/v1/progress/courses/{OTHER_COURSE}")).await?;
    r.call("feed out, after all that", Method::GET, "/internal/feed?after=0", String::new()).await?;
    Ok(())
}

/// Routes of the Lambda plane, through `origin`.
async fn lambda(r: &mut Recorder<'_>, learner: &ApiClient, staff: &ApiClient) -> anyhow::Result<()> {
    let courses = "/api/v1/authoring/courses";
    let draft = json!({ "title": "Kapı: Açık Ders" });
    r.post("create a course", staff, courses, &draft).await?;
    r.post("create a course as a learner", learner, courses, &draft).await?;
    r.post("create a course with an unknown field", staff, courses, &json!({ "title": "A", "x": 1 })).await?;
    r.get("drafts", staff, courses).await?;
    r.get("unknown draft", staff, &format!("{courses}/{PLAYBACK}")).await?;
    Ok(())
}

async fn sign_out(r: &mut Recorder<'_>, learner: &ApiClient) -> anyhow::Result<()> {
    r.post("sign out", learner, "/api/v1/auth/logout", &json!({})).await?;
    let json = [(header::CONTENT_TYPE, "application/json")];
    let rename = json!({ "name": "Geç Kalan" }).to_string();
    r.send("rename after signing out", learner, Method::PATCH, "/api/v1/users/me", &json, rename).await?;
    Ok(())
}

/// Two courses as the Lambda plane publishes them.
fn publications(tenant: TenantId) -> Batch {
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
    let section = json!({ "id": "01890000-0000-7000-8000-0000000000d1", "title": "Giriş", "lessons": [
        outline_lesson(VIDEO, "Işık", "video", json!(60), coverage.clone()),
        outline_lesson(TEXT, "Renkler", "html", Value::Null, opened.clone()),
        outline_lesson(QUIZ, "Sınav", "quiz", Value::Null, half.clone()),
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
        published(COURSE, "isigin-yolculugu", "Işığın Yolculuğu", json!([module]), "2026-11-20T10:00:00Z"),
        published(OTHER_COURSE, "bos-ders", "Boş Ders", json!([]), "2026-11-20T11:00:00Z"),
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
    Batch { source: "lambda:parity".into(), from: 0, to, events }
}
