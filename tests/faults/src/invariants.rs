//! What must hold when all has come to its end, whatever happened on the way.

mod books;

use akademi_domain::time::Day;
use akademi_edge_store::{Database as _, Statement};
use sqlx::AssertSqlSafe;
use std::collections::{BTreeMap, BTreeSet};

pub use books::VIEWS;

use crate::{
    ground::Ground,
    providers::{Providers, paytr},
};

const ORDERS: &str = "SELECT state, count(*) FROM customer_order GROUP BY state";
const CAPTURED: &str = "SELECT COALESCE(sum(amount), 0)::bigint FROM captured";
const REFUNDED: &str = "SELECT COALESCE(sum(amount), 0)::bigint FROM refund WHERE state = 'done'";
const UNWANTED: &str = "SELECT count(*) FROM captured WHERE NOT is_sale";
const REFUSED: &str = "SELECT count(*) FROM refund WHERE state = 'refused'";
const PAID_TWICE: &str = "SELECT count(*) FROM sold_line WHERE is_paid_twice";
/// Who has which course by which line that was paid.
const KEPT: &str = "SELECT concat_ws(' ', user_id, course_id, enrolment_id) FROM kept_line";
const COPIED: &str = "SELECT concat_ws(' ', user_id, course_id, id) FROM enrolment";
const WITH_SEATS: &str = "SELECT subject_id::text FROM budget WHERE kind = 'seat' AND held + used < ceiling";
const LEFT: &str = "SELECT subject_id::text FROM budget WHERE kind = 'coupon' AND held + used < ceiling";
const READ_OF_PAYTR: &str =
    "SELECT max(done_day) - 'epoch'::date FROM reconciliation WHERE provider = 'paytr'";
const PAID_OUT: &str = "SELECT concat_ws(' ', payout_day, amount) FROM ledger_transaction JOIN ledger_entry ON transaction_id = id
                        WHERE kind = 'payout' AND account = 'bank' ORDER BY 1";
/// The newest number that was ever given.
const NEWEST: &str = "SELECT greatest(last_number, (SELECT max(number) FROM feed_event)) FROM feed_state";

/// What is not as it must be.
pub async fn check(ground: &mut Ground, providers: &Providers) -> anyhow::Result<Vec<String>> {
    let mut violations = Vec::new();
    for (what, sql) in books::NONE_OF {
        let found: i64 = sqlx::query_scalar(sql).fetch_one(&mut ground.observer).await?;
        if found != 0 {
            violations.push(format!("{what} ({found})"));
        }
    }
    check_providers(ground, providers, &mut violations).await?;
    check_payouts(ground, providers, &mut violations).await?;
    check_edge(ground, &mut violations).await?;
    Ok(violations)
}

/// What a history came to, for whoever wonders whether anything happened in it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Outcomes {
    /// How many orders ended in which state.
    pub orders: BTreeMap<String, i64>,
    /// Minor units.
    pub captured: i64,
    /// Minor units that went back.
    pub refunded: i64,
    /// Payments that came too late or twice.
    pub unwanted: i64,
    /// Refunds of which nothing went back.
    pub refused: i64,
    /// Lines that somebody paid for who had paid for the course in another order.
    pub paid_twice: i64,
}

impl Outcomes {
    pub fn add(&mut self, other: &Self) {
        for (state, count) in &other.orders {
            *self.orders.entry(state.clone()).or_default() += count;
        }
        self.captured += other.captured;
        self.refunded += other.refunded;
        self.unwanted += other.unwanted;
        self.refused += other.refused;
        self.paid_twice += other.paid_twice;
    }
}

pub async fn outcomes(ground: &mut Ground) -> anyhow::Result<Outcomes> {
    let orders: Vec<(String, i64)> = sqlx::query_as(ORDERS).fetch_all(&mut ground.observer).await?;
    let mut number = async |sql: &'static str| sqlx::query_scalar(sql).fetch_one(&mut ground.observer).await;
    Ok(Outcomes {
        orders: orders.into_iter().collect(),
        captured: number(CAPTURED).await?,
        refunded: number(REFUNDED).await?,
        unwanted: number(UNWANTED).await?,
        refused: number(REFUSED).await?,
        paid_twice: number(PAID_TWICE).await?,
    })
}

