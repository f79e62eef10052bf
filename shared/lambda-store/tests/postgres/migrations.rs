//! Migrating, twice and by two at once.

use akademi_lambda_store::{migrations::migrate, testing::TestDatabase};
use sqlx::{PgConnection, postgres::PgConnectOptions};

/// A database without tables on the shared server, owned as in production.
async fn empty_database() -> (TestDatabase, PgConnectOptions) {
    let database = TestDatabase::new().await.unwrap();
    let mut superuser = database.superuser().await.unwrap();
    sqlx::raw_sql(
        "DROP SCHEMA public CASCADE; CREATE SCHEMA public AUTHORIZATION pg_database_owner;
         GRANT USAGE ON SCHEMA public TO PUBLIC",
    )
    .execute(&mut superuser)
    .await
    .unwrap();
    let owner = database.owner_options();
    (database, owner)
}

/// Every column, constraint, policy and grant, and the ledger with its times.
async fn schema(connection: &mut PgConnection) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT format('%s %s %s', attrelid::regclass, attname, format_type(atttypid, atttypmod)) AS line
         FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
         WHERE relnamespace = 'public'::regnamespace AND attnum > 0
         UNION ALL SELECT format('%s %s', relname, relacl) FROM pg_class WHERE relnamespace = 'public'::regnamespace
         UNION ALL SELECT format('%s %s', conname, pg_get_constraintdef(oid)) FROM pg_constraint
             WHERE connamespace = 'public'::regnamespace
         UNION ALL SELECT format('%s %s %s', tablename, policyname, qual) FROM pg_policies
         UNION ALL SELECT format('%s %s %s', version, installed_on, checksum) FROM _sqlx_migrations
         UNION ALL SELECT epoch FROM feed_state
         ORDER BY line",
    )
    .fetch_all(connection)
    .await
    .unwrap()
}

#[tokio::test]
async fn migrating_again_changes_nothing() {
    let (database, owner) = empty_database().await;
    assert!(migrate(&owner).await.unwrap() >= 1);
    let mut superuser = database.superuser().await.unwrap();
    let before = schema(&mut superuser).await;
    assert!(before.len() > 80, "{}", before.len());
    assert_eq!(migrate(&owner).await.unwrap(), 0);
    assert_eq!(schema(&mut superuser).await, before);
}

#[tokio::test]
async fn two_who_migrate_at_once_apply_each_file_once() {
    let (database, owner) = empty_database().await;
    let (one, two) = tokio::join!(migrate(&owner), migrate(&owner));
    one.unwrap();
    two.unwrap();
    let mut superuser = database.superuser().await.unwrap();
    let (files, versions): (i64, i64) =
        sqlx::query_as("SELECT count(*), count(DISTINCT version) FROM _sqlx_migrations")
            .fetch_one(&mut superuser)
            .await
            .unwrap();
    assert_eq!(files, versions);
}

#[tokio::test]
async fn a_file_that_was_changed_after_it_was_applied_is_refused() {
    let (database, owner) = empty_database().await;
    migrate(&owner).await.unwrap();
    let mut superuser = database.superuser().await.unwrap();
    sqlx::raw_sql("UPDATE _sqlx_migrations SET checksum = '\\x00' WHERE version = 1")
        .execute(&mut superuser)
        .await
        .unwrap();
    assert!(migrate(&owner).await.is_err());
}
