//! The measured routes: what is asked, and what must come back.

use akademi_domain::time::Timestamp;
use anyhow::{Context, ensure};
use clap::ValueEnum;
use serde_json::Value;
use std::rc::Rc;

use crate::{
    academy::{Academy, COURSES, HOST, LEARNERS, course_of, serial},
    client::{Answer, Connection},
    courses,
    haste::BEAT_SECONDS,
    load::{CONNECTIONS, Exchange},
};

/// A measured route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Name {
    /// POST /api/v1/progress/heartbeats: token, merge, durable commit
    Heartbeats,
    /// GET /api/v1/catalog/courses: a page of 20
    List,
    /// GET /api/v1/catalog/courses/{slug}
    Page,
    /// GET /api/v1/certificates/{serial}
    Certificate,
}

impl Name {
    pub const ALL: [Self; 4] = [Self::Heartbeats, Self::List, Self::Page, Self::Certificate];

    /// Requests per CPU-second that it is to reach.
    pub const fn aim(self) -> u32 {
        match self {
            Self::Heartbeats => 10_000,
            Self::List => 20_000,
            Self::Page | Self::Certificate => 30_000,
        }
    }

    /// The name of the plain axum route whose answers are as large.
    pub const fn axum_label(self) -> &'static str {
        match self {
            Self::Heartbeats => "axum-as-heartbeats",
            Self::List => "axum-as-list",
            Self::Page => "axum-as-page",
            Self::Certificate => "axum-as-certificate",
        }
    }

    pub const fn label(self) -> &'static str {
        match self {
            Self::Heartbeats => "heartbeats",
            Self::List => "list",
            Self::Page => "page",
            Self::Certificate => "certificate",
        }
    }
}

/// A route with what each connection asks of it.
pub struct Measurable {
    pub exchanges: Vec<Box<dyn Exchange>>,
    /// The size of an answer's body.
    pub answer_bytes: usize,
}

/// Asks each request of the route once and makes sure that the answers have their shape.
///
/// # Errors
/// When one has not.
pub async fn prepare(
    name: Name,
    academy: &Academy,
    connection: &mut Connection,
    now: Timestamp,
) -> anyhow::Result<Measurable> {
    match name {
        Name::Heartbeats => heartbeats(academy, connection, now).await,
        Name::List => {
            let is_list = |body: &Value| {
                let data = body.get("data").and_then(Value::as_array);
                data.is_some_and(|data| data.len() == 20 && data.iter().all(|card| card["price"].is_object()))
                    && body["next_cursor"].is_string()
            };
            repeated(connection, vec![get("/api/v1/catalog/courses")], is_list).await
        }
        Name::Page => {
            let pages = (0..COURSES)
                .map(|number| Ok(get(&format!("/api/v1/catalog/courses/{}", courses::slug(number)?))));
            let is_page = |body: &Value| {
                let modules = body.pointer("/outline/modules").and_then(Value::as_array);
                modules.is_some_and(|modules| modules.len() == 4) && body["slug"].is_string()
            };
            repeated(connection, pages.collect::<anyhow::Result<_>>()?, is_page).await
        }
        Name::Certificate => {
            let checks = (0..LEARNERS).map(|number| get(&format!("/api/v1/certificates/{}", serial(number))));
            let is_check = |body: &Value| body["status"] == "valid" && body["holder"].is_string();
            repeated(connection, checks.collect(), is_check).await
        }
    }
}

/// A constant answer of this size, without anything of ours.
pub async fn constant(connection: &mut Connection, bytes: usize) -> anyhow::Result<Measurable> {
    repeated(connection, vec![get(&format!("/baseline/constant/{bytes}"))], Value::is_object).await
}

