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
    /// GET /api/v1/users/me: token, unsealed profile
    Me,
}

impl Name {
    pub const ALL: [Self; 5] = [Self::Heartbeats, Self::List, Self::Page, Self::Certificate, Self::Me];

    /// Requests per CPU-second that it is to reach, if any number was set.
    pub const fn aim(self) -> Option<u32> {
        match self {
            Self::Heartbeats => Some(10_000),
            Self::List => Some(20_000),
            Self::Page | Self::Certificate => Some(30_000),
            Self::Me => None,
        }
    }

    /// The name of the plain axum route whose answers are as large.
    pub const fn axum_label(self) -> &'static str {
        match self {
            Self::Heartbeats => "axum-as-heartbeats",
            Self::List => "axum-as-list",
            Self::Page => "axum-as-page",
            Self::Certificate => "axum-as-certificate",
            Self::Me => "axum-as-me",
        }
    }

    pub const fn label(self) -> &'static str {
        match self {
            Self::Heartbeats => "heartbeats",
            Self::List => "list",
            Self::Page => "page",
            Self::Certificate => "certificate",
            Self::Me => "me",
        }
    }
}

/// A route with what each connection asks of it.
pub struct Measurable {
    pub exchanges: Vec<Box<dyn Exchange>>,
    /// The size of an answer's body.
    pub answer_bytes: usize,
}

/// How a route is asked.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// How many requests are under way at once.
    pub connections: u32,
    /// What each heartbeat reports, in seconds of the video.
    pub beat_seconds: u32,
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
    pace: Pace,
) -> anyhow::Result<Measurable> {
    let connections = pace.connections;
    match name {
        Name::Heartbeats => heartbeats(academy, connection, now, pace).await,
        Name::List => {
            let is_list = |body: &Value| {
                let data = body.get("data").and_then(Value::as_array);
                data.is_some_and(|data| data.len() == 20 && data.iter().all(|card| card["price"].is_object()))
                    && body["next_cursor"].is_string()
            };
            repeated(connection, vec![get("/api/v1/catalog/courses")], is_list, connections).await
        }
        Name::Page => {
            let pages = (0..COURSES)
                .map(|number| Ok(get(&format!("/api/v1/catalog/courses/{}", courses::slug(number)?))));
            let is_page = |body: &Value| {
                let modules = body.pointer("/outline/modules").and_then(Value::as_array);
                modules.is_some_and(|modules| modules.len() == 4) && body["slug"].is_string()
            };
            repeated(connection, pages.collect::<anyhow::Result<_>>()?, is_page, connections).await
        }
        Name::Certificate => {
            let checks = (0..LEARNERS).map(|number| get(&format!("/api/v1/certificates/{}", serial(number))));
            let is_check = |body: &Value| body["status"] == "valid" && body["holder"].is_string();
            repeated(connection, checks.collect(), is_check, connections).await
        }
        Name::Me => {
            let learners = (0..connections)
                .map(|number| Ok(get_as("/api/v1/users/me", Some(&academy.token(number, now)?))));
            let is_account = |body: &Value| body["email"].is_string() && body["roles"].is_array();
            repeated(connection, learners.collect::<anyhow::Result<_>>()?, is_account, connections).await
        }
    }
}

/// A constant answer of this size, without anything of ours.
pub async fn constant(connection: &mut Connection, bytes: usize) -> anyhow::Result<Measurable> {
    let requests = vec![get(&format!("/baseline/constant/{bytes}"))];
    repeated(connection, requests, Value::is_object, CONNECTIONS).await
}

/// An empty answer from a server that knows nothing else.
pub async fn empty(connection: &mut Connection, connections: u32) -> anyhow::Result<Measurable> {
    repeated(connection, vec![get("/")], Value::is_null, connections).await
}

/// One upsert a request, as many learners as there are.
pub async fn upserts_alone(connection: &mut Connection) -> anyhow::Result<Measurable> {
    let requests = (0..LEARNERS).map(|learner| post("/baseline/upsert/alone", None, &upsert(learner)));
    repeated(connection, requests.collect(), is_upsert, CONNECTIONS).await
}

