//! Reconciliation: every night each account's reports are read, day by day, kept, and held against our books. What does not
//! agree is a row until it does; what a provider keeps and pays out is booked.
//!
//! A night reads the days that no night has finished and some before them, since transactions are booked late. A run may
//! be killed anywhere and repeated: a day that is read again takes the place of what was read before, a difference is
//! kept once, and fees and payouts are booked once. An order that is open here although the provider took its money is
//! not settled by a report, which nobody has signed: the provider is asked, as [`Payments::ask_about_attempts`] does.

mod booking;
mod comparing;
mod days;
pub mod differences;
pub mod runs;

use akademi_api::Problem;
use akademi_domain::{
    ids::{DifferenceId, PaymentId, RefundId, TenantId},
    time::{Day, Timestamp},
};
use akademi_lambda_store::postgres::TenantTransaction;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use uuid::Uuid;

use crate::{
    Payments, PaymentsError,
    error::Failures,
    inquiry,
    provider::{Provider, ProviderError, Reference, Reported},
    store,
};

use comparing::compare;
pub use comparing::{DifferenceKind, Fee, Finding, OurPayment, OurRefund, SubjectKind, Sum, Taken};
use days::{Days, MOST_DAYS, due_days, expected, last_complete_day, with_day};

/// The providers that report what they have booked: of Stripe's balance we have no description to go by.
pub const REPORTING: [&str; 2] = ["paytr", "iyzico"];

/// An account whose run broke off is tried again after an hour.
const RETRY_SECONDS: i64 = 60 * 60;
/// How many accounts are taken at once: who calls it calls again in a minute.
const BATCH: u32 = 5;
/// How many open payments of one account are asked about in a run.
const MOST_ASKS: usize = 50;

/// What a run did.
#[derive(Debug)]
struct Ran {
    /// How many the provider reported.
    transactions: usize,
    /// Why its payouts could not be read.
    payouts_error: Option<String>,
}

