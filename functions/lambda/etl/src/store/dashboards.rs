//! What dashboards read: report tables, and of a course its title and owner.

use akademi_domain::{
    ids::{CourseId, UserId},
    time::{Day, Timestamp},
};
use akademi_lambda_store::{error::StoreError, postgres::TenantTransaction};
use sqlx::{
    Row,
    postgres::{PgArguments, PgRow},
    types::Json,
};
use std::collections::BTreeMap;
use uuid::Uuid;

use crate::{dashboard::Activity, period::Period};

/// $1 tenant, $2 and $3 first and last day, $4 the owner of the courses.
macro_rules! by_day {
    ($owned:literal) => {
        concat!(
            "
WITH counted AS (
    SELECT day, sum(enrolments)::bigint AS enrolments, sum(completions)::bigint AS completions,
           sum(certificates)::bigint AS certificates, sum(revocations)::bigint AS revocations,
           sum(watched_seconds)::bigint AS watched_seconds
    FROM course_day
    WHERE tenant_id = $1 AND day BETWEEN DATE '1970-01-01' + $2 AND DATE '1970-01-01' + $3 ",
            $owned,
            "
    GROUP BY day
), paid AS (
    SELECT day, jsonb_agg(jsonb_build_object('amount', amount, 'currency', currency) ORDER BY currency) AS paid
    FROM (
        SELECT day, currency, sum(amount) AS amount FROM course_paid_day
        WHERE tenant_id = $1 AND day BETWEEN DATE '1970-01-01' + $2 AND DATE '1970-01-01' + $3 ",
            $owned,
            "
        GROUP BY day, currency
    ) AS by_currency
    GROUP BY day
)
SELECT day - DATE '1970-01-01' AS day, enrolments, completions, certificates, revocations, watched_seconds,
       COALESCE(paid, '[]') AS paid
FROM counted LEFT JOIN paid USING (day)"
        )
    };
}

/// As [`by_day`]; $4 how many courses at most, $5 the owner.
macro_rules! by_course {
    ($owned:literal) => {
        concat!(
            "
WITH counted AS (
    SELECT course_id, sum(enrolments)::bigint AS enrolments, sum(completions)::bigint AS completions,
           sum(certificates)::bigint AS certificates, sum(revocations)::bigint AS revocations,
           sum(watched_seconds)::bigint AS watched_seconds, sum(refused_seconds)::bigint AS refused_seconds
    FROM course_day
    WHERE tenant_id = $1 AND day BETWEEN DATE '1970-01-01' + $2 AND DATE '1970-01-01' + $3 ",
            $owned,
            "
    GROUP BY course_id
    ORDER BY sum(watched_seconds) DESC, sum(enrolments) DESC, course_id LIMIT $4
), paid AS (
    SELECT course_id, jsonb_agg(jsonb_build_object('amount', amount, 'currency', currency) ORDER BY currency) AS paid
    FROM (
        SELECT course_id, currency, sum(amount) AS amount FROM course_paid_day
        WHERE tenant_id = $1 AND day BETWEEN DATE '1970-01-01' + $2 AND DATE '1970-01-01' + $3
          AND course_id IN (SELECT course_id FROM counted)
        GROUP BY course_id, currency
    ) AS by_currency
    GROUP BY course_id
)
SELECT counted.course_id, COALESCE(title, '') AS title, enrolments, completions, certificates, revocations, watched_seconds,
       refused_seconds, COALESCE(paid, '[]') AS paid, permille / scored AS average_score_permille
FROM counted
LEFT JOIN paid USING (course_id)
LEFT JOIN course_draft ON course_draft.tenant_id = $1 AND course_draft.id = counted.course_id
LEFT JOIN course_score ON course_score.tenant_id = $1 AND course_score.course_id = counted.course_id
ORDER BY watched_seconds DESC, enrolments DESC, counted.course_id"
        )
    };
}

