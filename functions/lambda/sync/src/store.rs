//! The function's SQL: one function a statement.

mod erasure;
mod progress;
mod records;

pub use erasure::*;
pub use progress::*;
pub use records::*;

use akademi_domain::{
    ids::{CourseId, EnrolmentId, TenantId, UserId},
    time::Timestamp,
};
use akademi_feed::Envelope;
use akademi_lambda_store::{error::StoreError, postgres::TenantTransaction};

/// Where one event begins.
pub async fn set_savepoint(tx: &mut TenantTransaction) -> Result<(), StoreError> {
    sqlx::raw_sql("SAVEPOINT event").execute(tx.connection()).await?;
    Ok(())
}

/// The event stays.
pub async fn release_savepoint(tx: &mut TenantTransaction) -> Result<(), StoreError> {
    sqlx::raw_sql("RELEASE SAVEPOINT event").execute(tx.connection()).await?;
    Ok(())
}

/// Nothing of the event stays, and the transaction goes on.
pub async fn roll_back_to_savepoint(tx: &mut TenantTransaction) -> Result<(), StoreError> {
    sqlx::raw_sql("ROLLBACK TO SAVEPOINT event; RELEASE SAVEPOINT event").execute(tx.connection()).await?;
    Ok(())
}

/// Keeps an event that cannot be applied as it came; one that is there already stays as it is.
pub async fn keep_in_quarantine(
    tx: &mut TenantTransaction,
    source: &str,
    event: &Envelope,
    error: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO feed_quarantine (tenant_id, source, number, kind, version, payload, error, at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
    )
    .bind(tx.tenant().as_uuid())
    .bind(source)
    .bind(event.number)
    .bind(&event.kind)
    .bind(i64::from(event.version))
    .bind(event.payload.as_bytes())
    // A text holds no NUL.
    .bind(error.replace('\0', "\u{fffd}"))
    .bind(now.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// An academy's public face as the edge tells it.
pub struct Academy {
    pub id: TenantId,
    pub slug: String,
    pub name: String,
    pub locale: String,
    pub brand_colour: String,
    pub state: String,
    pub domains: Vec<String>,
    /// Bytes
    pub storage_limit: Option<i64>,
    /// One bit each.
    pub features_off: Option<u32>,
}

/// Saves it, unless it was deleted.
pub async fn save_academy(
    tx: &mut TenantTransaction,
    academy: &Academy,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO tenant (id, slug, name, locale, state, brand, domains, updated_at, storage_limit, features_off)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         ON CONFLICT (id) DO UPDATE SET slug = excluded.slug, name = excluded.name, locale = excluded.locale,
         state = excluded.state, brand = excluded.brand, domains = excluded.domains,
         updated_at = excluded.updated_at, storage_limit = excluded.storage_limit
         WHERE tenant.state <> 'deleted'",
    )
    .bind(academy.id.as_uuid())
    .bind(&academy.slug)
    .bind(&academy.name)
    .bind(&academy.locale)
    .bind(&academy.state)
    .bind(serde_json::json!({ "colour": academy.brand_colour }))
    .bind(&academy.domains)
    .bind(now.as_millis())
    .bind(academy.storage_limit)
    .bind(academy.features_off.unwrap_or_default().cast_signed())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Saves somebody, unless they were erased; whether they were not.
pub async fn save_person(
    tx: &mut TenantTransaction,
    person: UserId,
    sealed_profile: &[u8],
    state: &str,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let saved = sqlx::query(
        "INSERT INTO person (tenant_id, id, sealed_profile, state, updated_at) SELECT $1, $2, $3, $4, $5
         WHERE NOT EXISTS (SELECT FROM tombstone WHERE tenant_id = $1 AND person_id = $2)
         ON CONFLICT (tenant_id, id) DO UPDATE SET sealed_profile = excluded.sealed_profile,
         state = excluded.state, updated_at = excluded.updated_at",
    )
    .bind(tx.tenant().as_uuid())
    .bind(person.as_uuid())
    .bind(sealed_profile)
    .bind(state)
    .bind(at.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(saved.rows_affected() == 1)
}

/// Whether somebody's key is wanted: it is not here, and they were not erased.
pub async fn lacks_person_key(tx: &mut TenantTransaction, person: UserId) -> Result<bool, StoreError> {
    let lacks = sqlx::query_scalar(
        "SELECT NOT EXISTS (SELECT FROM person_key WHERE tenant_id = $1 AND user_id = $2)
            AND NOT EXISTS (SELECT FROM tombstone WHERE tenant_id = $1 AND person_id = $2)",
    )
    .bind(tx.tenant().as_uuid())
    .bind(person.as_uuid())
    .fetch_one(tx.connection())
    .await?;
    Ok(lacks)
}

/// Keeps somebody's key, unless it is here or they were erased.
pub async fn save_person_key(
    tx: &mut TenantTransaction,
    person: UserId,
    wrapped: &[u8],
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO person_key (tenant_id, user_id, wrapped) SELECT $1, $2, $3
         WHERE NOT EXISTS (SELECT FROM tombstone WHERE tenant_id = $1 AND person_id = $2) ON CONFLICT DO NOTHING",
    )
    .bind(tx.tenant().as_uuid())
    .bind(person.as_uuid())
    .bind(wrapped)
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Also has the reports of the enrolment's day derived again.
pub async fn save_enrolment(
    tx: &mut TenantTransaction,
    person: UserId,
    course: CourseId,
    enrolment: EnrolmentId,
    source: &str,
    at: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "WITH due AS (
             INSERT INTO due_day (tenant_id, day) VALUES ($1, DATE '1970-01-01' + $7) ON CONFLICT DO NOTHING
         )
         INSERT INTO enrolment (tenant_id, id, user_id, course_id, source, created_at)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (tenant_id, id) DO NOTHING",
    )
    .bind(tx.tenant().as_uuid())
    .bind(enrolment.as_uuid())
    .bind(person.as_uuid())
    .bind(course.as_uuid())
    .bind(source)
    .bind(at.as_millis())
    .bind(at.day_in_istanbul().epoch_days())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Also has the reports of its day, and of the day when it ended, derived again.
pub async fn delete_enrolment(
    tx: &mut TenantTransaction,
    enrolment: EnrolmentId,
    at: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "WITH ended AS (DELETE FROM enrolment WHERE tenant_id = $1 AND id = $2 RETURNING created_at)
         INSERT INTO due_day (tenant_id, day)
         SELECT $1, (to_timestamp(created_at / 1000) AT TIME ZONE 'Europe/Istanbul')::date FROM ended
         UNION SELECT $1, DATE '1970-01-01' + $3 FROM ended
         ON CONFLICT DO NOTHING",
    )
    .bind(tx.tenant().as_uuid())
    .bind(enrolment.as_uuid())
    .bind(at.day_in_istanbul().epoch_days())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Also has the reports of the completion's day derived again.
pub async fn complete_enrolment(
    tx: &mut TenantTransaction,
    person: UserId,
    enrolment: EnrolmentId,
    at: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "WITH due AS (
             INSERT INTO due_day (tenant_id, day) VALUES ($1, DATE '1970-01-01' + $5) ON CONFLICT DO NOTHING
         )
         UPDATE enrolment SET completed_at = $4
         WHERE tenant_id = $1 AND id = $2 AND user_id = $3 AND completed_at IS NULL",
    )
    .bind(tx.tenant().as_uuid())
    .bind(enrolment.as_uuid())
    .bind(person.as_uuid())
    .bind(at.as_millis())
    .bind(at.day_in_istanbul().epoch_days())
    .execute(tx.connection())
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use akademi_domain::ids::LessonId;
    use akademi_lambda_store::testing::TestDatabase;

    const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

    async fn enrol(tx: &mut TenantTransaction, n: u8) -> Result<(), StoreError> {
        let (person, course) = (UserId::new(NOW, [n; 10]), CourseId::new(NOW, [1; 10]));
        save_enrolment(tx, person, course, EnrolmentId::new(NOW, [n; 10]), "order", NOW).await
    }

    /// Applies one enrolment, fails at one event, applies another enrolment, commits; how many enrolments there are.
    async fn enrolments_around_a_refused_event(with_savepoint: bool) -> i64 {
        let database = TestDatabase::new().await.unwrap();
        let mut tx = database.postgres().tenant(TenantId::new(NOW, [1; 10])).await.unwrap();
        enrol(&mut tx, 1).await.unwrap();
        if with_savepoint {
            set_savepoint(&mut tx).await.unwrap();
        }
        let refused = ProgressSummary {
            person: UserId::new(NOW, [1; 10]),
            course: CourseId::new(NOW, [1; 10]),
            lesson: LessonId::new(NOW, [1; 10]),
            seconds: -1,
            coverage_permille: 0,
            refused_seconds: 0,
            score: None,
            completed_at: None,
            updated_at: NOW,
        };
        assert!(save_progress(&mut tx, &[refused]).await.unwrap_err().refuses_content());
        if with_savepoint {
            roll_back_to_savepoint(&mut tx).await.unwrap();
        }
        assert_eq!(enrol(&mut tx, 2).await.is_ok(), with_savepoint);
        // PostgreSQL answers COMMIT of a broken transaction with a rollback.
        let _ = tx.commit().await;
        let mut superuser = database.superuser().await.unwrap();
        sqlx::query_scalar("SELECT count(*) FROM enrolment").fetch_one(&mut superuser).await.unwrap()
    }

    #[tokio::test]
    async fn a_savepoint_keeps_what_stands_around_a_refused_event() {
        assert_eq!(enrolments_around_a_refused_event(true).await, 2);
    }

    #[tokio::test]
    async fn without_it_the_batch_stands_still() {
        assert_eq!(enrolments_around_a_refused_event(false).await, 0);
    }
}
