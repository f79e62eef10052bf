//! Who has failed waits, longer each time. An attempt is counted before it is made, so that many at once are many; the count
//! is taken back when the attempt succeeds.

use akademi_api::Problem;
use akademi_domain::{
    throttle::{Delays, Failures},
    time::Timestamp,
};
use akademi_edge_store::{StoreError, TenantDatabase, TenantStatement};
use akademi_seal::{Vault, hmac};
use http::StatusCode;

use crate::store;

/// How often an attempt is counted anew because another one came between.
const TRIES: usize = 8;

/// The keyed hashes that attempts are counted by, so that the store holds neither addresses nor accounts.
pub struct ThrottleKeys([u8; 32]);

impl ThrottleKeys {
    pub fn new(vault: &Vault) -> Self {
        Self(*vault.derive("akademi/throttle/1"))
    }

    /// What `parts` are counted by; they are told apart by their lengths.
    pub fn key(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut message = Vec::new();
        for part in parts {
            message.extend((part.len() as u64).to_be_bytes());
            message.extend(*part);
        }
        hmac(&self.0, &message)
    }
}

/// One thing that attempts are counted by.
#[derive(Debug, Clone, Copy)]
pub struct Counter {
    pub key: [u8; 32],
    pub delays: Delays,
    /// Whether a success there spares the counters after it their delays from then on: a known device.
    pub is_trusting: bool,
    /// Whether two attempts at once are told apart for certain. Not for what many share rightly.
    pub is_exact: bool,
}

/// An attempt that may be made, and is counted as failed until it is known not to be.
pub struct Attempt(Vec<(Counter, Timestamp)>);

/// Counts an attempt.
///
/// # Errors
/// 429 with `Retry-After` when it comes too soon.
pub async fn admit(
    database: &TenantDatabase<'_>,
    counters: &[Counter],
    now: Timestamp,
) -> Result<Attempt, Problem> {
    for _ in 0..TRIES {
        let mut statements = Vec::with_capacity(counters.len());
        let mut read = Vec::with_capacity(counters.len());
        let mut before = Vec::with_capacity(counters.len());
        let mut is_trusted = false;
        for counter in counters {
            let known = store::find_throttle(database, &counter.key).await?.unwrap_or_default();
            if known.refused_until > now && !is_trusted {
                return Err(refusal(known.refused_until, now));
            }
            is_trusted |= counter.is_trusting && known.is_trusted;
            let (failures, until) = counter.delays.after(known.failures, now);
            statements.push(store::count_attempt(&counter.key, failures, until));
            before.push((*counter, known.refused_until));
            if counter.is_exact {
                read.push((counter.key, known.failures.count));
            }
        }
        match database.batch_if(store::counts_are(&read), statements).await {
            Ok(_) => return Ok(Attempt(before)),
            Err(StoreError::Guard) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(refusal(now.plus_seconds(1), now))
}

/// Counts an attempt; whether it may be made. For what is not done where nobody may learn that it is not.
///
/// # Errors
/// Of the store, and those only.
pub async fn is_admitted(
    database: &TenantDatabase<'_>,
    counter: Counter,
    now: Timestamp,
) -> Result<bool, Problem> {
    match admit(database, &[counter], now).await {
        Ok(_) => Ok(true),
        Err(problem) if problem.status() == StatusCode::TOO_MANY_REQUESTS => Ok(false),
        Err(problem) => Err(problem),
    }
}

/// A batch's statement that changes nothing and is committed all the same: what is done where there is an account must not
/// be told from what is not done where there is none by the time that it takes.
pub fn unchanged(counter: &Counter) -> TenantStatement {
    store::keep_throttle(&counter.key)
}

impl Attempt {
    /// The statements that take the count back, for the batch of what succeeded: others wait as long as before.
    pub fn succeeded(&self) -> Vec<TenantStatement> {
        self.0.iter().map(|(counter, refused_until)| forgive(counter, *refused_until)).collect()
    }
}

/// The statements that take one failure back, or all where a device is known from then on; nobody waits.
pub fn forgiven(counters: &[Counter]) -> Vec<TenantStatement> {
    counters.iter().map(|counter| forgive(counter, Timestamp::default())).collect()
}

fn forgive(counter: &Counter, refused_until: Timestamp) -> TenantStatement {
    if counter.is_trusting {
        store::trust(&counter.key)
    } else {
        store::take_back_attempt(&counter.key, refused_until)
    }
}

fn refusal(until: Timestamp, now: Timestamp) -> Problem {
    let seconds = until.millis_since(now).div_euclid(1000) + 1;
    Problem::too_many_requests().retry_after(u32::try_from(seconds).unwrap_or(u32::MAX))
}

/// What is known of a counter.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Known {
    pub failures: Failures,
    pub refused_until: Timestamp,
    pub is_trusted: bool,
}
