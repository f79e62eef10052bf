//! Our side of a comparison with a provider's reports, and what came of it.

use akademi_domain::{
    ids::{DifferenceId, PaymentId, RefundId},
    time::{Day, Timestamp},
};
use akademi_lambda_store::{error::StoreError, postgres::TenantTransaction};
use sqlx::{Row, postgres::PgRow};
use std::collections::HashMap;
use uuid::Uuid;

use super::{money, unreadable};
use crate::reconciliation::{DifferenceKind, Finding, OurPayment, OurRefund, SubjectKind, Sum, Taken};

/// The attempts that a comparison of these days looks at: what the provider reported of them, what our books have of them,
/// and whatever did not agree before.
pub async fn attempts_to_compare(
    tx: &mut TenantTransaction,
    provider: &str,
    (first, last): (Day, Day),
) -> Result<Vec<String>, StoreError> {
    let attempts = sqlx::query_scalar(
        "SELECT attempt FROM provider_transaction
         WHERE tenant_id = $1 AND provider = $2 AND day BETWEEN 'epoch'::date + $3 AND 'epoch'::date + $4
         UNION
         SELECT replace(payment.id::text, '-', '') FROM ledger_transaction
         JOIN payment ON payment.tenant_id = $1 AND payment.id = payment_id AND payment.provider = $2
         WHERE ledger_transaction.tenant_id = $1 AND at >= $5 AND at < $6
         UNION
         SELECT attempt FROM reconciliation_difference
         WHERE tenant_id = $1 AND provider = $2 AND resolved_at IS NULL AND subject_kind <> 'payout'",
    )
    .bind(tx.tenant().as_uuid())
    .bind(provider)
    .bind(first.epoch_days())
    .bind(last.epoch_days())
    .bind(first.start_in_istanbul().as_millis())
    .bind(last.plus(1).start_in_istanbul().as_millis())
    .fetch_all(tx.connection())
    .await?;
    Ok(attempts)
}

/// Those of these payments that were begun at this provider, with what became of them.
pub async fn our_payments(
    tx: &mut TenantTransaction,
    provider: &str,
    ids: &[Uuid],
) -> Result<HashMap<PaymentId, OurPayment>, StoreError> {
    let rows = sqlx::query(
        "SELECT payment.id, amount, currency, COALESCE(total_paid, amount) AS total, capture.at AS taken_at,
                (SELECT SUM(entry.amount)::bigint FROM ledger_transaction AS charge
                 LEFT JOIN ledger_entry AS entry ON entry.tenant_id = $1 AND entry.transaction_id = charge.id
                      AND entry.account = 'fees'
                 WHERE charge.tenant_id = $1 AND charge.payment_id = payment.id AND charge.kind = 'fee'
                 GROUP BY charge.id) AS fee,
                EXISTS (SELECT FROM ledger_transaction AS charge WHERE charge.tenant_id = $1
                        AND charge.payment_id = payment.id AND charge.kind = 'fee') AS is_charged
         FROM payment
         LEFT JOIN ledger_transaction AS capture ON capture.tenant_id = $1 AND capture.payment_id = payment.id
              AND capture.kind IN ('capture', 'capture_to_refund')
         WHERE payment.tenant_id = $1 AND payment.provider = $2 AND payment.id = ANY ($3)",
    )
    .bind(tx.tenant().as_uuid())
    .bind(provider)
    .bind(ids)
    .fetch_all(tx.connection())
    .await?;
    rows.iter()
        .map(|row| {
            let id = PaymentId::from_uuid(row.try_get("id")?);
            let total = row.try_get("total")?;
            let taken_at: Option<i64> = row.try_get("taken_at")?;
            let fee: Option<i64> = row.try_get("fee")?;
            let is_charged: bool = row.try_get("is_charged")?;
            let payment = OurPayment {
                id,
                asked: money(row, "amount")?,
                taken: taken_at.map(|at| Taken { at: Timestamp::from_millis(at), total }),
                refunds: Vec::new(),
                booked_fee: is_charged.then(|| fee.unwrap_or_default()),
            };
            Ok((id, payment))
        })
        .collect()
}

