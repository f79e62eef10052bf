//! What must hold when all has come to its end, whatever happened on the way.

use akademi_edge_store::{Database as _, Statement};
use sqlx::AssertSqlSafe;
use std::collections::{BTreeMap, BTreeSet};

use crate::{
    ground::Ground,
    paytr::{Outcome, PayTr},
};

/// What is wrong, and a statement that counts it.
const NONE_OF: [(&str, &str); 14] = [
    ("orders are not at their end", "SELECT count(*) FROM customer_order WHERE state = 'pending'"),
    (
        "a person has two orders under one key",
        "SELECT count(*) FROM (SELECT FROM customer_order GROUP BY user_id, idempotency_key HAVING count(*) > 1) AS twice",
    ),
    (
        "captured is not the sum of paid orders and of what must go back",
        "SELECT (COALESCE((SELECT sum(amount) FROM ledger_entry WHERE account LIKE 'provider:%'), 0)
               - COALESCE((SELECT sum(total) FROM customer_order WHERE state = 'paid'), 0)
               - COALESCE((SELECT sum(amount) FROM payment WHERE state = 'refund_due'), 0))::bigint",
    ),
    (
        "revenue and VAT are not the sum of paid orders",
        "SELECT (COALESCE((SELECT sum(amount) FROM ledger_entry WHERE account IN ('sales', 'vat')), 0)
               + COALESCE((SELECT sum(total) FROM customer_order WHERE state = 'paid'), 0))::bigint",
    ),
    (
        "transactions of the ledger do not sum to zero",
        "SELECT count(*) FROM (SELECT FROM ledger_entry GROUP BY transaction_id, currency HAVING sum(amount) <> 0) AS unbalanced",
    ),
    (
        "orders are paid without one capture of their own, or captured and not paid",
        "SELECT count(*) FROM customer_order AS o WHERE (
             SELECT count(*) FROM payment WHERE order_id = o.id AND state = 'captured'
         ) <> CASE WHEN o.state = 'paid' AND o.total > 0 THEN 1 ELSE 0 END",
    ),
    ("uses of coupons are still held", "SELECT COALESCE(sum(held), 0)::bigint FROM coupon"),
    ("holds have not ended", "SELECT count(*) FROM coupon_use WHERE state = 'held'"),
    ("coupons are used beyond their limit", "SELECT count(*) FROM coupon WHERE used > use_limit"),
    (
        "uses of a coupon are not the paid orders with it",
        "SELECT count(*) FROM coupon WHERE used
             <> (SELECT count(*) FROM coupon_use JOIN customer_order AS o ON o.id = order_id
                 WHERE coupon_id = coupon.id AND o.state = 'paid')",
    ),
    (
        "confirmed uses are not the paid orders with a coupon",
        "SELECT count(*) FROM coupon_use JOIN customer_order AS o ON o.id = order_id
         WHERE (o.state = 'paid') <> (coupon_use.state = 'confirmed')",
    ),
    (
        "paid lines are not granted once, or others are",
        "SELECT count(*) FROM order_line JOIN customer_order AS o ON o.id = order_id WHERE (
             SELECT count(*) FROM appended
             WHERE kind = 'enrolment_granted' AND payload ->> 'enrolment' = enrolment_id::text
         ) <> CASE WHEN EXISTS (SELECT FROM purchase WHERE purchase.order_id = o.id AND course_id = order_line.course_id)
                   THEN 1 ELSE 0 END",
    ),
    ("events have no number", "SELECT count(*) FROM feed_event WHERE number IS NULL"),
    (
        "verified callbacks have led to nothing",
        "SELECT count(*) FROM payment_callback WHERE verification = 'verified' AND outcome IS NULL",
    ),
];
const ORDERS: &str = "SELECT state, count(*) FROM customer_order GROUP BY state";
const CAPTURED: &str =
    "SELECT COALESCE(sum(amount), 0)::bigint FROM ledger_entry WHERE account LIKE 'provider:%'";
const PAID_TWICE: &str = "SELECT count(*) - count(DISTINCT (user_id, course_id)) FROM order_line
    JOIN customer_order ON customer_order.id = order_id WHERE state = 'paid'";
