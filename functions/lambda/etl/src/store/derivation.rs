//! Report rows of one day, from facts and from each other.
//!
//! Each statement says which rows the day should have (`wanted`), removes those that no longer hold and writes those
//! that differ, and answers how many that were.

use akademi_domain::time::Day;
use akademi_lambda_store::{error::StoreError, postgres::TenantTransaction};

/// $1 tenant, $2 day; $3 and $4 its first moment and that of the day after.
pub(super) const LEARNING: &str = "
WITH wanted AS (
    SELECT user_id, course_id, sum(enrolments) AS enrolments, sum(completions) AS completions,
           sum(certificates) AS certificates, sum(revocations) AS revocations,
           sum(watched_seconds) AS watched_seconds, sum(refused_seconds) AS refused_seconds, bool_or(active) AS active
    FROM (
        SELECT user_id, course_id, 1, 0, 0, 0, 0, 0, false FROM enrolment
        WHERE tenant_id = $1 AND created_at >= $3 AND created_at < $4
        UNION ALL
        SELECT user_id, course_id, 0, 1, 0, 0, 0, 0, false FROM enrolment
        WHERE tenant_id = $1 AND completed_at >= $3 AND completed_at < $4
        UNION ALL
        SELECT user_id, course_id, 0, 0, 1, 0, 0, 0, false FROM certificate
        WHERE tenant_id = $1 AND issued_at >= $3 AND issued_at < $4
        UNION ALL
        SELECT user_id, course_id, 0, 0, 0, 1, 0, 0, false FROM certificate
        WHERE tenant_id = $1 AND revoked_at >= $3 AND revoked_at < $4
        UNION ALL
        SELECT user_id, course_id, 0, 0, 0, 0, seconds, refused_seconds, true FROM watched_day
        WHERE tenant_id = $1 AND day = DATE '1970-01-01' + $2
        UNION ALL
        SELECT user_id, course_id, 0, 0, 0, 0, 0, 0, false
        FROM customer_order JOIN order_line ON order_line.tenant_id = $1 AND order_id = customer_order.id
        WHERE customer_order.tenant_id = $1 AND state IN ('paid', 'refund_due', 'refunded')
          AND paid_at >= $3 AND paid_at < $4 AND order_line.total > 0
    ) AS fact (user_id, course_id, enrolments, completions, certificates, revocations, watched_seconds,
               refused_seconds, active)
    GROUP BY user_id, course_id
), removed AS (
    DELETE FROM learning_day WHERE tenant_id = $1 AND day = DATE '1970-01-01' + $2
    AND NOT EXISTS (SELECT FROM wanted WHERE wanted.user_id = learning_day.user_id
                                         AND wanted.course_id = learning_day.course_id)
    RETURNING 1
), saved AS (
    INSERT INTO learning_day (tenant_id, day, user_id, course_id, enrolments, completions, certificates, revocations,
                              watched_seconds, refused_seconds, active)
    SELECT $1, DATE '1970-01-01' + $2, user_id, course_id, enrolments, completions, certificates, revocations,
           watched_seconds, refused_seconds, active
    FROM wanted
    ON CONFLICT (tenant_id, day, user_id, course_id) DO UPDATE
    SET enrolments = excluded.enrolments, completions = excluded.completions, certificates = excluded.certificates,
        revocations = excluded.revocations, watched_seconds = excluded.watched_seconds,
        refused_seconds = excluded.refused_seconds, active = excluded.active
    WHERE (learning_day.enrolments, learning_day.completions, learning_day.certificates, learning_day.revocations,
           learning_day.watched_seconds, learning_day.refused_seconds, learning_day.active)
          IS DISTINCT FROM (excluded.enrolments, excluded.completions, excluded.certificates, excluded.revocations,
                            excluded.watched_seconds, excluded.refused_seconds, excluded.active)
    RETURNING 1
)
SELECT (SELECT count(*) FROM removed) + (SELECT count(*) FROM saved)";