/// The refunds of these payments, the oldest first.
pub async fn our_refunds(
    tx: &mut TenantTransaction,
    payments: &[Uuid],
) -> Result<Vec<(PaymentId, OurRefund)>, StoreError> {
    let rows = sqlx::query(
        "SELECT refund.payment_id, refund.id, amount, at FROM refund
         LEFT JOIN ledger_transaction ON ledger_transaction.tenant_id = $1 AND refund_id = refund.id
         WHERE refund.tenant_id = $1 AND refund.payment_id = ANY ($2) ORDER BY refund.created_at, refund.id",
    )
    .bind(tx.tenant().as_uuid())
    .bind(payments)
    .fetch_all(tx.connection())
    .await?;
    rows.iter()
        .map(|row| {
            let refund = OurRefund {
                id: RefundId::from_uuid(row.try_get("id")?),
                amount: row.try_get("amount")?,
                done_at: row.try_get::<Option<i64>, _>("at")?.map(Timestamp::from_millis),
            };
            Ok((PaymentId::from_uuid(row.try_get("payment_id")?), refund))
        })
        .collect()
}

/// The payments that these refunds are of.
pub async fn payments_of_refunds(
    tx: &mut TenantTransaction,
    refunds: &[Uuid],
) -> Result<HashMap<RefundId, PaymentId>, StoreError> {
    let rows = sqlx::query("SELECT id, payment_id FROM refund WHERE tenant_id = $1 AND id = ANY ($2)")
        .bind(tx.tenant().as_uuid())
        .bind(refunds)
        .fetch_all(tx.connection())
        .await?;
    rows.iter()
        .map(|row| {
            Ok((RefundId::from_uuid(row.try_get("id")?), PaymentId::from_uuid(row.try_get("payment_id")?)))
        })
        .collect()
}

