//! Learners who came in through the API: each has an account, a course, some seconds of a video and a certificate.

use akademi_domain::{certificate::CertificateSerial, ids::UserId};
use akademi_local::{
    api_client::{ApiClient, JsonExt},
    newcomers::make_account,
};
use akademi_seal::PersonKey;
use anyhow::Context;
use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, header};
use serde_json::{Value, json};

use crate::{
    academies::{Academies, COURSE, VIDEO},
    engine::{RunningEdge, silent_ports},
};

pub const PASSWORD: &str = "uzun bir parola";

/// A learner of one academy.
#[derive(Debug, Clone)]
pub struct Learner {
    /// Which of the two academies.
    pub academy: usize,
    /// Stands in the learner's name, address and device, and in nobody else's.
    pub mark: String,
    pub id: UserId,
    pub token: String,
    pub serial: CertificateSerial,
    /// How much of the video the learner has watched: nobody else has watched as much.
    pub watched_seconds: u32,
    playback: String,
}

impl Learner {
    /// What a player sends again and again: nothing changes by it.
    pub fn heartbeat(&self) -> Value {
        self.heartbeat_of(&json!([[0, self.watched_seconds]]))
    }

    fn heartbeat_of(&self, intervals: &Value) -> Value {
        json!({ "course": COURSE, "lesson": VIDEO, "playback": self.playback, "rate": 1.0,
                "intervals": intervals, "position": self.watched_seconds })
    }

    /// All that belongs to this learner and must be in nobody else's answers.
    pub fn marks(&self) -> [String; 3] {
        [self.mark.clone(), self.id.to_string(), self.serial.to_string()]
    }
}

/// `per_academy` learners of each academy, of whom there are at most ten; the course must have been published.
///
/// # Errors
/// When the edge refuses one of their steps.
pub async fn enrol_learners(
    academies: &Academies,
    edge: &RunningEdge,
    per_academy: u8,
) -> anyhow::Result<Vec<Learner>> {
    let mut learners = Vec::new();
    for number in 0..per_academy * 2 {
        learners.push(register(academies, edge, number).await?);
    }
    let mut events = Vec::new();
    for learner in &learners {
        let academy = academies.both.get(learner.academy).context("no such academy")?;
        let holder = key_of(academies, edge, learner).await?.seal(
            learner.id,
            "certificate_holder",
            learner.mark.as_bytes(),
            [7; 24],
        );
        events.push((
            academy.id,
            "enrolment_granted",
            json!({ "person": learner.id, "course": COURSE, "enrolment": learner.id, "order": learner.id,
                    "at": "2026-11-20T10:00:00Z" }),
        ));
        events.push((
            academy.id,
            "certificate_issued",
            json!({ "serial": learner.serial, "person": learner.id, "course": COURSE,
                    "title": format!("Ders {}", academy.mark), "holder": hex::encode(holder),
                    "completed_at": "2026-11-20T10:00:00Z", "issued_at": "2026-11-20T10:00:00Z" }),
        ));
    }
    academies.tell(edge, events).await?;
    for learner in &learners {
        let client = academies.client(edge, learner.academy).signed_in(&learner.token);
        for heartbeat in [learner.heartbeat_of(&json!([])), learner.heartbeat()] {
            client.post("/api/v1/progress/heartbeats", &heartbeat).await?.expect(StatusCode::OK)?;
        }
    }
    Ok(learners)
}

async fn register(academies: &Academies, edge: &RunningEdge, number: u8) -> anyhow::Result<Learner> {
    let academy = usize::from(number % 2);
    let mark = format!("{}learner{number}", ["umr", "kdk"].get(academy).context("no such academy")?);
    let email = format!("{mark}@example.org");
    let client = academies.client(edge, academy);
    let tenant = academies.both.get(academy).context("no such academy")?.id;
    let roots = academies.variables.get("plane_root_keys").context("no keys")?;
    let who = (format!("Şükrü {mark}"), email.as_str());
    let id = make_account(&client, roots, tenant, silent_ports().now(), (&who.0, who.1, PASSWORD)).await?;
    let token = sign_in(&client, &email, &mark).await?;
    Ok(Learner {
        academy,
        id,
        token,
        serial: CertificateSerial::new([0xc0 + number; 16]),
        watched_seconds: 3 + u32::from(number % 10),
        playback: format!("01890000-0000-7000-8000-0000000001{number:02}"),
        mark,
    })
}

/// The access token of a device that calls itself `device`.
async fn sign_in(client: &ApiClient, email: &str, device: &str) -> anyhow::Result<String> {
    let body = json!({ "email": email, "password": PASSWORD }).to_string();
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::USER_AGENT, HeaderValue::from_str(device)?),
    ];
    let answer = client.send(Method::POST, "/api/v1/auth/login", &headers, Bytes::from(body)).await?;
    answer.expect(StatusCode::OK)?.text("access_token")
}

/// The learner's key, asked for as `sync` does.
async fn key_of(academies: &Academies, edge: &RunningEdge, learner: &Learner) -> anyhow::Result<PersonKey> {
    let tenant = academies.both.get(learner.academy).context("no such academy")?.id;
    let wanted = json!({ "people": [{ "tenant": tenant, "person": learner.id }] });
    let given = academies.call(edge, "/internal/person-keys", wanted.to_string()).await?;
    let given = given.expect(StatusCode::OK)?;
    let key = given.pointer("/keys/0/key").and_then(Value::as_str).context("no key")?;
    let mut bytes = [0; 32];
    hex::decode_to_slice(key, &mut bytes)?;
    Ok(PersonKey::from_bytes(bytes))
}
