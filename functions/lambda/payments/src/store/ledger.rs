//! The ledger: inserted into, never changed.

use akademi_domain::{
    ids::{LedgerTransactionId, PaymentId, RefundId},
    money::Money,
    time::Timestamp,
};
use akademi_lambda_store::{error::StoreError, postgres::TenantTransaction};

/// Begins a transaction of the ledger; its entries follow, and the commit is refused (`ledger_balance`) unless they sum to
/// zero. `kind` is `capture` or `capture_to_refund`, of which a payment has one (`ledger_capture_once`), or `refund`, of
/// which a refund has one (`ledger_refund_once`).
pub async fn insert_ledger_transaction(
    tx: &mut TenantTransaction,
    id: LedgerTransactionId,
    payment: PaymentId,
    kind: &str,
    refund: Option<RefundId>,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO ledger_transaction (tenant_id, id, payment_id, kind, refund_id, at)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(tx.tenant().as_uuid())
    .bind(id.as_uuid())
    .bind(payment.as_uuid())
    .bind(kind)
    .bind(refund.map(|refund| refund.as_uuid()))
    .bind(now.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// An entry: a debit above zero, a credit below.
pub async fn insert_ledger_entry(
    tx: &mut TenantTransaction,
    transaction: LedgerTransactionId,
    account: &str,
    amount: Money,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO ledger_entry (tenant_id, transaction_id, account, amount, currency)
         VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(tx.tenant().as_uuid())
    .bind(transaction.as_uuid())
    .bind(account)
    .bind(amount.amount)
    .bind(amount.currency.code())
    .execute(tx.connection())
    .await?;
    Ok(())
}