/// One upsert a request at `path`, as many learners as there are.
pub async fn upserts(connection: &mut Connection, path: &str) -> anyhow::Result<Measurable> {
    let bodies = (0..LEARNERS).map(|learner| format!(r#"{{"learner":{learner},"seconds":{BEAT_SECONDS}}}"#));
    let requests = bodies.map(|body| post(path, None, &body)).collect();
    repeated(connection, requests, |body| body["seconds"].is_u64()).await
}

fn get(target: &str) -> Vec<u8> {
    format!("GET {target} HTTP/1.1\r\nhost: {HOST}\r\naccept: application/json\r\n\r\n").into_bytes()
}

fn post(target: &str, token: Option<&str>, body: &str) -> Vec<u8> {
    let authorization = token.map_or(String::new(), |token| format!("authorization: Bearer {token}\r\n"));
    format!(
        "POST {target} HTTP/1.1\r\nhost: {HOST}\r\n{authorization}content-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// The same requests in turn, whose answers are always the same.
struct Repeated {
    /// Each request with the body of its answer.
    asked: Rc<[(Vec<u8>, Vec<u8>)]>,
    next: usize,
}

impl Exchange for Repeated {
    fn request(&mut self) -> &[u8] {
        self.next = (self.next + 1) % self.asked.len();
        self.asked.get(self.next).map_or(&[], |(request, _)| request)
    }

    fn accepts(&mut self, answer: &Answer<'_>) -> bool {
        answer.status == 200 && self.asked.get(self.next).is_some_and(|(_, body)| body == answer.body)
    }
}

async fn repeated(
    connection: &mut Connection,
    requests: Vec<Vec<u8>>,
    has_shape: impl Fn(&Value) -> bool,
) -> anyhow::Result<Measurable> {
    let mut asked = Vec::with_capacity(requests.len());
    for request in requests {
        let answer = connection.exchange(&request).await?;
        let body = answer.body.to_vec();
        ensure!(
            answer.status == 200 && has_shape(&serde_json::from_slice(&body)?),
            "{}: {}",
            answer.status,
            String::from_utf8_lossy(&body)
        );
        asked.push((request, body));
    }
    let answer_bytes = asked.first().map_or(0, |(_, body)| body.len());
    let asked: Rc<[_]> = asked.into();
    // Connections do not ask the same at the same time.
    let step = (asked.len() / CONNECTIONS as usize).max(1);
    let exchanges = (0..CONNECTIONS as usize)
        .map(|connection| Box::new(Repeated { asked: asked.clone(), next: connection * step }) as _)
        .collect();
    Ok(Measurable { exchanges, answer_bytes })
}

/// A learner in front of a video.
struct Watching {
    token: String,
    /// A heartbeat's body up to its intervals.
    start: String,
    /// Where the learner stands, in seconds.
    position: u32,
}

impl Watching {
    /// The heartbeat that opens the playback; from then on time counts.
    fn opening(&self) -> Vec<u8> {
        self.beat("", 0)
    }

    /// The next heartbeat, as of a player that goes on.
    fn next(&mut self) -> Vec<u8> {
        let from = self.position;
        self.position += BEAT_SECONDS;
        self.beat(&format!("[{from},{}]", self.position), self.position)
    }

    fn beat(&self, interval: &str, position: u32) -> Vec<u8> {
        let body = format!(r#"{},"intervals":[{interval}],"position":{position},"rate":1}}"#, self.start);
        post("/api/v1/progress/heartbeats", Some(&self.token), &body)
    }
}

/// Learners who share a connection, one heartbeat each in turn.
struct Beating {
    learners: Vec<Watching>,
    next: usize,
    request: Vec<u8>,
}

impl Exchange for Beating {
    fn request(&mut self) -> &[u8] {
        self.next = (self.next + 1) % self.learners.len();
        self.request = self.learners.get_mut(self.next).map(Watching::next).unwrap_or_default();
        &self.request
    }

    /// Every heartbeat counts in full.
    fn accepts(&mut self, answer: &Answer<'_>) -> bool {
        let watched = self.learners.get(self.next).map_or(0, |learner| learner.position);
        let credited =
            format!(r#"{{"watched_seconds":{watched},"gained_seconds":{BEAT_SECONDS},"refused_seconds":0"#);
        answer.status == 200 && answer.body.starts_with(credited.as_bytes())
    }
}

async fn heartbeats(
    academy: &Academy,
    connection: &mut Connection,
    now: Timestamp,
) -> anyhow::Result<Measurable> {
    let mut sharing: Vec<Vec<Watching>> = (0..CONNECTIONS).map(|_| Vec::new()).collect();
    for number in 0..LEARNERS {
        let learner = Watching {
            token: academy.token(number, now)?,
            start: format!(
                r#"{{"course":"{}","lesson":"{}","playback":"{}""#,
                academy.course(course_of(number)),
                academy.video(),
                academy.playback(number)
            ),
            position: 0,
        };
        let opened = connection.exchange(&learner.opening()).await?;
        ensure!(opened.status == 200, "{}: {}", opened.status, String::from_utf8_lossy(opened.body));
        sharing.get_mut((number % CONNECTIONS) as usize).context("too few connections")?.push(learner);
    }
    let mut first = sharing.first_mut().and_then(|learners| learners.first_mut());
    let first = first.as_mut().context("there is no learner")?;
    let answer_bytes = connection.exchange(&first.next()).await?.body.len();
    let beating = |learners| Box::new(Beating { learners, next: 0, request: Vec::new() }) as _;
    Ok(Measurable { exchanges: sharing.into_iter().map(beating).collect(), answer_bytes })
}