/// As [`by_day`].
macro_rules! active_learners {
    ($owned:literal) => {
        concat!(
            "
SELECT day - DATE '1970-01-01' AS day, course_id, count(DISTINCT user_id) AS learners,
       (SELECT max(finished_at) FROM etl_run WHERE tenant_id = $1) AS as_of
FROM learning_day
WHERE tenant_id = $1 AND day BETWEEN DATE '1970-01-01' + $2 AND DATE '1970-01-01' + $3 AND active ",
            $owned,
            "
GROUP BY GROUPING SETS ((day), (course_id), ())"
        )
    };
}

// All courses, or an owner's: a statement each, so that neither plan has to serve both.
pub(super) const BY_DAY: &str = by_day!("");
pub(super) const BY_DAY_OF_OWNER: &str =
    by_day!("AND course_id IN (SELECT id FROM course_draft WHERE tenant_id = $1 AND owner_id = $4)");
pub(super) const BY_COURSE: &str = by_course!("");
pub(super) const BY_COURSE_OF_OWNER: &str =
    by_course!("AND course_id IN (SELECT id FROM course_draft WHERE tenant_id = $1 AND owner_id = $5)");
pub(super) const ACTIVE_LEARNERS: &str = active_learners!("");
pub(super) const ACTIVE_LEARNERS_OF_OWNER: &str =
    active_learners!("AND course_id IN (SELECT id FROM course_draft WHERE tenant_id = $1 AND owner_id = $4)");

/// $1 tenant, $2 and $3 first and last day, $4 the learner.
pub(super) const OF_LEARNER: &str = "
WITH counted AS (
    SELECT course_id, sum(enrolments)::bigint AS enrolments, sum(completions)::bigint AS completions,
           sum(certificates)::bigint AS certificates, sum(revocations)::bigint AS revocations,
           sum(watched_seconds)::bigint AS watched_seconds
    FROM learning_day
    WHERE tenant_id = $1 AND user_id = $4 AND day BETWEEN DATE '1970-01-01' + $2 AND DATE '1970-01-01' + $3
    GROUP BY course_id
), paid AS (
    SELECT course_id, jsonb_agg(jsonb_build_object('amount', amount, 'currency', currency) ORDER BY currency) AS paid
    FROM (
        SELECT course_id, currency, sum(amount) AS amount FROM paid_day
        WHERE tenant_id = $1 AND user_id = $4 AND day BETWEEN DATE '1970-01-01' + $2 AND DATE '1970-01-01' + $3
        GROUP BY course_id, currency
    ) AS by_currency
    GROUP BY course_id
)
SELECT counted.course_id, COALESCE(outline ->> 'title', title, '') AS title, enrolments, completions, certificates,
       revocations, watched_seconds, COALESCE(paid, '[]') AS paid
FROM counted
LEFT JOIN paid USING (course_id)
LEFT JOIN course_draft ON course_draft.tenant_id = $1 AND course_draft.id = counted.course_id
LEFT JOIN course_publication ON course_publication.tenant_id = $1
                            AND course_publication.course_id = counted.course_id
                            AND course_publication.version = course_draft.published_version
ORDER BY watched_seconds DESC, enrolments DESC, counted.course_id";

/// Breaks off statements of this transaction that take longer: [`StoreError::TimedOut`].
pub async fn limit_statements(tx: &mut TenantTransaction, millis: u32) -> Result<(), StoreError> {
    sqlx::query("SELECT set_config('statement_timeout', $1, true)")
        .bind(millis.to_string())
        .execute(tx.connection())
        .await?;
    Ok(())
}

type Query = sqlx::query::Query<'static, sqlx::Postgres, PgArguments>;

