//! The ledger balances, and the database sees to it.

use akademi_lambda_store::postgres::TenantTransaction;
use sqlx::Row as _;

use crate::academy::{Academy, tenant};
use crate::ports::NOW;
use akademi_domain::ids::LedgerTransactionId;

async fn insert_transaction(tx: &mut TenantTransaction, n: u8) {
    sqlx::query(
        "INSERT INTO ledger_transaction (tenant_id, id, payment_id, kind, at)
         SELECT tenant_id, $1, id, 'capture', 0 FROM payment LIMIT 1",
    )
    .bind(LedgerTransactionId::new(NOW, [n; 10]).as_uuid())
    .execute(tx.connection())
    .await
    .unwrap();
}

async fn insert_entry(tx: &mut TenantTransaction, n: u8, account: &str, amount: i64, currency: &str) {
    sqlx::query(
        "INSERT INTO ledger_entry (tenant_id, transaction_id, account, amount, currency) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(tenant(1).as_uuid())
    .bind(LedgerTransactionId::new(NOW, [n; 10]).as_uuid())
    .bind(account)
    .bind(amount)
    .bind(currency)
    .execute(tx.connection())
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_capture_is_entered_as_revenue_and_its_vat() {
    let academy = Academy::new().await;
    let (_, oid) = academy.order_one(1, None).await;
    academy.pay(&oid, 14990).await;
    let mut superuser = academy.superuser().await;
    let rows = sqlx::query("SELECT account, amount FROM ledger_entry ORDER BY account")
        .fetch_all(&mut superuser)
        .await
        .unwrap();
    let entries: Vec<(String, i64)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let wanted = [("provider:paytr", 14990), ("sales", -12492), ("vat", -2498)];
    assert_eq!(entries, wanted.map(|(account, amount)| (account.to_owned(), amount)));
    assert_eq!(wanted.iter().map(|(_, amount)| amount).sum::<i64>(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_refuses_what_does_not_balance() {
    let academy = Academy::new().await;
    academy.order_one(1, None).await;
    let cases: [&[(&str, i64, &str)]; 4] = [
        &[],
        &[("provider:paytr", 100, "TRY")],
        &[("provider:paytr", 100, "TRY"), ("sales", -99, "TRY")],
        &[("provider:paytr", 100, "TRY"), ("sales", -100, "EUR")],
    ];
    for entries in cases {
        let mut tx = academy.database.postgres().tenant(tenant(1)).await.unwrap();
        insert_transaction(&mut tx, 1).await;
        for (account, amount, currency) in entries {
            insert_entry(&mut tx, 1, account, *amount, currency).await;
        }
        let error = tx.commit().await.unwrap_err();
        assert_eq!(error.constraint(), Some("ledger_balance"), "{entries:?}: {error:?}");
    }
    assert_eq!(academy.number("SELECT count(*) FROM ledger_transaction").await, 0);

    let mut tx = academy.database.postgres().tenant(tenant(1)).await.unwrap();
    insert_transaction(&mut tx, 1).await;
    insert_entry(&mut tx, 1, "provider:paytr", 100, "TRY").await;
    insert_entry(&mut tx, 1, "sales", -100, "TRY").await;
    tx.commit().await.unwrap();
    // A later entry is weighed with those that are there.
    let mut tx = academy.database.postgres().tenant(tenant(1)).await.unwrap();
    insert_entry(&mut tx, 1, "vat", -1, "TRY").await;
    assert_eq!(tx.commit().await.unwrap_err().constraint(), Some("ledger_balance"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_in_the_ledger_is_changed_or_deleted() {
    let academy = Academy::new().await;
    for statement in
        ["UPDATE ledger_entry SET amount = 1", "DELETE FROM ledger_entry", "DELETE FROM ledger_transaction"]
    {
        let mut tx = academy.database.postgres().tenant(tenant(1)).await.unwrap();
        let refused = sqlx::query(statement).execute(tx.connection()).await.unwrap_err();
        let code = refused.as_database_error().unwrap().code().unwrap().into_owned();
        assert_eq!(code, "42501", "{statement}: insufficient privilege");
    }
}