/// Why a run breaks off.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error(transparent)]
    Provider(#[from] ProviderError),
    #[error(transparent)]
    Ours(#[from] PaymentsError),
}

impl From<akademi_lambda_store::error::StoreError> for Broken {
    fn from(error: akademi_lambda_store::error::StoreError) -> Self {
        Self::Ours(error.into())
    }
}

impl Payments {
    /// Reads the reports of the accounts whose days are over at `now`, and compares them. Returns how many accounts are
    /// done. May run twice at once. A provider that does not answer is tried again after an hour, and stands in the
    /// account's row; it holds up no other.
    ///
    /// # Errors
    /// The first [`PaymentsError`] of an account, once the others are done.
    pub async fn reconcile(&self, now: Timestamp) -> Result<u64, PaymentsError> {
        let last = last_complete_day(now);
        let tried_before = now.plus_seconds(-RETRY_SECONDS);
        let mut platform = self.postgres.platform().await?;
        let accounts = platform.unreconciled_accounts(&REPORTING, last, tried_before, BATCH).await?;
        platform.rollback().await?;
        let (mut done, mut failures) = (0, Failures::default());
        for (tenant, provider) in accounts {
            let account = self.reconcile_account(tenant, &provider, last, tried_before, now).await;
            done += u64::from(failures.or_note(account) == Some(true));
        }
        failures.end(done)
    }

    async fn reconcile_account(
        &self,
        tenant: TenantId,
        provider: &str,
        last: Day,
        tried_before: Timestamp,
        now: Timestamp,
    ) -> Result<bool, PaymentsError> {
        let mut tx = self.postgres.tenant(tenant).await?;
        if !store::claim_reconciliation(&mut tx, provider, last, tried_before, now).await? {
            return Ok(false);
        }
        tx.commit().await?;
        loop {
            let mut tx = self.postgres.tenant(tenant).await?;
            let state = store::lock_reconciliation(&mut tx, provider).await?;
            tx.commit().await?;
            let (read, done) = state.map_or((None, None), |state| (state.days, state.done_day));
            let days = due_days(read, done, last);
            let outcome = self.read_and_compare(tenant, provider, days, now).await;
            let (done_day, error) = match &outcome {
                Ok(ran) => (Some(days.1), ran.payouts_error.clone()),
                Err(broken) => (None, Some(told(broken))),
            };
            let mut tx = self.postgres.tenant(tenant).await?;
            store::end_reconciliation(&mut tx, provider, done_day, error.as_deref(), now).await?;
            tx.commit().await?;
            match outcome {
                Ok(_) if days.1 < last => {}
                Ok(_) => return Ok(true),
                Err(Broken::Provider(_)) => return Ok(false),
                Err(Broken::Ours(error)) => return Err(error),
            }
        }
    }

    /// Reads these days, one after the other, and compares all of them, then a month's payouts.
    async fn read_and_compare(
        &self,
        tenant: TenantId,
        name: &str,
        (first, last): Days,
        now: Timestamp,
    ) -> Result<Ran, Broken> {
        let mut tx = self.postgres.tenant(tenant).await?;
        let provider = self.provider(&mut tx, name).await?;
        tx.commit().await?;
        // Only accounts that are there, at providers that report, are asked for.
        let none = |what: &str| PaymentsError::from(Problem::broken(what));
        let provider = provider.ok_or_else(|| none("an account is gone"))?;
        let mut transactions = 0;
        for after in 0..=last.days_since(first) {
            let day = first.plus(after);
            let report = provider.report(day).await?.ok_or_else(|| none("a provider reports nothing"))?;
            transactions += report.len();
            self.keep_report(tenant, name, day, report).await?;
        }
        let stuck = self.compare_days(tenant, name, (first, last), now).await?;
        if self.ask_about_stuck(tenant, &provider, stuck).await? {
            self.compare_days(tenant, name, (first, last), now).await?;
        }
        let month = (last.plus(1 - MOST_DAYS), last);
        let payouts_error = match provider.payouts(month.0, month.1).await {
            Ok(None) => None,
            Ok(Some(told)) => {
                booking::book_payouts(self, tenant, name, month, &told, now).await?;
                None
            }
            // A month of them is told again tomorrow: nothing waits for them.
            Err(error) => Some(format!("Payouts: {error}")),
        };
        Ok(Ran { transactions, payouts_error })
    }

    async fn keep_report(
        &self,
        tenant: TenantId,
        provider: &str,
        day: Day,
        mut report: Vec<Reported>,
    ) -> Result<(), PaymentsError> {
        let mut tx = self.postgres.tenant(tenant).await?;
        let state = store::lock_reconciliation(&mut tx, provider).await?;
        name_payments(&mut tx, &mut report).await?;
        store::delete_report(&mut tx, provider, day).await?;
        store::insert_report(&mut tx, provider, day, &report).await?;
        let read = with_day(state.and_then(|state| state.days), day);
        store::save_days_read(&mut tx, provider, read).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Holds the reports of these days against our books, in one transaction. Returns the payments that are open here
    /// although the provider took money for them.
    async fn compare_days(
        &self,
        tenant: TenantId,
        provider: &str,
        days: Days,
        now: Timestamp,
    ) -> Result<Vec<PaymentId>, PaymentsError> {
        let mut tx = self.postgres.tenant(tenant).await?;
        let state = store::lock_reconciliation(&mut tx, provider).await?;
        let Some(read) = state.and_then(|state| state.days) else { return Ok(Vec::new()) };
        let attempts = store::attempts_to_compare(&mut tx, provider, days).await?;
        let ours = our_books(&mut tx, provider, &attempts).await?;
        let mut theirs: HashMap<String, Vec<Reported>> = HashMap::new();
        for reported in store::reported_of(&mut tx, provider, &attempts).await? {
            theirs.entry(reported.attempt.clone()).or_default().push(reported);
        }
        let (mut findings, mut fees, mut stuck) = (Vec::new(), Vec::new(), Vec::new());
        for attempt in &attempts {
            let payment = payment_of(attempt).and_then(|id| ours.get(&id));
            let reported = theirs.get(attempt).map_or(&[][..], Vec::as_slice);
            let verdict = compare(attempt, payment, reported, &expected(read));
            findings.extend(verdict.findings);
            fees.extend(verdict.fee);
            stuck.extend(payment.filter(|_| verdict.is_stuck).map(|payment| payment.id));
        }
        self.save_findings(&mut tx, provider, &attempts, &findings, now).await?;
        booking::book_fees(self, &mut tx, provider, &fees, now).await?;
        tx.commit().await?;
        Ok(stuck)
    }

    /// Keeps the findings, ends what these attempts had before and has no more, and raises an alarm for money of which
    /// nobody knows.
    async fn save_findings(
        &self,
        tx: &mut TenantTransaction,
        provider: &str,
        attempts: &[String],
        findings: &[Finding],
        now: Timestamp,
    ) -> Result<(), PaymentsError> {
        let findings = &each_once(findings);
        if !findings.is_empty() {
            let ids: Vec<_> = findings.iter().map(|_| DifferenceId::new(now, self.ports.random())).collect();
            store::save_differences(tx, provider, &ids, findings, now).await?;
        }
        store::resolve_differences(tx, provider, attempts, findings, now).await?;
        let unknown: Vec<&str> = findings
            .iter()
            .filter(|finding| finding.kind == DifferenceKind::MissingHere)
            .map(|finding| finding.subject.as_str())
            .collect();
        if !unknown.is_empty() {
            store::raise_alarms_of_unknown_money(tx, &unknown, now).await?;
        }
        Ok(())
    }

    /// Asks what became of these payments and applies what the provider proves; whether it proved anything. Whatever it
    /// does not answer is asked by the next run.
    async fn ask_about_stuck(
        &self,
        tenant: TenantId,
        provider: &Arc<dyn Provider>,
        stuck: Vec<PaymentId>,
    ) -> Result<bool, PaymentsError> {
        let mut is_proven = false;
        for id in stuck.into_iter().take(MOST_ASKS) {
            let mut tx = self.postgres.tenant(tenant).await?;
            let attempt = store::find_begun_attempt(&mut tx, provider.name(), id).await?;
            tx.commit().await?;
            let Some(attempt) = attempt else { continue };
            let Ok(answer) = provider.inquire(&attempt).await else { continue };
            if let Some(proven) = answer.outcome(&attempt.reference) {
                inquiry::apply(self, tenant, provider.name(), &proven).await?;
                is_proven = true;
            }
        }
        Ok(is_proven)
    }
}

/// What staff is told of a run that broke off.
fn told(broken: &Broken) -> String {
    match broken {
        Broken::Provider(error) => error.to_string(),
        Broken::Ours(_) => "Something went wrong here: the run is tried again.".to_owned(),
    }
}

/// Of findings that would be one row, the first: a provider may call several things by one name.
fn each_once(findings: &[Finding]) -> Vec<Finding> {
    let mut seen = HashSet::new();
    let is_new = |finding: &&Finding| {
        seen.insert((finding.kind.name(), finding.subject_kind.name(), finding.subject.clone()))
    };
    findings.iter().filter(is_new).cloned().collect()
}

fn payment_of(attempt: &str) -> Option<PaymentId> {
    Uuid::try_parse(attempt).ok().map(PaymentId::from_uuid)
}

/// A refund of ours belongs to its payment, whatever the provider calls that.
async fn name_payments(tx: &mut TenantTransaction, report: &mut [Reported]) -> Result<(), PaymentsError> {
    let refund = |reported: &Reported| Uuid::try_parse(reported.reference.as_deref()?).ok();
    let refunds: Vec<Uuid> = report.iter().filter_map(refund).collect();
    if refunds.is_empty() {
        return Ok(());
    }
    let payments = store::payments_of_refunds(tx, &refunds).await?;
    for reported in report {
        let payment = refund(reported).and_then(|id| payments.get(&RefundId::from_uuid(id)));
        if let Some(payment) = payment {
            reported.attempt = Reference::from(*payment).to_string();
        }
    }
    Ok(())
}

/// Those of these attempts that are ours, with their refunds.
async fn our_books(
    tx: &mut TenantTransaction,
    provider: &str,
    attempts: &[String],
) -> Result<HashMap<PaymentId, OurPayment>, PaymentsError> {
    let ids: Vec<Uuid> =
        attempts.iter().filter_map(|attempt| payment_of(attempt)).map(|id| id.as_uuid()).collect();
    let mut ours = store::our_payments(tx, provider, &ids).await?;
    for (payment, refund) in store::our_refunds(tx, &ids).await? {
        if let Some(payment) = ours.get_mut(&payment) {
            payment.refunds.push(refund);
        }
    }
    Ok(ours)
}
