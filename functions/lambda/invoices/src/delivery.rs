//! Invoices that are due: issued, then handed over.
//!
//! Each is a job of `akademi_lambda_store::jobs`: whoever takes it holds a lease, and the attempt's number is the fence. No
//! transaction is open while an integrator is spoken to. So an invoice of which we were ended after handing it over and
//! before noting it is handed over once more when the lease has run out, under the same UUID and number.

use akademi_domain::time::Timestamp;
use akademi_lambda_store::{
    error::StoreError,
    invoices::{INVOICE, InvoiceOrder},
    jobs::{self, ClaimedJob, Failure, JobState, pause_millis},
};
use serde_json::Value;

use crate::{
    Invoices, InvoicesError,
    integrator::NotTaken,
    invoices::InvoiceState,
    issuing::NotIssued,
    store::{self, Requested},
};

/// Longer than an integrator may take, twice.
const LEASE_MILLIS: i64 = 150_000;
/// How long an invoice is tried: within the week that the law gives, staff have time left to see to it.
const TRIED_SECONDS: i64 = 3 * 24 * 3600;

/// What a run did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Handled {
    pub delivered: usize,
    /// To be tried again.
    pub put_off: usize,
    /// Failed, or waiting for settings.
    pub failed: usize,
    /// After how many seconds the first of those that were put off is due.
    pub due_in_seconds: Option<u64>,
    /// Whether time was up before no invoice was left.
    pub has_more: bool,
}

/// What came of one attempt.
enum Outcome {
    Delivered,
    PutOff {
        seconds: u64,
    },
    Failed,
    /// Another has it by now, or it was delivered before.
    None,
}

impl Invoices {
    /// Issues and hands over invoices of all academies that are due, one after the other, while `has_time` says so.
    ///
    /// # Errors
    /// [`StoreError`]: the invoice at hand is tried again when its lease has run out.
    pub async fn run_due(&self, has_time: impl Fn() -> bool) -> Result<Handled, StoreError> {
        let mut handled = Handled::default();
        while has_time() {
            let mut platform = self.postgres.platform().await?;
            let job = platform.claim_job(INVOICE, self.ports.now(), LEASE_MILLIS).await?;
            platform.commit().await?;
            let Some(job) = job else { return Ok(handled) };
            match self.handle(&job).await? {
                Outcome::Delivered => handled.delivered += 1,
                Outcome::PutOff { seconds } => {
                    handled.put_off += 1;
                    let first = handled.due_in_seconds.map_or(seconds, |first| first.min(seconds));
                    handled.due_in_seconds = Some(first);
                }
                Outcome::Failed => handled.failed += 1,
                Outcome::None => {}
            }
        }
        Ok(Handled { has_more: true, ..handled })
    }

    async fn handle(&self, job: &ClaimedJob) -> Result<Outcome, StoreError> {
        let mut tx = self.postgres.tenant(job.tenant).await?;
        let requested = match serde_json::from_value::<InvoiceOrder>(job.payload.clone()) {
            Ok(order) => store::find_queued(&mut tx, order.invoice).await?,
            Err(_) => None,
        };
        let Some(requested) = requested else {
            let ended = jobs::complete(&mut tx, job, &Value::Null, self.ports.now()).await;
            return match unless_lost(ended)? {
                true => tx.commit().await.map(|()| Outcome::None),
                false => Ok(Outcome::None),
            };
        };
        let attempt = match self.document(tx, &requested).await {
            Ok(Ok(document)) => self.integrator.hand_over(&document).await.map_err(NotIssued::from),
            Ok(Err(reason)) => Err(reason),
            Err(InvoicesError::Store(error)) if error.retryable() => return Err(error),
            Err(error) => {
                self.log(job, &requested, &cause(error));
                let reason = "a defect, which the log tells of".to_owned();
                Err(NotIssued::Refused(NotTaken { failure: Failure::Passing, reason }))
            }
        };
        self.keep(job, &requested, attempt).await
    }