/// Likewise, with the learners' tokens.
pub async fn upserts_in_group(
    academy: &Academy,
    connection: &mut Connection,
    now: Timestamp,
) -> anyhow::Result<Measurable> {
    let path = format!("/baseline/upsert/group/{}", academy.tenant());
    let request = |learner| Ok(post(&path, Some(&academy.token(learner, now)?), &upsert(learner)));
    let requests = (0..LEARNERS).map(request).collect::<anyhow::Result<_>>()?;
    repeated(connection, requests, is_upsert, CONNECTIONS).await
}

fn upsert(learner: u32) -> String {
    format!(r#"{{"learner":{learner},"seconds":{BEAT_SECONDS}}}"#)
}

fn is_upsert(body: &Value) -> bool {
    body["seconds"].is_u64()
}

pub fn get(target: &str) -> Vec<u8> {
    get_as(target, None)
}

fn get_as(target: &str, token: Option<&str>) -> Vec<u8> {
    let authorization = authorization(token);
    format!("GET {target} HTTP/1.1\r\nhost: {HOST}\r\n{authorization}accept: application/json\r\n\r\n")
        .into_bytes()
}

pub fn post(target: &str, token: Option<&str>, body: &str) -> Vec<u8> {
    let authorization = authorization(token);
    format!(
        "POST {target} HTTP/1.1\r\nhost: {HOST}\r\n{authorization}content-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn authorization(token: Option<&str>) -> String {
    token.map_or(String::new(), |token| format!("authorization: Bearer {token}\r\n"))
}

/// The same request from somebody who wants no compression. Who says nothing may get it from workerd.
fn uncompressed(request: &[u8]) -> Vec<u8> {
    let line = request.iter().position(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let (line, rest) = request.split_at(line);
    [line, b"accept-encoding: identity\r\n", rest].concat()
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
    connections: u32,
) -> anyhow::Result<Measurable> {
    let mut asked = Vec::with_capacity(requests.len());
    for request in requests {
        let answer = connection.exchange(&uncompressed(&request)).await?;
        let body = answer.body;
        let document = if body.is_empty() { Value::Null } else { serde_json::from_slice(body)? };
        ensure!(
            answer.status == 200 && has_shape(&document),
            "{}: {}",
            answer.status,
            String::from_utf8_lossy(body)
        );
        let body = connection.exchange(&request).await?.body.to_vec();
        asked.push((request, body));
    }
    let answer_bytes = asked.first().map_or(0, |(_, body)| body.len());
    let asked: Rc<[_]> = asked.into();
    // Connections do not ask the same at the same time.
    let step = (asked.len() / connections as usize).max(1);
    let exchanges = (0..connections as usize)
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
    /// How far each heartbeat goes.
    beat_seconds: u32,
}

impl Watching {
    /// The heartbeat that opens the playback; from then on time counts.
    fn opening(&self) -> Vec<u8> {
        self.beat("", 0)
    }

    /// The next heartbeat, as of a player that goes on.
    fn next(&mut self) -> Vec<u8> {
        let from = self.position;
        self.position += self.beat_seconds;
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
        let learner = self.learners.get(self.next);
        let (watched, gained) = learner.map_or((0, 0), |learner| (learner.position, learner.beat_seconds));
        let credited =
            format!(r#"{{"watched_seconds":{watched},"gained_seconds":{gained},"refused_seconds":0"#);
        answer.status == 200 && answer.body.starts_with(credited.as_bytes())
    }
}

async fn heartbeats(
    academy: &Academy,
    connection: &mut Connection,
    now: Timestamp,
    Pace { connections, beat_seconds }: Pace,
) -> anyhow::Result<Measurable> {
    let mut sharing: Vec<Vec<Watching>> = (0..connections).map(|_| Vec::new()).collect();
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
            beat_seconds,
        };
        let opened = connection.exchange(&learner.opening()).await?;
        ensure!(opened.status == 200, "{}: {}", opened.status, String::from_utf8_lossy(opened.body));
        sharing.get_mut((number % connections) as usize).context("too few connections")?.push(learner);
    }
    let mut first = sharing.first_mut().and_then(|learners| learners.first_mut());
    let first = first.as_mut().context("there is no learner")?;
    let answer_bytes = connection.exchange(&first.next()).await?.body.len();
    let beating = |learners| Box::new(Beating { learners, next: 0, request: Vec::new() }) as _;
    Ok(Measurable { exchanges: sharing.into_iter().map(beating).collect(), answer_bytes })
}
