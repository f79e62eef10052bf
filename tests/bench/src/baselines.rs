//! Plain routes to measure against: a constant answer, and one upsert into SQLite, committed alone or, of somebody whose token
//! is checked as ours are, in a group. No gate, no log. The upserts are as durable as ours: WAL, `synchronous=FULL`,
//! answered after the commit.

use akademi_api::{Ports, token::TokenVerifier};
use akademi_domain::ids::TenantId;
use axum::{
    Json, Router,
    extract::{Path, State},
    routing::{get, post},
};
use bytes::Bytes;
use futures::channel::oneshot;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use std::{
    path::Path as FilePath,
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
};

use crate::store;

/// The largest constant answer, in bytes.
const MAX_CONSTANT: usize = 1024 * 1024;
/// As many upserts share a commit at most as batches do in the edge store.
const GROUP: usize = 128;

#[derive(Clone, Copy, Serialize, Deserialize)]
struct Seen {
    learner: u32,
    seconds: u32,
}

/// The baselines as one router, their database in `folder`.
///
/// # Errors
/// When the database cannot be opened.
pub fn router(folder: &FilePath, ports: &Ports, tokens: TokenVerifier) -> anyhow::Result<Router> {
    // JSON may be followed by white space, so every beginning of this is a JSON document.
    let mut constant = vec![b' '; MAX_CONSTANT];
    constant.splice(..2, *b"{}");
    let alone = Arc::new(Mutex::new(open(&folder.join("alone.sqlite"))?));
    let group = Group::start(open(&folder.join("group.sqlite"))?)?;
    let signed_in = SignedIn { group, tokens, ports: ports.clone() };
    Ok(Router::new()
        .route("/baseline/constant/{bytes}", get(answer_constant).with_state(Bytes::from(constant)))
        .route("/baseline/upsert/alone", post(upsert_alone).with_state(alone))
        .route("/baseline/upsert/group/{tenant}", post(upsert_in_group).with_state(signed_in)))
}

fn open(path: &FilePath) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    store::create_table(&connection)?;
    Ok(connection)
}

async fn answer_constant(
    State(constant): State<Bytes>,
    Path(bytes): Path<usize>,
) -> ([(HeaderName, HeaderValue); 1], Bytes) {
    let body = constant.slice(..bytes.clamp(2, MAX_CONSTANT));
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], body)
}

async fn upsert_alone(
    State(connection): State<Arc<Mutex<Connection>>>,
    Json(seen): Json<Seen>,
) -> Result<Json<Seen>, StatusCode> {
    let connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
    store::upsert(&connection, seen.learner, seen.seconds).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(Json(seen))
}

#[derive(Clone)]
struct SignedIn {
    group: Group,
    tokens: TokenVerifier,
    ports: Ports,
}

async fn upsert_in_group(
    State(SignedIn { group, tokens, ports }): State<SignedIn>,
    Path(tenant): Path<TenantId>,
    headers: HeaderMap,
    Json(seen): Json<Seen>,
) -> Result<Json<Seen>, StatusCode> {
    let shown = headers.get(header::AUTHORIZATION).and_then(|shown| shown.to_str().ok());
    let token = shown.and_then(|shown| shown.strip_prefix("Bearer ")).ok_or(StatusCode::UNAUTHORIZED)?;
    tokens.verify(token, tenant, ports.now()).map_err(|_| StatusCode::UNAUTHORIZED)?;
    let (reply, committed) = oneshot::channel();
    let gone = StatusCode::INTERNAL_SERVER_ERROR;
    group.0.send((seen, reply)).map_err(|_| gone)?;
    if committed.await.unwrap_or(false) { Ok(Json(seen)) } else { Err(gone) }
}

/// A thread that commits all upserts that wait together.
#[derive(Clone)]
struct Group(mpsc::Sender<(Seen, oneshot::Sender<bool>)>);

impl Group {
    fn start(connection: Connection) -> std::io::Result<Self> {
        let (sender, jobs) = mpsc::channel::<(Seen, oneshot::Sender<bool>)>();
        thread::Builder::new().name("baseline-writer".into()).spawn(move || {
            while let Ok(first) = jobs.recv() {
                let mut waiting = vec![first];
                waiting.extend(jobs.try_iter().take(GROUP - 1));
                let committed = commit(&connection, waiting.iter().map(|(seen, _)| seen)).is_ok();
                for (_, reply) in waiting {
                    // Nobody waits for an answer whose request was cancelled.
                    let _ = reply.send(committed);
                }
            }
        })?;
        Ok(Self(sender))
    }
}

fn commit<'a>(connection: &Connection, group: impl Iterator<Item = &'a Seen>) -> rusqlite::Result<()> {
    let transaction = connection.unchecked_transaction()?;
    for seen in group {
        store::upsert(&transaction, seen.learner, seen.seconds)?;
    }
    transaction.commit()
}