/// What was captured here is what was paid there, attempt by attempt, and what was refunded here is what was given back
/// there, refund by refund.
async fn check_providers(
    ground: &mut Ground,
    providers: &Providers,
    violations: &mut Vec<String>,
) -> anyhow::Result<()> {
    let paid = providers.attempts.iter().filter_map(|attempt| {
        let total = attempt.paid()?;
        Some(format!("{} {} {} {total}", attempt.provider.name(), attempt.reference, attempt.asked))
    });
    let paid: BTreeSet<String> = paid.collect();
    let captured =
        "SELECT concat_ws(' ', provider, replace(id::text, '-', ''), amount, total_paid) FROM payment
                    WHERE state IN ('captured', 'refund_due', 'refunded')";
    let captured = texts(ground, captured).await?;
    if paid != captured {
        violations.push(format!("the providers took {paid:?}, and the academy knows of {captured:?}"));
    }
    let returns = providers.attempts.iter().flat_map(|attempt| {
        attempt.returns.iter().map(|one| format!("{} {} {}", attempt.reference, one.reference, one.amount))
    });
    let mut returns: Vec<String> = returns.collect();
    returns.sort_unstable();
    let refunded = "SELECT concat_ws(' ', replace(payment_id::text, '-', ''), replace(id::text, '-', ''), amount) FROM refund
                    WHERE state = 'done'";
    let refunded = texts(ground, refunded).await?;
    // A list: what was given back twice stands in it twice.
    if !returns.iter().eq(&refunded) {
        violations
            .push(format!("the providers gave {returns:?} back, and the academy knows of {refunded:?}"));
    }
    Ok(())
}

/// What was booked as paid out is what was, on each day whose report was read.
async fn check_payouts(
    ground: &mut Ground,
    providers: &Providers,
    violations: &mut Vec<String>,
) -> anyhow::Result<()> {
    let read: Option<i32> = sqlx::query_scalar(READ_OF_PAYTR).fetch_one(&mut ground.observer).await?;
    let is_told = |day: &Day| read.is_some_and(|read| *day <= Day::from_epoch_days(read));
    let paid_out = paytr::payouts(providers).into_iter().filter(|(day, _)| is_told(day));
    let paid_out: Vec<String> = paid_out.map(|(day, net)| format!("{day} {net}")).collect();
    let booked: Vec<String> = sqlx::query_scalar(PAID_OUT).fetch_all(&mut ground.observer).await?;
    if paid_out != booked {
        violations.push(format!("PayTR paid {paid_out:?} out, and the academy knows of {booked:?}"));
    }
    Ok(())
}

async fn check_edge(ground: &mut Ground, violations: &mut Vec<String>) -> anyhow::Result<()> {
    let enrolled =
        edge_texts(ground, "SELECT person_id || ' ' || course_id || ' ' || id FROM enrolment").await?;
    let kept = texts(ground, KEPT).await?;
    if enrolled != kept {
        violations
            .push(format!("what was paid and kept is {kept:?}, and enrolments at the edge {enrolled:?}"));
    }
    if texts(ground, COPIED).await? != enrolled {
        violations.push("the copy of the enrolments is another than the edge's".into());
    }
    let available = edge_texts(ground, "SELECT id FROM coupon WHERE available = 1").await?;
    let left = texts(ground, LEFT).await?;
    if available != left {
        violations.push(format!("coupons {left:?} have uses left, and the edge knows of {available:?}"));
    }
    let available = edge_texts(ground, "SELECT course_id FROM price WHERE seats_left = 1").await?;
    let left = texts(ground, WITH_SEATS).await?;
    if available != left {
        violations.push(format!("courses {left:?} have seats left, and the edge knows of {available:?}"));
    }
    let newest: i64 = sqlx::query_scalar(NEWEST).fetch_one(&mut ground.observer).await?;
    let mut cursor = 0;
    let moves = Statement { sql: "SELECT first, last FROM applied ORDER BY rowid", params: Vec::new() };
    for row in ground.edge.engine.query(moves).await? {
        let (first, last) = (row.integer(0)?, row.integer(1)?);
        if first != cursor || last < first {
            violations.push(format!("the edge applied ({first}, {last}] at {cursor}"));
        }
        cursor = last;
    }
    if cursor != newest {
        violations.push(format!("the edge has applied up to {cursor} of {newest} events"));
    }
    Ok(())
}

async fn texts(ground: &mut Ground, sql: &'static str) -> anyhow::Result<BTreeSet<String>> {
    let texts: Vec<String> = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(&mut ground.observer).await?;
    Ok(texts.into_iter().collect())
}

async fn edge_texts(ground: &Ground, sql: &'static str) -> anyhow::Result<BTreeSet<String>> {
    let rows = ground.edge.engine.query(Statement { sql, params: Vec::new() }).await?;
    rows.iter().map(|row| Ok(row.text(0)?.to_owned())).collect()
}
