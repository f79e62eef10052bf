//! Migrating, twice and by two at once.

use akademi_lambda_store::{migrations::migrate, testing::TestDatabase};
use sqlx::{ConnectOptions, PgConnection, migrate::Migrator, postgres::PgConnectOptions};
use std::path::Path;

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

/// An academy with a coupon of three uses, of which a paid order has one and an open one holds another, each as somebody's
/// first purchase and one of two of their own.
const SOLD: &str = "
INSERT INTO coupon (tenant_id, id, code, terms, use_limit, held, used, person_use_limit, created_at)
SELECT t, c, 'BAHAR', '{}', 3, 1, 1, 2, 0 FROM ids;
INSERT INTO customer_order
    (tenant_id, id, user_id, idempotency_key, state, currency, subtotal, discount, total, vat, created_at, expires_at, paid_at)
SELECT t, paid, ali, 'k', 'paid', 'TRY', 10, 1, 9, 0, 0, 9, 1 FROM ids
UNION ALL SELECT t, open, veli, 'k', 'pending', 'TRY', 10, 1, 9, 0, 0, 9, NULL FROM ids;
INSERT INTO order_line (tenant_id, order_id, course_id, place, title, price, discount, total, vat_basis_points, vat, enrolment_id)
SELECT t, paid, course, 0, 'A', 10, 1, 9, 0, 0, gen_random_uuid() FROM ids
UNION ALL SELECT t, open, course, 0, 'A', 10, 1, 9, 0, 0, gen_random_uuid() FROM ids;
INSERT INTO coupon_use (tenant_id, order_id, coupon_id, state, updated_at)
SELECT t, paid, c, 'confirmed', 0 FROM ids UNION ALL SELECT t, open, c, 'held', 0 FROM ids;
INSERT INTO coupon_person (tenant_id, coupon_id, user_id, uses, use_limit)
SELECT t, c, ali, 1, 2 FROM ids UNION ALL SELECT t, c, veli, 1, 2 FROM ids;
INSERT INTO first_purchase (tenant_id, user_id, order_id)
SELECT t, ali, paid FROM ids UNION ALL SELECT t, veli, open FROM ids;";

#[tokio::test]
async fn what_coupons_and_orders_held_is_held_by_reservations_afterwards() {
    let (database, owner) = empty_database().await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let all = Migrator::new(folder).await.unwrap();
    all.run_to(17, &mut owner.connect().await.unwrap()).await.unwrap();
    let mut superuser = database.superuser().await.unwrap();
    let ids = ["t", "c", "paid", "open", "ali", "veli", "course"];
    let ids = ids.map(|name| format!("gen_random_uuid() AS {name}")).join(", ");
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!("CREATE TEMP TABLE ids AS SELECT {ids}; {SOLD}")))
        .execute(&mut superuser)
        .await
        .unwrap();

    migrate(&owner).await.unwrap();
    let budgets: Vec<(String, Option<i64>, i64, i64, i64)> = sqlx::query_as(
        "SELECT kind, ceiling, sum(held)::bigint, sum(used)::bigint, count(*) FROM budget GROUP BY 1, 2 ORDER BY 1",
    )
    .fetch_all(&mut superuser)
    .await
    .unwrap();
    let budget = |kind: &str, ceiling, rows| (kind.to_owned(), Some(ceiling), 1, 1, rows);
    assert_eq!(
        budgets,
        [budget("coupon", 3, 1), budget("coupon_of_person", 2, 2), budget("first_purchase", 1, 2)]
    );
    let bought: (i64, bool) =
        sqlx::query_as("SELECT count(*), bool_and(user_id = ali AND order_id = paid) FROM purchase, ids")
            .fetch_one(&mut superuser)
            .await
            .unwrap();
    assert_eq!(bought, (1, true));
    let unforced: Vec<String> = sqlx::query_scalar(
        "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relrowsecurity
         AND NOT relforcerowsecurity",
    )
    .fetch_all(&mut superuser)
    .await
    .unwrap();
    assert!(unforced.is_empty(), "{unforced:?}");
}

#[tokio::test]
async fn what_academies_stored_before_the_meter_is_counted() {
    let (database, owner) = empty_database().await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let all = Migrator::new(folder).await.unwrap();
    all.run_to(22, &mut owner.connect().await.unwrap()).await.unwrap();
    let mut superuser = database.superuser().await.unwrap();
    let stored = r#"
        CREATE TEMP TABLE ids AS SELECT gen_random_uuid() AS t, gen_random_uuid() AS course;
        SET session_replication_role = replica;
        INSERT INTO asset (tenant_id, id, course_id, path, content_type, bytes, sha256, object_key, state, created_at, updated_at,
                           playback_key, manifest, duration_ms)
        SELECT t, gen_random_uuid(), course, path, 'video/mp4', 100, sha256('x'), path, 'ready', 0, 0, folder, manifest, length
        FROM ids, (VALUES ('a', NULL, NULL::jsonb, NULL), ('b', 'hls', '{ "files": [{ "bytes": 7 }, { "bytes": 8 }] }', 9))
            AS film (path, folder, manifest, length);
        SET session_replication_role = DEFAULT"#;
    sqlx::raw_sql(stored).execute(&mut superuser).await.unwrap();
    migrate(&owner).await.unwrap();
    let counted: Vec<(i64, i64, i64)> =
        sqlx::query_as("SELECT files, playback, uploads FROM storage_use JOIN ids ON tenant_id = t")
            .fetch_all(&mut superuser)
            .await
            .unwrap();
    assert_eq!(counted, [(200, 15, 0)]);
}

#[tokio::test]
async fn what_is_published_before_versions_are_kept_is_the_newest_of_them() {
    let (database, owner) = empty_database().await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let all = Migrator::new(folder).await.unwrap();
    all.run_to(24, &mut owner.connect().await.unwrap()).await.unwrap();
    let mut superuser = database.superuser().await.unwrap();
    let published = r#"
        CREATE TEMP TABLE ids AS SELECT gen_random_uuid() AS t, gen_random_uuid() AS course, gen_random_uuid() AS lesson;
        INSERT INTO course_draft (tenant_id, id, slug, title, summary, structure, revision, published_version, published_at,
                                  owner_id, created_at, updated_at)
        SELECT t, course, 'isik', 'Taslak', '', '[]', 9, 7, 0, course, 0, 0 FROM ids;
        INSERT INTO course_publication SELECT t, course, 7, '', '{}', course, 0 FROM ids;
        INSERT INTO lesson_publication (tenant_id, course_id, id, body) SELECT t, course, lesson, '{}' FROM ids"#;
    sqlx::raw_sql(published).execute(&mut superuser).await.unwrap();
    migrate(&owner).await.unwrap();
    let kept: (i64, i64) = sqlx::query_as(
        "SELECT version, count(lesson.id) FROM course_publication AS course JOIN ids ON tenant_id = t
         LEFT JOIN lesson_publication AS lesson ON lesson.tenant_id = t AND lesson.course_id = ids.course
              AND since <= version AND until IS NULL
         GROUP BY version",
    )
    .fetch_one(&mut superuser)
    .await
    .unwrap();
    assert_eq!(kept, (7, 1));
}
