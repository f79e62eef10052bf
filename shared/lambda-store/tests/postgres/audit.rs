//! The audit log: appended to and never changed, and what an owner who changes it nevertheless leaves behind.

use akademi_domain::ids::{AuditId, TenantId};
use akademi_lambda_store::{
    audit::{NewEntry, Verdict, append, verify},
    error::StoreError,
    postgres::Postgres,
    testing::TestDatabase,
};
use serde_json::json;
use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection};

use crate::{NOW, tenant, user};

fn entry(n: u16) -> NewEntry {
    let [high, low] = n.to_be_bytes();
    NewEntry {
        id: AuditId::new(NOW, [0, 0, 0, 0, 0, 0, 0, 0, high, low]),
        at: NOW.plus_seconds(n.into()),
        action: "price.set".into(),
        actor: Some(user(1)),
        target: format!("course:{n}"),
        origin: vec![7; 40],
        sealed_for: Some(user(1)),
        // jsonb puts shorter names first, spells numbers anew and has no NUL.
        change: Some(json!({
            "before": { "title": "Işık\0\u{1f}\"", "amount": n, "z": 1e300, "zz": -0.0, "ç": [1.50, null] },
            "after": { "title": "İklim", "amount": i64::MIN, "z": u64::MAX },
        })),
    }
}

async fn append_all(postgres: &Postgres, academy: TenantId, count: u16) {
    let mut tx = postgres.tenant(academy).await.unwrap();
    for n in 1..=count {
        assert!(append(&mut tx, entry(n)).await.unwrap());
    }
    tx.commit().await.unwrap();
}

/// The owner of the tables, who sees their rows and whom no trigger stops.
async fn tampering_owner(database: &TestDatabase) -> PgConnection {
    let mut owner = database.owner_options().connect().await.unwrap();
    sqlx::raw_sql(
        "ALTER TABLE audit_entry DISABLE TRIGGER USER; ALTER TABLE audit_entry NO FORCE ROW LEVEL SECURITY;
         ALTER TABLE audit_head DISABLE TRIGGER USER; ALTER TABLE audit_head NO FORCE ROW LEVEL SECURITY",
    )
    .execute(&mut owner)
    .await
    .unwrap();
    owner
}

