//! What it costs to know who asks: a token's check, a sign-in and a refresh, in CPU time, beside what they cannot do without.

use akademi_api::token::TokenVerifier;
use akademi_identity::password;
use akademi_process::ports::{WriteLog, ports};
use anyhow::{Context, ensure};
use serde::Serialize;
use serde_json::{Value, json};
use std::{process, sync::Arc};

use crate::{
    academy::{Academy, LEARNERS, PASSWORD, email, variable},
    client::{Answer, Connection},
    load::{Exchange, Measured, measure},
    pinning::{Cores, cpu_seconds},
    routes::{constant, post},
    run::Totals,
    server::Running,
};

/// How many people sign in at once.
const PEOPLE: u32 = 4;
/// Tokens that come again and again.
const AGAIN: u32 = 200_000;
const HASHES: u32 = 100;

#[derive(Debug, Serialize)]
struct Row {
    what: &'static str,
    /// CPU time of one.
    microseconds: f64,
    /// How many times that of what it cannot do without.
    ratio: Option<f64>,
    of: &'static str,
    aim_microseconds: Option<f64>,
}

impl Row {
    const fn alone(what: &'static str, microseconds: f64) -> Self {
        Self { what, microseconds, ratio: None, of: "", aim_microseconds: None }
    }

    fn beside(what: &'static str, microseconds: f64, of: &Self, aim_microseconds: Option<f64>) -> Self {
        Self {
            what,
            microseconds,
            ratio: Some(microseconds / of.microseconds),
            of: of.what,
            aim_microseconds,
        }
    }

    fn print(&self, json: bool) -> anyhow::Result<()> {
        if json {
            println!("{}", serde_json::to_string(self)?);
            return Ok(());
        }
        let mut line = format!("{:<12}{:>11.2} µs of CPU time", self.what, self.microseconds);
        if let Some(ratio) = self.ratio {
            line += &format!("   {ratio:>7.3} × {}", self.of);
        }
        if let Some(aim) = self.aim_microseconds {
            line += &format!("   aim {aim}");
        }
        println!("{line}");
        Ok(())
    }
}

/// Measures all of them, those over HTTP for `seconds` each, and prints a line for each.
///
/// # Errors
/// When the server does not start, a connection breaks, or somebody is not let in.
pub async fn run(academy: &Academy, cores: &Cores, seconds: u32, json: bool) -> anyhow::Result<Totals> {
    let now = ports(Arc::new(WriteLog::new(std::io::sink()))).now();
    let variables = academy.variables()?;
    let verifier = TokenVerifier::from_config(variable(&variables, "token_public_keys"))?;
    let tokens = (0..LEARNERS).map(|number| academy.token(number, now)).collect::<Result<Vec<_>, _>>()?;
    let check =
        |token: &String| verifier.verify(token, academy.tenant(), now).map(drop).context("a genuine token");
    let first = per_one(LEARNERS, || tokens.iter().try_for_each(check))?;
    let newest = tokens.last().context("nobody learns")?;
    let again = per_one(AGAIN, || (0..AGAIN).try_for_each(|_| check(newest)))?;
    let first = Row { aim_microseconds: Some(100.0), ..Row::alone("token", first) };
    first.print(json)?;
    Row::beside("token again", again, &first, Some(5.0)).print(json)?;

    let stored = academy.password_hash();
    let hashes = per_one(HASHES, || {
        (0..HASHES).try_for_each(|_| {
            let is_theirs = password::verify(PASSWORD, Some(stored)).ok().context("the hash is none")?;
            ensure!(is_theirs, "a password is not its own");
            Ok(())
        })
    })?;
    let argon2 = Row::alone("argon2id", hashes);
    argon2.print(json)?;

    let server = Running::start(&academy.folder, None, cores)?;
    let mut totals = Totals::default();
    let logins = (0..PEOPLE).map(|number| Box::new(Login(login(number))) as _).collect();
    let (measured, _) = measure(server.target, logins, seconds).await?;
    totals.count(&measured);
    Row::beside("login", microseconds(&measured), &argon2, None).print(json)?;

    let mut connection = Connection::open(server.target.address).await?;
    let mut refreshes: Vec<Box<dyn Exchange>> = Vec::new();
    let mut answer_bytes = 0;
    for number in 0..PEOPLE {
        let answer = connection.exchange(&login(number)).await?;
        let token = refresh_token(answer.body).context("nobody is let in")?;
        answer_bytes = answer.body.len();
        refreshes.push(Box::new(Refresh { request: refresh(&token) }));
    }
    let plain = constant(&mut connection, answer_bytes).await?;
    let (plain, _) = measure(server.target, plain.exchanges, seconds).await?;
    totals.count(&plain);
    let plain = Row::alone("plain axum", microseconds(&plain));
    plain.print(json)?;
    let (measured, _) = measure(server.target, refreshes, seconds).await?;
    totals.count(&measured);
    Row::beside("refresh", microseconds(&measured), &plain, None).print(json)?;
    Ok(totals)
}

/// CPU time of this process for one of `count`, in µs.
fn per_one(count: u32, all: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<f64> {
    let before = cpu_seconds(process::id())?;
    all()?;
    Ok((cpu_seconds(process::id())? - before) * 1e6 / f64::from(count))
}

fn microseconds(measured: &Measured) -> f64 {
    1e6 / measured.requests_per_cpu_second().max(0.001)
}

fn login(number: u32) -> Vec<u8> {
    let body = json!({ "email": email(number), "password": PASSWORD });
    post("/api/v1/auth/login", None, &body.to_string())
}

fn refresh(token: &str) -> Vec<u8> {
    post("/api/v1/auth/refresh", None, &json!({ "refresh_token": token }).to_string())
}

fn refresh_token(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    body.get("refresh_token")?.as_str().map(str::to_owned)
}

/// Somebody who signs in on ever new devices.
struct Login(Vec<u8>);

impl Exchange for Login {
    fn request(&mut self) -> &[u8] {
        &self.0
    }

    fn accepts(&mut self, answer: &Answer<'_>) -> bool {
        answer.status == 200 && refresh_token(answer.body).is_some()
    }
}

/// A device whose tokens follow each other.
struct Refresh {
    request: Vec<u8>,
}

impl Exchange for Refresh {
    fn request(&mut self) -> &[u8] {
        &self.request
    }

    fn accepts(&mut self, answer: &Answer<'_>) -> bool {
        let next = refresh_token(answer.body);
        next.as_ref().is_some_and(|token| {
            self.request = refresh(token);
            answer.status == 200
        })
    }
}
