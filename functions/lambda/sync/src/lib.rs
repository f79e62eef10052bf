//! Carries the feed between the planes: pulls the edge's events into PostgreSQL, pushes PostgreSQL's to the edge.
//!
//! It runs when woken and on a schedule. Every batch is applied with its cursor in one step, so it may be
//! killed anywhere and run twice at once: nothing is lost and nothing applied twice. A run pulls before it pushes, so
//! that what an event of the edge leads to here (a certificate) is at the edge when the run ends; it pushes also when
//! the pull broke off.
//!
//! No event stands in the way of others. What a savepoint around it shows to be its own fault (another shape than its
//! kind's, a value that the schema refuses) goes to `feed_quarantine` as it came, and to the log; once the cause is mended,
//! [`Sync::replay`] applies it. What may pass (a lost connection, a conflict) breaks the batch off, and the next run begins
//! it again. A certificate that cannot be issued yet leaves its completion applied, and waits as a job.

mod apply;
mod person_keys;
mod person_records;
mod progress;
mod pull;
mod push;
mod quarantine;
mod routes;
mod store;
mod withheld;

use akademi_api::{
    Ports,
    config::{Config, ConfigError},
    plane_client::{PlaneCall, PlaneClient, parse_base},
    ports::{HttpClient, Unreachable},
    signed::{CallContext, PlaneKeys, Purpose},
};
use akademi_certificates::CertificatesError;
use akademi_feed::Envelope;
use akademi_lambda_store::{error::StoreError, postgres::Postgres};
use akademi_seal::Vault;
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, header, uri::PathAndQuery};
use serde::de::DeserializeOwned;
use std::sync::Arc;

use pull::Pulled;

pub use akademi_api::ports::Wake;
pub use person_records::tables as recorded_tables;
pub use routes::router;

/// What the job stands on.
#[derive(Clone)]
pub struct Sync {
    ports: Ports,
    planes: Arc<PlaneKeys>,
    postgres: Postgres,
    edge: Arc<PlaneClient>,
    vault: Arc<Vault>,
    mail: Option<Arc<dyn Wake>>,
}

/// Why a run ended early; the next one goes on where it was.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    #[error("the edge cannot be reached: {0}")]
    Unreachable(#[from] Unreachable),
    #[error("the edge answered {status} to {target}: {body}")]
    Answer { status: StatusCode, target: String, body: String },
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("a batch of the edge cannot be applied: {0}")]
    Batch(String),
    #[error("a completed course gets no certificate: {0}")]
    Certificate(#[from] CertificatesError),
    /// An event is not what it should be. `detail` may quote it, so it goes to no log.
    #[error("an event cannot be applied: {fault}")]
    Unfit { fault: &'static str, detail: String },
}

impl SyncError {
    /// What is wrong, where the event that was applied is at fault and would be again.
    fn fault_of_event(&self) -> Option<String> {
        match self {
            Self::Unfit { detail, .. } => Some(detail.clone()),
            Self::Store(error) | Self::Certificate(CertificatesError::Store(error)) => {
                error.refuses_content().then(|| error.with_source())
            }
            _ => None,
        }
    }
}

/// Why a run begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// Somebody waits for a change: both directions are looked at.
    Wake,
    /// The minute is over: PostgreSQL is left asleep unless the edge has something.
    Schedule,
}

/// What a run carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Carried {
    /// Events of the edge applied to PostgreSQL, or kept in the quarantine.
    pub pulled: usize,
    /// Events of PostgreSQL handed to the edge.
    pub pushed: usize,
}

/// How often a run looks again whether what it pushed has an answer; the next one goes on.
const MAX_ROUNDS: usize = 4;

impl Sync {
    pub fn new(
        ports: Ports,
        planes: Arc<PlaneKeys>,
        postgres: Postgres,
        http: Arc<dyn HttpClient>,
        config: &Config<'_>,
    ) -> Result<Self, ConfigError> {
        let base = config.read(akademi_functions::EDGE_URL, parse_base)?;
        let vault = Arc::new(config.read(akademi_functions::LAMBDA_MASTER_KEY, Vault::from_config)?);
        let edge = Arc::new(PlaneClient::new(http, base, planes.clone()));
        Ok(Self { ports, planes, postgres, edge, vault, mail: None })
    }

    /// Has `mail` send what a run brought, once it is committed; without it a mail waits for the schedule.
    pub fn waking_mail(self, mail: Arc<dyn Wake>) -> Self {
        Self { mail: Some(mail), ..self }
    }

    /// One run.
    ///
    /// # Errors
    /// [`SyncError`]; what was carried before it stays carried.
    pub async fn handle(&self, trigger: Trigger) -> Result<Carried, SyncError> {
        if trigger == Trigger::Schedule && !pull::edge_has_news(self).await? {
            return Ok(Carried::default());
        }
        let mut carried = Carried::default();
        for round in 0..MAX_ROUNDS {
            let mut pulled = Pulled::default();
            let mut outcome = pull::pull(self, &mut pulled).await;
            if round == 0 {
                outcome = outcome.and(withheld::issue_due(self).await);
            }
            // A pull that broke off takes nothing from the other direction.
            let pushed = match pulled.edge_cursor {
                Some(cursor) => push::push(self, cursor).await,
                None => Ok(0),
            };
            outcome?;
            let pushed = pushed?;
            carried.pulled += pulled.events;
            carried.pushed += pushed;
            // What the edge was told may have changed facts of its own, which it tells in turn: a paid line becomes an
            // enrolment, and only then do files open.
            if pushed == 0 {
                break;
            }
        }
        Ok(carried)
    }

    /// Applies one event of the quarantine, once its cause is mended. The operator who asks for it deletes its row, and
    /// knows that newer events have been applied since: a summary that is replayed brings its own numbers back.
    ///
    /// # Errors
    /// [`SyncError`], also where the event is still at fault; then nothing of it is applied.
    pub async fn replay(&self, event: &Envelope) -> Result<(), SyncError> {
        let mut tx = self.postgres.tenant(event.tenant).await?;
        let line = apply::apply(self, &mut tx, event).await?;
        tx.commit().await?;
        self.log(line);
        Ok(())
    }

    fn log(&self, lines: impl IntoIterator<Item = serde_json::Value>) {
        for line in lines {
            self.ports.log.line(&line.to_string());
        }
    }

    /// Calls the edge's feed function.
    async fn call_edge<T: DeserializeOwned>(
        &self,
        method: Method,
        target: &str,
        body: Bytes,
    ) -> Result<Result<T, (StatusCode, Bytes)>, SyncError> {
        let context = CallContext { request_id: "sync".into(), ..CallContext::default() };
        let path: PathAndQuery =
            target.parse().map_err(|_| SyncError::Batch(format!("{target} is no address")))?;
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
        let call =
            PlaneCall { purpose: Purpose::Feed, method, target: path, headers, body, context: &context };
        let answer = self.edge.call(call, self.ports.now()).await?;
        let (parts, body) = answer.into_parts();
        if parts.status != StatusCode::OK {
            return Ok(Err((parts.status, body)));
        }
        serde_json::from_slice(&body).map(Ok).map_err(|error| SyncError::Batch(error.to_string()))
    }
}

/// The error for an answer that nobody expects.
fn unexpected((status, body): (StatusCode, Bytes), target: &str) -> SyncError {
    let body = String::from_utf8_lossy(&body).chars().take(300).collect();
    SyncError::Answer { status, target: target.to_owned(), body }
}