/// As [`LEARNING`].
pub(super) const PAYMENTS: &str = "
WITH wanted AS (
    SELECT user_id, course_id, currency, sum(order_line.total) AS amount
    FROM customer_order JOIN order_line ON order_line.tenant_id = $1 AND order_id = customer_order.id
    WHERE customer_order.tenant_id = $1 AND state IN ('paid', 'refund_due', 'refunded')
      AND paid_at >= $3 AND paid_at < $4 AND order_line.total > 0
    GROUP BY user_id, course_id, currency
), removed AS (
    DELETE FROM paid_day WHERE tenant_id = $1 AND day = DATE '1970-01-01' + $2
    AND NOT EXISTS (SELECT FROM wanted WHERE wanted.user_id = paid_day.user_id
                                         AND wanted.course_id = paid_day.course_id
                                         AND wanted.currency = paid_day.currency)
    RETURNING 1
), saved AS (
    INSERT INTO paid_day (tenant_id, day, user_id, course_id, currency, amount)
    SELECT $1, DATE '1970-01-01' + $2, user_id, course_id, currency, amount FROM wanted
    ON CONFLICT (tenant_id, day, user_id, course_id, currency) DO UPDATE SET amount = excluded.amount
    WHERE paid_day.amount IS DISTINCT FROM excluded.amount
    RETURNING 1
)
SELECT (SELECT count(*) FROM removed) + (SELECT count(*) FROM saved)";

/// $1 tenant, $2 day.
pub(super) const LEARNING_SUMS: &str = "
WITH wanted AS (
    SELECT course_id, sum(enrolments) AS enrolments, sum(completions) AS completions,
           sum(certificates) AS certificates, sum(revocations) AS revocations,
           sum(watched_seconds) AS watched_seconds, sum(refused_seconds) AS refused_seconds
    FROM learning_day WHERE tenant_id = $1 AND day = DATE '1970-01-01' + $2 GROUP BY course_id
), removed AS (
    DELETE FROM course_day WHERE tenant_id = $1 AND day = DATE '1970-01-01' + $2
    AND NOT EXISTS (SELECT FROM wanted WHERE wanted.course_id = course_day.course_id)
    RETURNING 1
), saved AS (
    INSERT INTO course_day (tenant_id, day, course_id, enrolments, completions, certificates, revocations,
                            watched_seconds, refused_seconds)
    SELECT $1, DATE '1970-01-01' + $2, course_id, enrolments, completions, certificates, revocations,
           watched_seconds, refused_seconds
    FROM wanted
    ON CONFLICT (tenant_id, day, course_id) DO UPDATE
    SET enrolments = excluded.enrolments, completions = excluded.completions, certificates = excluded.certificates,
        revocations = excluded.revocations, watched_seconds = excluded.watched_seconds,
        refused_seconds = excluded.refused_seconds
    WHERE (course_day.enrolments, course_day.completions, course_day.certificates, course_day.revocations,
           course_day.watched_seconds, course_day.refused_seconds)
          IS DISTINCT FROM (excluded.enrolments, excluded.completions, excluded.certificates, excluded.revocations,
                            excluded.watched_seconds, excluded.refused_seconds)
    RETURNING 1
)
SELECT (SELECT count(*) FROM removed) + (SELECT count(*) FROM saved)";

/// As [`LEARNING_SUMS`].
pub(super) const PAYMENT_SUMS: &str = "
WITH wanted AS (
    SELECT course_id, currency, sum(amount) AS amount
    FROM paid_day WHERE tenant_id = $1 AND day = DATE '1970-01-01' + $2 GROUP BY course_id, currency
), removed AS (
    DELETE FROM course_paid_day WHERE tenant_id = $1 AND day = DATE '1970-01-01' + $2
    AND NOT EXISTS (SELECT FROM wanted WHERE wanted.course_id = course_paid_day.course_id
                                         AND wanted.currency = course_paid_day.currency)
    RETURNING 1
), saved AS (
    INSERT INTO course_paid_day (tenant_id, day, course_id, currency, amount)
    SELECT $1, DATE '1970-01-01' + $2, course_id, currency, amount FROM wanted
    ON CONFLICT (tenant_id, day, course_id, currency) DO UPDATE SET amount = excluded.amount
    WHERE course_paid_day.amount IS DISTINCT FROM excluded.amount
    RETURNING 1
)
SELECT (SELECT count(*) FROM removed) + (SELECT count(*) FROM saved)";

