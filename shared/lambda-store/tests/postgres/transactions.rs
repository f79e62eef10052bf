//! Beginning, ending, and what an error means.

use akademi_lambda_store::{
    error::{ConstraintKind, StoreError},
    postgres::Postgres,
    testing::TestDatabase,
};

use crate::{NOW, tenant};

async fn add_person(
    tx: &mut akademi_lambda_store::postgres::TenantTransaction,
    n: u8,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO person (tenant_id, id, state, updated_at) VALUES ($1, $2, 'active', $3)")
        .bind(tx.tenant().as_uuid())
        .bind(crate::user(n).as_uuid())
        .bind(NOW.as_millis())
        .execute(tx.connection())
        .await?;
    Ok(())
}

async fn people(postgres: &Postgres) -> i64 {
    let mut tx = postgres.tenant(tenant(1)).await.unwrap();
    sqlx::query_scalar("SELECT count(*) FROM person").fetch_one(tx.connection()).await.unwrap()
}

#[tokio::test]
async fn only_a_commit_keeps_what_was_written() {
    let database = TestDatabase::new().await.unwrap();
    let postgres = Postgres::new(database.options(), 1);
    let mut dropped = postgres.tenant(tenant(1)).await.unwrap();
    add_person(&mut dropped, 1).await.unwrap();
    drop(dropped);
    let mut rolled_back = postgres.tenant(tenant(1)).await.unwrap();
    add_person(&mut rolled_back, 1).await.unwrap();
    rolled_back.rollback().await.unwrap();
    assert_eq!(people(&postgres).await, 0);
    let mut kept = postgres.tenant(tenant(1)).await.unwrap();
    add_person(&mut kept, 1).await.unwrap();
    kept.commit().await.unwrap();
    assert_eq!(people(&postgres).await, 1);
}

#[tokio::test]
async fn a_broken_rule_keeps_its_name_and_hides_the_statement() {
    let database = TestDatabase::new().await.unwrap();
    let mut tx = database.postgres().tenant(tenant(1)).await.unwrap();
    add_person(&mut tx, 1).await.unwrap();
    let error = add_person(&mut tx, 1).await.unwrap_err();
    assert_eq!(error.constraint(), Some("person_pkey"));
    assert!(matches!(error, StoreError::Constraint { kind: ConstraintKind::Unique, .. }));
    assert!(!error.retryable());
    assert!(!error.to_string().contains("INSERT"));
}

#[tokio::test]
async fn transactions_that_meet_may_be_tried_again() {
    let database = TestDatabase::new().await.unwrap();
    let mut first = database.postgres().tenant(tenant(1)).await.unwrap();
    let mut second = database.postgres().tenant(tenant(1)).await.unwrap();
    add_person(&mut first, 1).await.unwrap();
    add_person(&mut second, 2).await.unwrap();
    // Each now wants the key that the other holds.
    let (one, two) = tokio::join!(add_person(&mut first, 2), async {
        let result = add_person(&mut second, 1).await;
        drop(second);
        result
    });
    let deadlock = [one, two].into_iter().find_map(Result::err).unwrap();
    assert!(deadlock.retryable(), "{deadlock:?}");
}

#[tokio::test]
async fn a_connection_that_died_while_frozen_is_replaced() {
    let database = TestDatabase::new().await.unwrap();
    let postgres = Postgres::new(database.options(), 1);
    assert_eq!(people(&postgres).await, 0);
    // What the pool holds now is cut from outside.
    let mut superuser = database.superuser().await.unwrap();
    sqlx::query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'akademi_login' AND datname = current_database()")
        .execute(&mut superuser)
        .await
        .unwrap();
    assert_eq!(people(&postgres).await, 0);
}

#[tokio::test]
async fn a_role_that_was_refused_once_is_no_lasting_damage() {
    let database = TestDatabase::new().await.unwrap();
    let mut superuser = database.superuser().await.unwrap();
    // A login of its own: the roles are the whole server's.
    sqlx::raw_sql("CREATE ROLE one_role LOGIN NOINHERIT").execute(&mut superuser).await.unwrap();
    let options = database.options().username("one_role");
    let postgres = Postgres::new(options, 1);
    assert!(matches!(postgres.tenant(tenant(1)).await, Err(StoreError::Forbidden(_))));
    sqlx::raw_sql("GRANT akademi_app TO one_role").execute(&mut superuser).await.unwrap();
    assert_eq!(people(&postgres).await, 0);
    assert!(matches!(postgres.platform().await, Err(StoreError::Forbidden(_))));
    assert_eq!(people(&postgres).await, 0);
    postgres.close().await;
    sqlx::raw_sql("DROP ROLE one_role").execute(&mut superuser).await.unwrap();
}

#[tokio::test]
async fn readiness_tells_the_truth() {
    let database = TestDatabase::new().await.unwrap();
    database.postgres().ready().await.unwrap();
    let mut superuser = database.superuser().await.unwrap();
    sqlx::raw_sql("DELETE FROM _sqlx_migrations").execute(&mut superuser).await.unwrap();
    let outdated = database.postgres().ready().await.unwrap_err();
    assert!(matches!(outdated, StoreError::Outdated { found: 0, .. }), "{outdated:?}");
    let nowhere = Postgres::new(database.options().database("nowhere"), 1);
    assert!(nowhere.ready().await.is_err());
}
