//! The SQL of issuing: one function a statement.

use akademi_domain::{
    academy::Features,
    certificate::CertificateSerial,
    ids::{CourseId, EnrolmentId, UserId},
    time::Timestamp,
};
use akademi_lambda_store::{error::StoreError, postgres::TenantTransaction};
use sqlx::Row;

use super::Completion;
use crate::holder::Sealed;

/// What the academy has switched off.
pub async fn find_features_off(tx: &mut TenantTransaction) -> Result<Features, StoreError> {
    let bits: Option<i32> = sqlx::query_scalar("SELECT features_off FROM tenant WHERE id = $1")
        .bind(tx.tenant().as_uuid())
        .fetch_optional(tx.connection())
        .await?;
    Ok(Features::from_bits(bits.unwrap_or_default().cast_unsigned()))
}

/// Whether a completed enrolment has its certificate.
pub async fn has_certificate(tx: &mut TenantTransaction, enrolment: EnrolmentId) -> Result<bool, StoreError> {
    let found = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM certificate WHERE tenant_id = $1 AND enrolment_id = $2)",
    )
    .bind(tx.tenant().as_uuid())
    .bind(enrolment.as_uuid())
    .fetch_one(tx.connection())
    .await?;
    Ok(found)
}

/// The course's title as learners see it.
pub async fn find_published_title(
    tx: &mut TenantTransaction,
    course: CourseId,
) -> Result<Option<String>, StoreError> {
    let title = sqlx::query_scalar(
        "SELECT outline ->> 'title' FROM course_publication WHERE tenant_id = $1 AND course_id = $2
         ORDER BY version DESC LIMIT 1",
    )
    .bind(tx.tenant().as_uuid())
    .bind(course.as_uuid())
    .fetch_optional(tx.connection())
    .await?;
    Ok(title)
}

/// A person's profile, unless the person was erased.
pub async fn find_profile(tx: &mut TenantTransaction, person: UserId) -> Result<Option<Sealed>, StoreError> {
    let row = sqlx::query(
        "SELECT sealed_profile, wrapped FROM person
         JOIN person_key ON person_key.tenant_id = $1 AND person_key.user_id = person.id
         WHERE person.tenant_id = $1 AND person.id = $2 AND sealed_profile IS NOT NULL",
    )
    .bind(tx.tenant().as_uuid())
    .bind(person.as_uuid())
    .fetch_optional(tx.connection())
    .await?;
    row.map(|row| Ok(Sealed { bytes: row.try_get("sealed_profile")?, wrapped_key: row.try_get("wrapped")? }))
        .transpose()
}

/// A certificate that is not revoked.
pub struct NewCertificate {
    pub serial: CertificateSerial,
    pub completion: Completion,
    pub title: String,
    /// Sealed.
    pub holder: Option<Vec<u8>>,
    pub issued_at: Timestamp,
}

/// Inserts it unless the enrolment has one, and has its day's reports derived again; whether it did.
pub async fn insert_certificate(
    tx: &mut TenantTransaction,
    new: &NewCertificate,
) -> Result<bool, StoreError> {
    let inserted = sqlx::query(
        "WITH due AS (
             INSERT INTO due_day (tenant_id, day) VALUES ($1, DATE '1970-01-01' + $10) ON CONFLICT DO NOTHING
         )
         INSERT INTO certificate (tenant_id, serial, user_id, course_id, enrolment_id, course_title, sealed_holder,
                                  completed_at, issued_at)
         VALUES ($1, $2::uuid, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
    )
    .bind(tx.tenant().as_uuid())
    .bind(new.serial.to_string())
    .bind(new.completion.person.as_uuid())
    .bind(new.completion.course.as_uuid())
    .bind(new.completion.enrolment.as_uuid())
    .bind(&new.title)
    .bind(&new.holder)
    .bind(new.completion.at.as_millis())
    .bind(new.issued_at.as_millis())
    .bind(new.issued_at.day_in_istanbul().epoch_days())
    .execute(tx.connection())
    .await?;
    Ok(inserted.rows_affected() == 1)
}
