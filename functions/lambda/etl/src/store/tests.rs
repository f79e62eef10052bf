//! The statements on 100,000 rows of a day, with ten days before it and another academy beside it.

use akademi_api::Problem;
use akademi_domain::{
    ids::{TenantId, UserId},
    time::Day,
};
use akademi_lambda_store::{error::StoreError, postgres::TenantTransaction, testing::TestDatabase};
use http::StatusCode;
use sqlx::{AssertSqlSafe, PgConnection, Row};
use tokio::time::Instant;
use uuid::Uuid;

use super::*;
use crate::{EtlError, period::Period};

const DAY: Day = Day::from_epoch_days(20_778);
const ROWS: i64 = 100_000;
const TENANT: TenantId = TenantId::from_uuid(Uuid::from_u128(1));
const OWNER: UserId = UserId::from_uuid(Uuid::from_u128(7));

/// 20,000 learners in five of fifty courses each, on DAY; a tenth of them on each of the ten days before. Every fifth
/// lesson is a quiz, every twentieth learner pays, and half of the courses are OWNER's.
async fn busy_academy() -> TestDatabase {
    let database = TestDatabase::new().await.unwrap();
    let mut superuser = database.superuser().await.unwrap();
    let id = |number: &str| format!("lpad(to_hex({number}), 32, '0')::uuid");
    let (tenant, learner, course) =
        (id("t"), id("1000 + n % 20000"), id("100 + (n % 20000 + n / 20000 * 7) % 50"));
    let (start, day) =
        (DAY.start_in_istanbul().as_millis(), format!("DATE '1970-01-01' + {}", DAY.epoch_days()));
    for statement in [
        format!(
            "INSERT INTO watched_day SELECT {tenant}, {day}, {learner}, {course}, 60 + n % 600, n % 7
             FROM generate_series(1, 2) AS t, generate_series(0, {ROWS} - 1) AS n"
        ),
        format!(
            "INSERT INTO watched_day SELECT {tenant}, {day} - ago, {learner}, {course}, 60, 0
             FROM generate_series(1, 2) AS t, generate_series(1, 10) AS ago,
                  generate_series(0, {ROWS} - 1, 10) AS n"
        ),
        format!(
            "INSERT INTO progress_summary (tenant_id, user_id, lesson_id, course_id, seconds, permille, updated_at,
                                           score_points, score_max)
             SELECT {tenant}, {learner}, {lesson}, {course}, 60 + n % 600, 500, {start},
                    CASE WHEN n % 5 = 0 THEN n % 10 END, CASE WHEN n % 5 = 0 THEN 10 END
             FROM generate_series(1, 2) AS t, generate_series(0, {ROWS} - 1) AS n",
            lesson = id("1000000 + n")
        ),
        format!(
            "INSERT INTO enrolment SELECT {tenant}, {enrolment}, {learner}, {course}, 'order',
                                          {start} - 86400000::bigint * (n % 20), NULL
             FROM generate_series(1, 2) AS t, generate_series(0, {ROWS} - 1) AS n",
            enrolment = id("3000000 + n")
        ),
        format!(
            "INSERT INTO customer_order (tenant_id, id, user_id, idempotency_key, state, currency, subtotal, discount,
                                         total, vat, created_at, expires_at, paid_at)
             SELECT {tenant}, {order}, {learner}, n::text, 'paid', CASE WHEN n % 3 = 0 THEN 'EUR' ELSE 'TRY' END,
                    14990, 0, 14990, 0, 0, 0, {start} - 86400000::bigint * (n % 20)
             FROM generate_series(1, 2) AS t, generate_series(0, {ROWS} - 1, 19) AS n",
            order = id("5000000 + n")
        ),
        format!(
            "INSERT INTO order_line SELECT {tenant}, {order}, {course}, 0, '', 14990, 0, 14990, 0, 0, {order}
             FROM generate_series(1, 2) AS t, generate_series(0, {ROWS} - 1, 19) AS n",
            order = id("5000000 + n")
        ),
        format!(
            "INSERT INTO course_draft (tenant_id, id, slug, title, summary, structure, revision, published_version,
                                       owner_id, created_at, updated_at)
             SELECT {tenant}, {course}, n::text, 'Işık ' || n, '', '[]', 1, 0, {owner}, 0, 0
             FROM generate_series(1, 2) AS t, generate_series(0, 49) AS n",
            course = id("100 + n"),
            owner = id("7 + n % 2")
        ),
        "ANALYZE".to_owned(),
    ] {
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut superuser).await.unwrap();
    }
    database
}

