//! What providers keep and pay out, booked all at once; the ledger as staff reads it.

use akademi_domain::{
    ids::{LedgerTransactionId, PaymentId, RefundId},
    money::Money,
    time::{Day, Timestamp},
};
use akademi_lambda_store::{error::StoreError, postgres::TenantTransaction};
use sqlx::Row;
use uuid::Uuid;

use super::money;
use crate::reconciliation::Sum;

/// A transaction that is booked because a provider told of it.
pub struct ToldTransaction {
    pub id: LedgerTransactionId,
    /// What it is a `fee` of; none for a `payout`.
    pub payment: Option<PaymentId>,
    /// What names a payout, and its day.
    pub payout: Option<(String, Day)>,
}

/// Begins these transactions of the ledger; their entries follow. Refused (`ledger_fee_once`, `ledger_payout_once`) if one of
/// them was booked before.
pub async fn insert_told_transactions(
    tx: &mut TenantTransaction,
    kind: &str,
    transactions: &[ToldTransaction],
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO ledger_transaction (tenant_id, kind, at, id, payment_id, payout_reference, payout_day)
         SELECT $1, $2, $3, id, payment, reference, 'epoch'::date + day
         FROM UNNEST($4::uuid[], $5::uuid[], $6::text[], $7::int[]) AS told (id, payment, reference, day)",
    )
    .bind(tx.tenant().as_uuid())
    .bind(kind)
    .bind(now.as_millis())
    .bind(transactions.iter().map(|told| told.id.as_uuid()).collect::<Vec<_>>())
    .bind(transactions.iter().map(|told| told.payment.map(|id| id.as_uuid())).collect::<Vec<_>>())
    .bind(
        transactions
            .iter()
            .map(|told| told.payout.as_ref().map(|(name, _)| name.as_str()))
            .collect::<Vec<_>>(),
    )
    .bind(
        transactions
            .iter()
            .map(|told| told.payout.as_ref().map(|(_, day)| day.epoch_days()))
            .collect::<Vec<_>>(),
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Entries of such transactions: debits above zero, credits below.
pub async fn insert_ledger_entries(
    tx: &mut TenantTransaction,
    entries: &[(LedgerTransactionId, String, Money)],
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO ledger_entry (tenant_id, transaction_id, account, amount, currency)
         SELECT $1, booked.* FROM UNNEST($2::uuid[], $3::text[], $4::bigint[], $5::text[]) AS booked",
    )
    .bind(tx.tenant().as_uuid())
    .bind(entries.iter().map(|(id, _, _)| id.as_uuid()).collect::<Vec<_>>())
    .bind(entries.iter().map(|(_, account, _)| account.as_str()).collect::<Vec<_>>())
    .bind(entries.iter().map(|(_, _, money)| money.amount).collect::<Vec<_>>())
    .bind(entries.iter().map(|(_, _, money)| money.currency.code()).collect::<Vec<_>>())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// A payout that was booked.
pub struct BookedPayout {
    pub reference: String,
    /// The ledger's account that paid it: `provider:<name>`.
    pub account: String,
    pub day: Day,
    pub amount: Money,
}

impl BookedPayout {
    pub fn sum(&self) -> Sum {
        self.amount.into()
    }
}

/// What the accounts of this name, or all, have paid out on these days, the newest first.
pub async fn booked_payouts(
    tx: &mut TenantTransaction,
    account: Option<&str>,
    (first, last): (Day, Day),
) -> Result<Vec<BookedPayout>, StoreError> {
    let rows = sqlx::query(
        "SELECT payout_reference, payout_day - 'epoch'::date AS day, account, -amount AS amount, currency
         FROM ledger_transaction JOIN ledger_entry ON ledger_entry.tenant_id = $1 AND transaction_id = id
              AND account LIKE 'provider:%' AND ($2::text IS NULL OR account = $2)
         WHERE ledger_transaction.tenant_id = $1 AND kind = 'payout'
           AND payout_day BETWEEN 'epoch'::date + $3 AND 'epoch'::date + $4
         ORDER BY payout_day DESC, payout_reference",
    )
    .bind(tx.tenant().as_uuid())
    .bind(account)
    .bind(first.epoch_days())
    .bind(last.epoch_days())
    .fetch_all(tx.connection())
    .await?;
    rows.iter()
        .map(|row| {
            Ok(BookedPayout {
                reference: row.try_get("payout_reference")?,
                account: row.try_get("account")?,
                day: Day::from_epoch_days(row.try_get("day")?),
                amount: money(row, "amount")?,
            })
        })
        .collect()
}

/// What each account holds in each currency, of all that was booked until `at`.
pub async fn balances(tx: &mut TenantTransaction, at: Timestamp) -> Result<Vec<(String, Money)>, StoreError> {
    let rows = sqlx::query(
        "SELECT account, currency, SUM(amount)::bigint AS amount
         FROM ledger_transaction JOIN ledger_entry ON ledger_entry.tenant_id = $1 AND transaction_id = id
         WHERE ledger_transaction.tenant_id = $1 AND at <= $2
         GROUP BY account, currency ORDER BY account, currency",
    )
    .bind(tx.tenant().as_uuid())
    .bind(at.as_millis())
    .fetch_all(tx.connection())
    .await?;
    rows.iter().map(|row| Ok((row.try_get("account")?, money(row, "amount")?))).collect()
}

/// What was booked on the accounts of providers by kind, of all that was booked until `at`.
pub async fn provider_sums(
    tx: &mut TenantTransaction,
    at: Timestamp,
) -> Result<Vec<(String, String, Money)>, StoreError> {
    let rows = sqlx::query(
        "SELECT account, kind, currency, SUM(amount)::bigint AS amount
         FROM ledger_transaction JOIN ledger_entry ON ledger_entry.tenant_id = $1 AND transaction_id = id
              AND account LIKE 'provider:%'
         WHERE ledger_transaction.tenant_id = $1 AND at <= $2
         GROUP BY account, kind, currency ORDER BY account, currency, kind",
    )
    .bind(tx.tenant().as_uuid())
    .bind(at.as_millis())
    .fetch_all(tx.connection())
    .await?;
    rows.iter()
        .map(|row| Ok((row.try_get("account")?, row.try_get("kind")?, money(row, "amount")?)))
        .collect()
}

/// An entry of the ledger.
#[derive(Debug, Clone)]
pub struct LedgerEntry {
    pub transaction: LedgerTransactionId,
    pub at: Timestamp,
    pub kind: String,
    pub account: String,
    /// A debit above zero, a credit below.
    pub amount: Money,
    pub payment: Option<PaymentId>,
    pub refund: Option<RefundId>,
    pub payout: Option<String>,
}

/// Where a page of entries ended.
#[derive(Debug, Clone)]
pub struct LedgerPosition {
    pub at: Timestamp,
    pub transaction: LedgerTransactionId,
    pub account: String,
}

/// The entries after this one, the newest transaction first; of one account or of all, in `from..to`.
pub async fn list_ledger_entries(
    tx: &mut TenantTransaction,
    account: Option<&str>,
    (from, to): (Timestamp, Timestamp),
    after: Option<&LedgerPosition>,
    limit: i64,
) -> Result<Vec<LedgerEntry>, StoreError> {
    let rows = sqlx::query(
        "SELECT id, at, kind, account, amount, currency, payment_id, refund_id, payout_reference
         FROM ledger_transaction JOIN ledger_entry ON ledger_entry.tenant_id = $1 AND transaction_id = id
         WHERE ledger_transaction.tenant_id = $1 AND at >= $2 AND at < $3 AND ($4::text IS NULL OR account = $4)
           AND ($5::bigint IS NULL OR (at, id) < ($5, $6) OR ((at, id) = ($5, $6) AND account > $7))
         ORDER BY at DESC, id DESC, account LIMIT $8",
    )
    .bind(tx.tenant().as_uuid())
    .bind(from.as_millis())
    .bind(to.as_millis())
    .bind(account)
    .bind(after.map(|after| after.at.as_millis()))
    .bind(after.map(|after| after.transaction.as_uuid()))
    .bind(after.map(|after| after.account.as_str()))
    .bind(limit)
    .fetch_all(tx.connection())
    .await?;
    rows.iter()
        .map(|row| {
            let id = |column| row.try_get::<Option<Uuid>, _>(column);
            Ok(LedgerEntry {
                transaction: LedgerTransactionId::from_uuid(row.try_get("id")?),
                at: Timestamp::from_millis(row.try_get("at")?),
                kind: row.try_get("kind")?,
                account: row.try_get("account")?,
                amount: money(row, "amount")?,
                payment: id("payment_id")?.map(PaymentId::from_uuid),
                refund: id("refund_id")?.map(RefundId::from_uuid),
                payout: row.try_get("payout_reference")?,
            })
        })
        .collect()
}