/// Who has which course by what was paid.
const PAID_LINES: &str = "SELECT DISTINCT user_id || ' ' || course_id FROM order_line
    JOIN customer_order ON customer_order.id = order_id WHERE state = 'paid'";
const PAID_ENROLMENTS: &str = "SELECT enrolment_id::text FROM order_line
    JOIN purchase USING (order_id, course_id)";
const COPIED: &str = "SELECT user_id || ' ' || course_id FROM enrolment";
const LEFT: &str = "SELECT id::text FROM coupon WHERE held + used < use_limit";
/// The newest number that was ever given.
const NEWEST: &str = "SELECT greatest(last_number, (SELECT max(number) FROM feed_event)) FROM feed_state";

/// What is not as it must be.
pub async fn check(ground: &mut Ground, paytr: &PayTr) -> anyhow::Result<Vec<String>> {
    let mut violations = Vec::new();
    for (what, sql) in NONE_OF {
        let found: i64 = sqlx::query_scalar(sql).fetch_one(&mut ground.observer).await?;
        if found != 0 {
            violations.push(format!("{what} ({found})"));
        }
    }
    check_provider(ground, paytr, &mut violations).await?;
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
    /// Lines that somebody paid for who had paid for the course in another order: one enrolment is all they get.
    pub paid_twice: i64,
}

impl Outcomes {
    pub fn add(&mut self, other: &Self) {
        for (state, count) in &other.orders {
            *self.orders.entry(state.clone()).or_default() += count;
        }
        self.captured += other.captured;
        self.paid_twice += other.paid_twice;
    }
}

pub async fn outcomes(ground: &mut Ground) -> anyhow::Result<Outcomes> {
    let orders: Vec<(String, i64)> = sqlx::query_as(ORDERS).fetch_all(&mut ground.observer).await?;
    let captured = sqlx::query_scalar(CAPTURED).fetch_one(&mut ground.observer).await?;
    let paid_twice = sqlx::query_scalar(PAID_TWICE).fetch_one(&mut ground.observer).await?;
    Ok(Outcomes { orders: orders.into_iter().collect(), captured, paid_twice })
}

/// What was captured here is what was paid there, attempt by attempt.
async fn check_provider(
    ground: &mut Ground,
    paytr: &PayTr,
    violations: &mut Vec<String>,
) -> anyhow::Result<()> {
    let paid = paytr.attempts.iter().filter_map(|attempt| match attempt.outcome {
        Some(Outcome::Paid { total }) => Some(format!("{} {} {total}", attempt.oid, attempt.asked)),
        _ => None,
    });
    let paid: BTreeSet<String> = paid.collect();
    let captured = "SELECT concat_ws(' ', replace(id::text, '-', ''), amount, total_paid) FROM payment
                    WHERE state IN ('captured', 'refund_due')";
    let captured = texts(ground, captured).await?;
    if paid != captured {
        violations.push(format!("PayTR took {paid:?}, and the academy knows of {captured:?}"));
    }
    Ok(())
}

async fn check_edge(ground: &mut Ground, violations: &mut Vec<String>) -> anyhow::Result<()> {
    let enrolled = edge_texts(ground, "SELECT person_id || ' ' || course_id FROM enrolment").await?;
    let paid = texts(ground, PAID_LINES).await?;
    if enrolled != paid {
        violations.push(format!("paid lines are {paid:?}, and enrolments at the edge {enrolled:?}"));
    }
    let granted_by = edge_texts(ground, "SELECT id FROM enrolment").await?;
    if !granted_by.is_subset(&texts(ground, PAID_ENROLMENTS).await?) {
        violations.push("an enrolment at the edge is of no paid line".into());
    }
    if texts(ground, COPIED).await? != enrolled {
        violations.push("the copy of the enrolments is another than the edge's".into());
    }
    let available = edge_texts(ground, "SELECT id FROM coupon WHERE available = 1").await?;
    let left = texts(ground, LEFT).await?;
    if available != left {
        violations.push(format!("coupons {left:?} have uses left, and the edge knows of {available:?}"));
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