async fn derive(tx: &mut TenantTransaction, day: Day) -> i64 {
    derive_learning(tx, day).await.unwrap()
        + derive_payments(tx, day).await.unwrap()
        + sum_learning(tx, day).await.unwrap()
        + sum_payments(tx, day).await.unwrap()
        + average_scores(tx, day).await.unwrap()
}

/// A derivation as it is, or with its last word taken away: what does not differ is then written too.
async fn rows_changed(tx: &mut TenantTransaction, sql: &str, with_protection: bool) -> i64 {
    let protection = "IS DISTINCT FROM";
    assert_eq!(sql.matches(protection).count(), 1);
    let sql = if with_protection { sql.to_owned() } else { sql.replace(protection, "IS NOT DISTINCT FROM") };
    let query = sqlx::query_scalar(AssertSqlSafe(sql.clone())).bind(TENANT.as_uuid()).bind(DAY.epoch_days());
    let query = match sql.contains("$3") {
        true => {
            query.bind(DAY.start_in_istanbul().as_millis()).bind(DAY.plus(1).start_in_istanbul().as_millis())
        }
        false => query,
    };
    query.fetch_one(tx.connection()).await.unwrap()
}

#[tokio::test]
async fn a_day_of_100_000_progress_rows_is_derived_by_sets_and_a_second_run_changes_nothing() {
    let database = busy_academy().await;
    let mut tx = database.postgres().tenant(TENANT).await.unwrap();
    let begun = Instant::now();
    let changed = derive(&mut tx, DAY).await;
    let first = begun.elapsed();
    // 100,000 of learners in courses, what 263 of them paid, 50 courses with their sums and scores.
    assert!((100_000..101_000).contains(&changed), "{changed}");
    tx.commit().await.unwrap();

    let mut tx = database.postgres().tenant(TENANT).await.unwrap();
    let begun = Instant::now();
    assert_eq!(derive(&mut tx, DAY).await, 0);
    let second = begun.elapsed();
    let mut without_protection = 0;
    for sql in [
        derivation::LEARNING,
        derivation::PAYMENTS,
        derivation::LEARNING_SUMS,
        derivation::PAYMENT_SUMS,
        derivation::SCORES,
    ] {
        assert_eq!(rows_changed(&mut tx, sql, true).await, 0);
        without_protection += rows_changed(&mut tx, sql, false).await;
    }
    assert_eq!(without_protection, changed, "the twin writes every row again");
    let per_second = |time: std::time::Duration| ROWS as f64 / time.as_secs_f64();
    println!(
        "{ROWS} progress rows: {first:.0?}, {:.0} rows/s ({changed} report rows written); again: {second:.0?}, {:.0} rows/s \
         (0 written, without the comparison {without_protection})",
        per_second(first),
        per_second(second),
    );
}