/// As [`LEARNING_SUMS`]. A course whose scores are all gone (the edge was restored from a backup, and has told its older
/// summaries) loses its row, whatever the day.
pub(super) const SCORES: &str = "
WITH wanted AS (
    SELECT course_id, count(*) AS scored, sum(1000 * score_points / score_max) AS permille
    FROM progress_summary
    WHERE tenant_id = $1 AND score_max > 0 AND course_id IN (
        SELECT course_id FROM learning_day WHERE tenant_id = $1 AND day = DATE '1970-01-01' + $2 AND active)
    GROUP BY course_id
), removed AS (
    DELETE FROM course_score WHERE tenant_id = $1
    AND NOT EXISTS (SELECT FROM progress_summary WHERE progress_summary.tenant_id = $1 AND score_max > 0
                                                   AND progress_summary.course_id = course_score.course_id)
    RETURNING 1
), saved AS (
    INSERT INTO course_score (tenant_id, course_id, scored, permille) SELECT $1, course_id, scored, permille FROM wanted
    ON CONFLICT (tenant_id, course_id) DO UPDATE SET scored = excluded.scored, permille = excluded.permille
    WHERE (course_score.scored, course_score.permille) IS DISTINCT FROM (excluded.scored, excluded.permille)
    RETURNING 1
)
SELECT (SELECT count(*) FROM removed) + (SELECT count(*) FROM saved)";

/// What each learner did in each course.
pub async fn derive_learning(tx: &mut TenantTransaction, day: Day) -> Result<i64, StoreError> {
    let changed = sqlx::query_scalar(LEARNING)
        .bind(tx.tenant().as_uuid())
        .bind(day.epoch_days())
        .bind(day.start_in_istanbul().as_millis())
        .bind(day.plus(1).start_in_istanbul().as_millis())
        .fetch_one(tx.connection())
        .await?;
    Ok(changed)
}

/// What each learner paid for each course: orders whose money was captured that day, whatever became of it since.
pub async fn derive_payments(tx: &mut TenantTransaction, day: Day) -> Result<i64, StoreError> {
    let changed = sqlx::query_scalar(PAYMENTS)
        .bind(tx.tenant().as_uuid())
        .bind(day.epoch_days())
        .bind(day.start_in_istanbul().as_millis())
        .bind(day.plus(1).start_in_istanbul().as_millis())
        .fetch_one(tx.connection())
        .await?;
    Ok(changed)
}

/// All learners of each course together, from [`derive_learning`]'s rows.
pub async fn sum_learning(tx: &mut TenantTransaction, day: Day) -> Result<i64, StoreError> {
    let changed = sqlx::query_scalar(LEARNING_SUMS)
        .bind(tx.tenant().as_uuid())
        .bind(day.epoch_days())
        .fetch_one(tx.connection())
        .await?;
    Ok(changed)
}

/// All learners of each course together, from [`derive_payments`]' rows.
pub async fn sum_payments(tx: &mut TenantTransaction, day: Day) -> Result<i64, StoreError> {
    let changed = sqlx::query_scalar(PAYMENT_SUMS)
        .bind(tx.tenant().as_uuid())
        .bind(day.epoch_days())
        .fetch_one(tx.connection())
        .await?;
    Ok(changed)
}

/// The scores so far of the courses that somebody was active in that day.
pub async fn average_scores(tx: &mut TenantTransaction, day: Day) -> Result<i64, StoreError> {
    let changed = sqlx::query_scalar(SCORES)
        .bind(tx.tenant().as_uuid())
        .bind(day.epoch_days())
        .fetch_one(tx.connection())
        .await?;
    Ok(changed)
}
