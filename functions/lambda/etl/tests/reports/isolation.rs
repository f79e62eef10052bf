//! Two academies know nothing of each other.

use akademi_domain::quiz::Score;
use serde_json::json;

use crate::academies::{Academies, DAY, Who, admin, at, course, learner, tenant};

const MIGRATION: &str = include_str!("../../../../../shared/lambda-store/migrations/0006_reports.sql");

/// The tables of a tenant that the migration of reports made.
async fn tables(academies: &Academies) -> Vec<String> {
    let of_tenants: Vec<String> = sqlx::query_scalar(
        "SELECT relname::text FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
         WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attname = 'tenant_id' ORDER BY relname",
    )
    .fetch_all(&mut academies.superuser().await)
    .await
    .unwrap();
    let made = |table: &String| MIGRATION.contains(&format!("CREATE TABLE {table} ("));
    let tables: Vec<String> = of_tenants.into_iter().filter(made).collect();
    assert_eq!(tables.len(), MIGRATION.matches("CREATE TABLE").count(), "{tables:?}");
    tables
}

/// The same person ids do the same in both, ten times as much in the second.
async fn two_academies() -> Academies {
    let academies = Academies::new().await;
    for n in 1..=2 {
        let amount = if n == 1 { 100 } else { 1000 };
        academies.order((tenant(n), 1), "paid", "TRY", &[(1, amount)], Some(at(DAY, 60))).await;
        let score = Some(Score { points: 1, max: 2 });
        academies.progress(tenant(n), 1, 1, 1, (amount, 0), score, at(DAY, 60)).await;
        academies.run(n, DAY).await;
        // A fact that the run has not seen.
        academies.progress(tenant(n), 1, 1, 1, (amount, 0), score, at(DAY, 61)).await;
    }
    academies
}

#[tokio::test]
async fn an_academy_derives_and_shows_its_own_facts_only() {
    let academies = two_academies().await;
    for (n, amount) in [(1, 100), (2, 1000)] {
        for (who, name) in [(admin(), "institution"), (learner(1), "learner")] {
            let shown = academies.dashboard(Who { tenant: tenant(n), ..who }, name).await;
            assert_eq!(shown["totals"]["watched_seconds"], amount, "{name} of {n}");
            assert_eq!(shown["totals"]["paid"], json!([{ "amount": amount, "currency": "TRY" }]));
            assert_eq!(shown["courses"][0]["course"], json!(course(1)));
        }
    }
    let nobody = Who { tenant: tenant(3), ..admin() };
    let shown = academies.dashboard(nobody, "institution").await;
    assert_eq!((&shown["courses"], &shown["as_of"]), (&json!([]), &json!(null)));
}

/// How many academies' rows a statement without a condition sees as academy 1.
async fn academies_seen(academies: &Academies, table: &str) -> i64 {
    let mut tx = academies.database.postgres().tenant(tenant(1)).await.unwrap();
    let sql = format!("SELECT count(DISTINCT tenant_id) FROM {table}");
    sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(tx.connection()).await.unwrap()
}

#[tokio::test]
async fn row_level_security_holds_where_a_condition_is_forgotten() {
    let academies = two_academies().await;
    for table in &tables(&academies).await {
        assert_eq!(academies_seen(&academies, table).await, 1, "{table}");
        // The twin: without the policy the same statement sees both.
        academies.execute(&format!("ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")).await;
        assert_eq!(academies_seen(&academies, table).await, 2, "{table}");
    }
}