async fn generic_plan(superuser: &mut PgConnection, sql: &str, types: &str, values: &str) -> String {
    let prepare =
        format!("SET plan_cache_mode = force_generic_plan; DEALLOCATE ALL; PREPARE read ({types}) AS {sql}");
    sqlx::raw_sql(AssertSqlSafe(prepare)).execute(&mut *superuser).await.unwrap();
    let explain = AssertSqlSafe(format!("EXPLAIN EXECUTE read ({values})"));
    let rows = sqlx::raw_sql(explain).fetch_all(superuser).await.unwrap();
    let lines: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    lines.join("\n")
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_broken_off_and_answered_as_busy() {
    let database = TestDatabase::new().await.unwrap();
    let mut tx = database.postgres().tenant(TENANT).await.unwrap();
    limit_statements(&mut tx, 50).await.unwrap();
    let slow = sqlx::query("SELECT pg_sleep(30)").execute(tx.connection()).await;
    let error = StoreError::from(slow.unwrap_err());
    assert!(matches!(error, StoreError::TimedOut(_)), "{error:?}");
    assert_eq!(Problem::from(EtlError::from(error)).status(), StatusCode::SERVICE_UNAVAILABLE);
    // The next transaction of the connection has no limit of this one's.
    tx.rollback().await.unwrap();
    let mut tx = database.postgres().tenant(TENANT).await.unwrap();
    sqlx::query("SELECT pg_sleep(0.1)").execute(tx.connection()).await.unwrap();
}

#[tokio::test]
async fn what_dashboards_and_runs_read_of_200_000_rows_is_found_by_index() {
    let database = busy_academy().await;
    let mut tx = database.postgres().tenant(TENANT).await.unwrap();
    for ago in 0..=10 {
        derive(&mut tx, DAY.plus(-ago)).await;
    }
    tx.commit().await.unwrap();
    let mut superuser = database.superuser().await.unwrap();
    sqlx::raw_sql("ANALYZE").execute(&mut superuser).await.unwrap();

    // Plans that serve whatever the parameters are, as a pooled connection has them after a few calls.
    let day = DAY.plus(-3);
    let (academy, owner, learner) = (TENANT.as_uuid(), OWNER.as_uuid(), Uuid::from_u128(1000));
    let days = format!("'{academy}', {0}, {0}", day.epoch_days());
    let moments = [day, day.plus(1)].map(|day| day.start_in_istanbul().as_millis());
    let a_day = format!("'{academy}', {}, {}, {}", day.epoch_days(), moments[0], moments[1]);
    for (sql, types, values, wanted) in [
        (derivation::LEARNING, "uuid, int, bigint, bigint", a_day, "watched_day_pkey"),
        (dashboards::BY_DAY, "uuid, int, int", days.clone(), "course_day_pkey"),
        (
            dashboards::BY_DAY_OF_OWNER,
            "uuid, int, int, uuid",
            format!("{days}, '{owner}'"),
            "course_day_pkey",
        ),
        (dashboards::BY_COURSE, "uuid, int, int, bigint", format!("{days}, 10"), "course_day_pkey"),
        (
            dashboards::BY_COURSE_OF_OWNER,
            "uuid, int, int, bigint, uuid",
            format!("{days}, 10, '{owner}'"),
            "course_day_pkey",
        ),
        (dashboards::ACTIVE_LEARNERS, "uuid, int, int", days.clone(), "learning_day_pkey"),
        (
            dashboards::ACTIVE_LEARNERS_OF_OWNER,
            "uuid, int, int, uuid",
            format!("{days}, '{owner}'"),
            "learning_day_",
        ),
        (
            dashboards::OF_LEARNER,
            "uuid, int, int, uuid",
            format!("{days}, '{learner}'"),
            "learning_day_of_learner",
        ),
    ] {
        let plan = generic_plan(&mut superuser, sql, types, &values).await;
        assert!(plan.contains(wanted) && plan.contains("$1"), "{sql}: {plan}");
        for large in
            ["learning_day", "watched_day", "enrolment", "progress_summary", "paid_day", "customer_order"]
        {
            assert!(!plan.contains(&format!("Seq Scan on {large}")), "{sql}: {plan}");
        }
    }

    let mut tx = database.postgres().tenant(TENANT).await.unwrap();
    let month = Period { from: DAY.plus(-29), to: DAY };
    for (who, owner, owned) in [("institution", None, 50), ("instructor", Some(OWNER), 25)] {
        let begun = Instant::now();
        let days = activity_by_day(&mut tx, month, owner).await.unwrap();
        let courses = activity_by_course(&mut tx, month, owner, 10).await.unwrap();
        let summed = begun.elapsed();
        let active = active_learners(&mut tx, month, owner).await.unwrap();
        println!("{who}: days and courses {summed:.1?}, active learners {:.1?}", begun.elapsed() - summed);
        assert_eq!((days.len(), courses.len(), active.by_course.len()), (11, 10, owned));
    }
}