    /// Keeps what came of an attempt, unless another has the invoice by now.
    async fn keep(
        &self,
        job: &ClaimedJob,
        requested: &Requested,
        attempt: Result<(), NotIssued>,
    ) -> Result<Outcome, StoreError> {
        let now = self.ports.now();
        let mut tx = self.postgres.tenant(job.tenant).await?;
        let mut waits_for_rate = None;
        let (state, reason) = match attempt {
            Ok(()) => {
                if !unless_lost(jobs::complete(&mut tx, job, &Value::Null, now).await)? {
                    return Ok(Outcome::None);
                }
                store::mark_delivered(&mut tx, requested.id, now).await?;
                tx.commit().await?;
                return Ok(Outcome::Delivered);
            }
            Err(NotIssued::Waiting(unset)) => match unset.lock(&mut tx, now).await? {
                true => {
                    waits_for_rate = unset.rate();
                    (InvoiceState::Waiting, unset.reason())
                }
                false => (InvoiceState::Queued, "what it needs has just been set".to_owned()),
            },
            Err(NotIssued::Refused(NotTaken { failure: Failure::Lasting, reason })) => {
                (InvoiceState::Failed, reason)
            }
            Err(NotIssued::Refused(NotTaken { reason, .. })) => {
                let next = now.plus_seconds(pause_millis(job.attempt) / 1000);
                if has_run_out(requested, next) {
                    (InvoiceState::Failed, format!("given up: {reason}"))
                } else {
                    (InvoiceState::Queued, reason)
                }
            }
        };
        let failure = if state == InvoiceState::Queued { Failure::Passing } else { Failure::Lasting };
        let state = match jobs::fail(&mut tx, job, failure, &reason, now).await {
            Ok(JobState::Failed) if state == InvoiceState::Queued => InvoiceState::Failed,
            Ok(_) => state,
            Err(StoreError::LeaseLost) => return Ok(Outcome::None),
            Err(error) => return Err(error),
        };
        store::mark_undelivered(&mut tx, requested.id, state, &reason).await?;
        if let Some(currency) = waits_for_rate {
            // Tomorrow's may be known already.
            let tomorrow = now.day_in_istanbul().plus(1);
            let known = store::find_rate_for(&mut tx, currency, tomorrow).await?;
            if known.is_some_and(|known| known.rate.on == tomorrow) {
                self.try_waiting(&mut tx, Some(currency), tomorrow.start_in_istanbul()).await?;
            }
        }
        tx.commit().await?;
        self.log(job, requested, &reason);
        Ok(match state {
            InvoiceState::Queued => {
                Outcome::PutOff { seconds: (pause_millis(job.attempt) / 1000).unsigned_abs() }
            }
            _ => Outcome::Failed,
        })
    }

    fn log(&self, job: &ClaimedJob, requested: &Requested, cause: &str) {
        let line = serde_json::json!({
            "at": self.ports.now(), "function": "invoices", "level": "error", "tenant": job.tenant,
            "invoice": requested.id, "attempt": job.attempt, "cause": cause,
        });
        self.ports.log.line(&line.to_string());
    }
}

fn cause(error: InvoicesError) -> String {
    match error {
        InvoicesError::Store(error) => error.with_source(),
        InvoicesError::Request(problem) => {
            let errors = problem.errors().iter().map(|error| format!("{}: {}", error.field, error.message));
            let cause = problem.cause().map(str::to_owned).into_iter().chain(errors);
            std::iter::once(problem.slug().to_owned()).chain(cause).collect::<Vec<_>>().join("; ")
        }
    }
}

/// Whether it has been tried for long enough by `now`.
fn has_run_out(requested: &Requested, now: Timestamp) -> bool {
    now >= requested.queued_at.plus_seconds(TRIED_SECONDS)
}

/// Whether it was still ours: somebody whose lease ran out keeps nothing.
fn unless_lost(ended: Result<(), StoreError>) -> Result<bool, StoreError> {
    match ended {
        Ok(()) => Ok(true),
        Err(StoreError::LeaseLost) => Ok(false),
        Err(error) => Err(error),
    }
}