/// The statement of all courses, or that of an owner's; with the parameters that both have.
fn of_courses(
    tx: &TenantTransaction,
    period: Period,
    owner: Option<UserId>,
    [all, owned]: [&'static str; 2],
) -> Query {
    sqlx::query(if owner.is_some() { owned } else { all })
        .bind(tx.tenant().as_uuid())
        .bind(period.from.epoch_days())
        .bind(period.to.epoch_days())
}

fn with_owner(query: Query, owner: Option<UserId>) -> Query {
    match owner {
        Some(owner) => query.bind(owner.as_uuid()),
        None => query,
    }
}

/// What happened on the days on which anything did, in all courses or this owner's.
pub async fn activity_by_day(
    tx: &mut TenantTransaction,
    period: Period,
    owner: Option<UserId>,
) -> Result<BTreeMap<Day, Activity>, StoreError> {
    let query = of_courses(tx, period, owner, [BY_DAY, BY_DAY_OF_OWNER]);
    let rows = with_owner(query, owner).fetch_all(tx.connection()).await?;
    rows.iter().map(|row| Ok((Day::from_epoch_days(row.try_get("day")?), activity(row)?))).collect()
}

/// A course in a period.
pub struct CourseActivity {
    pub course: CourseId,
    /// As it is now; empty for a course that is not known here.
    pub title: String,
    pub activity: Activity,
    pub refused_seconds: i64,
    pub average_score_permille: Option<i64>,
}

/// The courses in which anything happened, the most watched first, at most `limit`; all, or this owner's.
pub async fn activity_by_course(
    tx: &mut TenantTransaction,
    period: Period,
    owner: Option<UserId>,
    limit: i64,
) -> Result<Vec<CourseActivity>, StoreError> {
    let query = of_courses(tx, period, owner, [BY_COURSE, BY_COURSE_OF_OWNER]).bind(limit);
    let rows = with_owner(query, owner).fetch_all(tx.connection()).await?;
    rows.iter()
        .map(|row| {
            Ok(CourseActivity {
                course: CourseId::from_uuid(row.try_get("course_id")?),
                title: row.try_get("title")?,
                activity: activity(row)?,
                refused_seconds: row.try_get("refused_seconds")?,
                average_score_permille: row.try_get("average_score_permille")?,
            })
        })
        .collect()
}

/// How many people did something in a lesson: who did on three days counts once in the period and once on each of the days.
#[derive(Default)]
pub struct ActiveLearners {
    pub in_period: i64,
    pub by_day: BTreeMap<Day, i64>,
    pub by_course: BTreeMap<CourseId, i64>,
    /// When a run of this academy last finished.
    pub as_of: Option<Timestamp>,
}

/// In all courses, or this owner's.
pub async fn active_learners(
    tx: &mut TenantTransaction,
    period: Period,
    owner: Option<UserId>,
) -> Result<ActiveLearners, StoreError> {
    let query = of_courses(tx, period, owner, [ACTIVE_LEARNERS, ACTIVE_LEARNERS_OF_OWNER]);
    let rows = with_owner(query, owner).fetch_all(tx.connection()).await?;
    let mut active = ActiveLearners::default();
    for row in &rows {
        let learners = row.try_get("learners")?;
        let (day, course): (Option<i32>, Option<Uuid>) = (row.try_get("day")?, row.try_get("course_id")?);
        match (day, course) {
            (Some(day), _) => {
                active.by_day.insert(Day::from_epoch_days(day), learners);
            }
            (None, Some(course)) => {
                active.by_course.insert(CourseId::from_uuid(course), learners);
            }
            (None, None) => {
                active.in_period = learners;
                active.as_of = row.try_get::<Option<i64>, _>("as_of")?.map(Timestamp::from_millis);
            }
        }
    }
    Ok(active)
}

/// The courses in which this learner did anything, the most watched first, with the titles that learners see.
pub async fn activity_of_learner(
    tx: &mut TenantTransaction,
    period: Period,
    learner: UserId,
) -> Result<Vec<(CourseId, String, Activity)>, StoreError> {
    let rows = sqlx::query(OF_LEARNER)
        .bind(tx.tenant().as_uuid())
        .bind(period.from.epoch_days())
        .bind(period.to.epoch_days())
        .bind(learner.as_uuid())
        .fetch_all(tx.connection())
        .await?;
    rows.iter()
        .map(|row| {
            let course = CourseId::from_uuid(row.try_get("course_id")?);
            Ok((course, row.try_get("title")?, activity(row)?))
        })
        .collect()
}

fn activity(row: &PgRow) -> Result<Activity, StoreError> {
    let Json(paid) = row.try_get("paid")?;
    Ok(Activity {
        enrolments: row.try_get("enrolments")?,
        completions: row.try_get("completions")?,
        certificates: row.try_get("certificates")?,
        revoked_certificates: row.try_get("revocations")?,
        paid,
        watched_seconds: row.try_get("watched_seconds")?,
    })
}