/// Keeps what does not agree: each once, with the first moment at which it was seen. `ids` are for those that are new, one for
/// each finding.
pub async fn save_differences(
    tx: &mut TenantTransaction,
    provider: &str,
    ids: &[DifferenceId],
    findings: &[Finding],
    now: Timestamp,
) -> Result<(), StoreError> {
    let amounts = |of: fn(&Finding) -> &Option<Sum>| {
        findings.iter().map(|finding| of(finding).as_ref().map(|sum| sum.amount)).collect::<Vec<_>>()
    };
    let currencies = |of: fn(&Finding) -> &Option<Sum>| {
        findings
            .iter()
            .map(|finding| of(finding).as_ref().map(|sum| sum.currency.as_str()))
            .collect::<Vec<_>>()
    };
    sqlx::query(
        "INSERT INTO reconciliation_difference AS known
             (tenant_id, provider, first_seen_at, last_seen_at, id, kind, subject_kind, subject, attempt, payment_id,
              our_amount, our_currency, their_amount, their_currency)
         SELECT $1, $2, $3, $3, found.* FROM UNNEST($4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[], $9::uuid[],
                                                    $10::bigint[], $11::text[], $12::bigint[], $13::text[]) AS found
         ON CONFLICT ON CONSTRAINT reconciliation_difference_once DO UPDATE
         SET last_seen_at = excluded.last_seen_at, resolved_at = NULL, attempt = excluded.attempt,
             payment_id = excluded.payment_id, our_amount = excluded.our_amount, our_currency = excluded.our_currency,
             their_amount = excluded.their_amount, their_currency = excluded.their_currency",
    )
    .bind(tx.tenant().as_uuid())
    .bind(provider)
    .bind(now.as_millis())
    .bind(ids.iter().map(|id| id.as_uuid()).collect::<Vec<_>>())
    .bind(findings.iter().map(|finding| finding.kind.name()).collect::<Vec<_>>())
    .bind(findings.iter().map(|finding| finding.subject_kind.name()).collect::<Vec<_>>())
    .bind(findings.iter().map(|finding| finding.subject.as_str()).collect::<Vec<_>>())
    .bind(findings.iter().map(|finding| finding.attempt.as_str()).collect::<Vec<_>>())
    .bind(findings.iter().map(|finding| finding.payment.map(|id| id.as_uuid())).collect::<Vec<_>>())
    .bind(amounts(|finding| &finding.ours))
    .bind(currencies(|finding| &finding.ours))
    .bind(amounts(|finding| &finding.theirs))
    .bind(currencies(|finding| &finding.theirs))
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Ends the differences of these attempts that are not among the findings.
pub async fn resolve_differences(
    tx: &mut TenantTransaction,
    provider: &str,
    attempts: &[String],
    findings: &[Finding],
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE reconciliation_difference AS known SET resolved_at = $4
         WHERE tenant_id = $1 AND provider = $2 AND attempt = ANY ($3) AND resolved_at IS NULL
           AND NOT EXISTS (SELECT FROM UNNEST($5::text[], $6::text[], $7::text[]) AS found (kind, subject_kind, subject)
                           WHERE (found.kind, found.subject_kind, found.subject)
                               = (known.kind, known.subject_kind, known.subject))",
    )
    .bind(tx.tenant().as_uuid())
    .bind(provider)
    .bind(attempts)
    .bind(now.as_millis())
    .bind(findings.iter().map(|finding| finding.kind.name()).collect::<Vec<_>>())
    .bind(findings.iter().map(|finding| finding.subject_kind.name()).collect::<Vec<_>>())
    .bind(findings.iter().map(|finding| finding.subject.as_str()).collect::<Vec<_>>())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Money of which nobody here knows, which a person must look at; once for each name.
pub async fn raise_alarms_of_unknown_money(
    tx: &mut TenantTransaction,
    subjects: &[&str],
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO payment_alarm (tenant_id, kind, subject, raised_at)
         SELECT $1, 'unknown_money', subject, $3 FROM UNNEST($2::text[]) AS unknown (subject)
         ON CONFLICT DO NOTHING",
    )
    .bind(tx.tenant().as_uuid())
    .bind(subjects)
    .bind(now.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// A difference as it is listed.
pub struct Difference {
    pub id: DifferenceId,
    pub provider: String,
    pub kind: DifferenceKind,
    pub subject_kind: SubjectKind,
    pub subject: String,
    pub payment: Option<PaymentId>,
    pub ours: Option<Sum>,
    pub theirs: Option<Sum>,
    pub first_seen_at: Timestamp,
    pub last_seen_at: Timestamp,
    pub resolved_at: Option<Timestamp>,
}

/// The academy's differences after this one, the newest first; of one provider or of all, open, resolved or both.
pub async fn list_differences(
    tx: &mut TenantTransaction,
    provider: Option<&str>,
    is_open: Option<bool>,
    after: Option<(Timestamp, DifferenceId)>,
    limit: i64,
) -> Result<Vec<Difference>, StoreError> {
    let (seen, id) =
        after.unwrap_or((Timestamp::from_millis(i64::MAX), DifferenceId::from_uuid(Uuid::max())));
    let rows = sqlx::query(
        "SELECT * FROM reconciliation_difference
         WHERE tenant_id = $1 AND (first_seen_at, id) < ($2, $3) AND ($4::text IS NULL OR provider = $4)
           AND ($5::boolean IS NULL OR (resolved_at IS NULL) = $5)
         ORDER BY first_seen_at DESC, id DESC LIMIT $6",
    )
    .bind(tx.tenant().as_uuid())
    .bind(seen.as_millis())
    .bind(id.as_uuid())
    .bind(provider)
    .bind(is_open)
    .bind(limit)
    .fetch_all(tx.connection())
    .await?;
    rows.iter().map(difference).collect()
}

fn difference(row: &PgRow) -> Result<Difference, StoreError> {
    let kind: &str = row.try_get("kind")?;
    let kind = DifferenceKind::ALL.into_iter().find(|known| known.name() == kind);
    let subject_kind: &str = row.try_get("subject_kind")?;
    let subject_kind = SubjectKind::ALL.into_iter().find(|known| known.name() == subject_kind);
    let sum = |amount, currency| {
        let (amount, currency) = (row.try_get(amount)?, row.try_get(currency)?);
        Ok::<_, StoreError>(Option::zip(amount, currency).map(|(amount, currency)| Sum { amount, currency }))
    };
    Ok(Difference {
        id: DifferenceId::from_uuid(row.try_get("id")?),
        provider: row.try_get("provider")?,
        kind: kind.ok_or_else(|| unreadable("kind", "is no kind of a difference"))?,
        subject_kind: subject_kind.ok_or_else(|| unreadable("subject_kind", "is no kind of a subject"))?,
        subject: row.try_get("subject")?,
        payment: row.try_get::<Option<Uuid>, _>("payment_id")?.map(PaymentId::from_uuid),
        ours: sum("our_amount", "our_currency")?,
        theirs: sum("their_amount", "their_currency")?,
        first_seen_at: Timestamp::from_millis(row.try_get("first_seen_at")?),
        last_seen_at: Timestamp::from_millis(row.try_get("last_seen_at")?),
        resolved_at: row.try_get::<Option<i64>, _>("resolved_at")?.map(Timestamp::from_millis),
    })
}

/// How many differences of this provider are open.
pub async fn count_open_differences(tx: &mut TenantTransaction, provider: &str) -> Result<i64, StoreError> {
    let open = sqlx::query_scalar(
        "SELECT count(*) FROM reconciliation_difference
         WHERE tenant_id = $1 AND provider = $2 AND resolved_at IS NULL",
    )
    .bind(tx.tenant().as_uuid())
    .bind(provider)
    .fetch_one(tx.connection())
    .await?;
    Ok(open)
}