#[tokio::test]
async fn an_entry_is_there_once_whatever_is_repeated_and_not_at_all_if_its_write_is_rolled_back() {
    let database = TestDatabase::new().await.unwrap();
    let postgres = database.postgres();
    assert_eq!(verify(postgres, tenant(1)).await.unwrap(), Verdict::Whole { entries: 0 });
    append_all(postgres, tenant(1), 2).await;
    let mut tx = postgres.tenant(tenant(1)).await.unwrap();
    assert!(append(&mut tx, entry(3)).await.unwrap());
    tx.rollback().await.unwrap();
    let mut tx = postgres.tenant(tenant(1)).await.unwrap();
    assert!(!append(&mut tx, entry(2)).await.unwrap());
    assert!(append(&mut tx, entry(4)).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(verify(postgres, tenant(1)).await.unwrap(), Verdict::Whole { entries: 3 });
    // The same id of another academy is another entry, in a chain of its own.
    append_all(postgres, tenant(2), 1).await;
    assert_eq!(verify(postgres, tenant(2)).await.unwrap(), Verdict::Whole { entries: 1 });
    assert_eq!(verify(postgres, tenant(1)).await.unwrap(), Verdict::Whole { entries: 3 });
}

#[tokio::test]
async fn a_chain_of_ten_thousand_is_walked_in_batches() {
    let database = TestDatabase::new().await.unwrap();
    append_all(database.postgres(), tenant(1), 10_500).await;
    assert_eq!(verify(database.postgres(), tenant(1)).await.unwrap(), Verdict::Whole { entries: 10_500 });
    let mut owner = tampering_owner(&database).await;
    sqlx::raw_sql("DELETE FROM audit_entry WHERE number = 10001").execute(&mut owner).await.unwrap();
    assert_eq!(verify(database.postgres(), tenant(1)).await.unwrap(), Verdict::Broken { number: 10_001 });
}

#[tokio::test]
async fn nobody_changes_the_log_by_mistake() {
    let database = TestDatabase::new().await.unwrap();
    append_all(database.postgres(), tenant(1), 2).await;
    let changes = [
        "UPDATE audit_entry SET action = 'x'",
        "DELETE FROM audit_entry",
        "TRUNCATE audit_entry",
        "UPDATE audit_head SET number = number + 2",
        "UPDATE audit_head SET number = 1",
        "DELETE FROM audit_head",
        "TRUNCATE audit_head",
    ];
    let mut superuser = database.superuser().await.unwrap();
    for sql in changes {
        let mut tx = database.postgres().tenant(tenant(1)).await.unwrap();
        let refused = sqlx::raw_sql(sql).execute(tx.connection()).await.unwrap_err();
        assert!(matches!(StoreError::from(refused), StoreError::Forbidden(_)), "{sql}");
        let refused = sqlx::raw_sql(sql).execute(&mut superuser).await.unwrap_err();
        assert!(refused.to_string().contains("only ever added to"), "{sql}: {refused}");
        let mut owner = database.owner_options().connect().await.unwrap();
        // The owner sees no row of the head to update.
        if !sql.starts_with("UPDATE audit_head") {
            assert!(sqlx::raw_sql(sql).execute(&mut owner).await.is_err(), "{sql}");
        }
    }
    assert_eq!(verify(database.postgres(), tenant(1)).await.unwrap(), Verdict::Whole { entries: 2 });
}

/// What a look at numbers alone says: whether they run from 1 to the head.
async fn numbers_are_right(owner: &mut PgConnection) -> bool {
    sqlx::query_scalar(
        "SELECT COALESCE(count(DISTINCT number) = max(number) AND max(number) = (SELECT number FROM audit_head), false)
         FROM audit_entry",
    )
    .fetch_one(owner)
    .await
    .unwrap()
}

#[tokio::test]
async fn whatever_an_owner_changes_breaks_the_chain_at_that_number() {
    let swapped = "UPDATE audit_entry SET number = 100 WHERE number = 2;
                   UPDATE audit_entry SET number = 2 WHERE number = 3;
                   UPDATE audit_entry SET number = 3 WHERE number = 100";
    let forged = |number: i64| {
        format!(
            "INSERT INTO audit_entry SELECT tenant_id, {number}, gen_random_uuid(), at, action, actor, target, origin,
             sealed_for, change, hash, sha256('forged') FROM audit_entry WHERE number = {number} - 1"
        )
    };
    let forged_in_the_middle = format!("DELETE FROM audit_entry WHERE number = 3; {}", forged(3));
    let forged_at_the_end = forged(6);
    let forged_with_its_head =
        format!("{forged_at_the_end}; UPDATE audit_head SET number = 6, hash = sha256('forged')");
    let forged_before_all = "INSERT INTO audit_entry SELECT tenant_id, 0, gen_random_uuid(), at, action, actor, target,
                             origin, sealed_for, change, previous_hash, hash FROM audit_entry WHERE number = 1";
    // What is done, the number that is found, and whether a look at numbers alone finds nothing.
    for (sql, number, passes_unseen) in [
        ("UPDATE audit_entry SET at = at + 1 WHERE number = 3", 3, true),
        ("UPDATE audit_entry SET action = 'price.sett' WHERE number = 3", 3, true),
        ("UPDATE audit_entry SET actor = NULL WHERE number = 3", 3, true),
        ("UPDATE audit_entry SET target = 'course:4' WHERE number = 3", 3, true),
        ("UPDATE audit_entry SET origin = '' WHERE number = 5", 5, true),
        ("UPDATE audit_entry SET sealed_for = NULL WHERE number = 1", 1, true),
        ("UPDATE audit_entry SET id = gen_random_uuid() WHERE number = 3", 3, true),
        (
            "UPDATE audit_entry SET change = jsonb_set(change, '{before,amount}', '4') WHERE number = 3",
            3,
            true,
        ),
        ("UPDATE audit_entry SET change = NULL WHERE number = 3", 3, true),
        ("UPDATE audit_entry SET change = '1.5' WHERE number = 3", 3, true),
        ("UPDATE audit_entry SET hash = sha256('x') WHERE number = 3", 3, true),
        ("UPDATE audit_entry SET previous_hash = sha256('x') WHERE number = 3", 3, true),
        (swapped, 2, true),
        (forged_in_the_middle.as_str(), 3, true),
        (forged_with_its_head.as_str(), 6, true),
        ("UPDATE audit_head SET hash = sha256('x')", 5, true),
        ("DELETE FROM audit_entry WHERE number = 3", 3, false),
        ("DELETE FROM audit_entry WHERE number = 1", 1, false),
        ("DELETE FROM audit_entry WHERE number = 5", 5, false),
        ("DELETE FROM audit_entry", 1, false),
        ("DELETE FROM audit_head", 1, false),
        (forged_at_the_end.as_str(), 6, false),
        ("ALTER TABLE audit_entry DROP CONSTRAINT audit_entry_number_check", 0, false),
    ] {
        let database = TestDatabase::new().await.unwrap();
        append_all(database.postgres(), tenant(1), 5).await;
        let mut owner = tampering_owner(&database).await;
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut owner).await.unwrap();
        if number == 0 {
            sqlx::raw_sql(forged_before_all).execute(&mut owner).await.unwrap();
        }
        let found = verify(database.postgres(), tenant(1)).await.unwrap();
        assert_eq!(found, Verdict::Broken { number }, "{sql}");
        assert_eq!(numbers_are_right(&mut owner).await, passes_unseen, "{sql}");
    }
}
