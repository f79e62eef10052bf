//! The SQL of the routes: one function a statement.

use akademi_domain::{
    certificate::CertificateSerial,
    ids::{CourseId, UserId},
    time::Timestamp,
};
use akademi_lambda_store::{error::StoreError, postgres::TenantTransaction};
use sqlx::{Row, postgres::PgRow, types::Uuid};

use crate::holder::Sealed;

/// A certificate as it is stored.
pub struct Certificate {
    pub serial: CertificateSerial,
    pub person: UserId,
    pub course: CourseId,
    pub course_title: String,
    /// The holder's name; `None` once the person was erased.
    pub holder: Option<Sealed>,
    pub completed_at: Timestamp,
    pub issued_at: Timestamp,
    pub revoked_at: Option<Timestamp>,
    pub revocation_reason: Option<String>,
}

pub async fn find_certificate(
    tx: &mut TenantTransaction,
    serial: CertificateSerial,
) -> Result<Option<Certificate>, StoreError> {
    let row = sqlx::query(
        "SELECT certificate.*, wrapped FROM certificate
         LEFT JOIN person_key ON person_key.tenant_id = $1 AND person_key.user_id = certificate.user_id
         WHERE certificate.tenant_id = $1 AND serial = $2::uuid",
    )
    .bind(tx.tenant().as_uuid())
    .bind(serial.to_string())
    .fetch_optional(tx.connection())
    .await?;
    row.as_ref().map(certificate).transpose()
}

/// Certificates after this one, newest first; of one course if it is given.
pub async fn list_certificates(
    tx: &mut TenantTransaction,
    course: Option<CourseId>,
    after: Option<(Timestamp, CertificateSerial)>,
    limit: i64,
) -> Result<Vec<Certificate>, StoreError> {
    let newest = (Timestamp::from_millis(i64::MAX), CertificateSerial::new([u8::MAX; 16]));
    let (issued_at, serial) = after.unwrap_or(newest);
    let rows = sqlx::query(
        "SELECT certificate.*, wrapped FROM certificate
         LEFT JOIN person_key ON person_key.tenant_id = $1 AND person_key.user_id = certificate.user_id
         WHERE certificate.tenant_id = $1 AND ($2::uuid IS NULL OR course_id = $2)
           AND (issued_at, serial) < ($3, $4::uuid)
         ORDER BY issued_at DESC, serial DESC LIMIT $5",
    )
    .bind(tx.tenant().as_uuid())
    .bind(course.map(|course| course.as_uuid()))
    .bind(issued_at.as_millis())
    .bind(serial.to_string())
    .bind(limit)
    .fetch_all(tx.connection())
    .await?;
    rows.iter().map(certificate).collect()
}

fn certificate(row: &PgRow) -> Result<Certificate, StoreError> {
    let holder: Option<Vec<u8>> = row.try_get("sealed_holder")?;
    let key: Option<Vec<u8>> = row.try_get("wrapped")?;
    Ok(Certificate {
        serial: CertificateSerial::new(row.try_get::<Uuid, _>("serial")?.into_bytes()),
        person: UserId::from_uuid(row.try_get("user_id")?),
        course: CourseId::from_uuid(row.try_get("course_id")?),
        course_title: row.try_get("course_title")?,
        holder: holder.zip(key).map(|(bytes, wrapped_key)| Sealed { bytes, wrapped_key }),
        completed_at: Timestamp::from_millis(row.try_get("completed_at")?),
        issued_at: Timestamp::from_millis(row.try_get("issued_at")?),
        revoked_at: row.try_get::<Option<i64>, _>("revoked_at")?.map(Timestamp::from_millis),
        revocation_reason: row.try_get("revocation_reason")?,
    })
}

/// Revokes a certificate; whether it was there and not revoked before.
pub async fn revoke_certificate(
    tx: &mut TenantTransaction,
    serial: CertificateSerial,
    by: UserId,
    reason: &str,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let revoked = sqlx::query(
        "UPDATE certificate SET revoked_at = $3, revoked_by = $4, revocation_reason = $5
         WHERE tenant_id = $1 AND serial = $2::uuid AND revoked_at IS NULL",
    )
    .bind(tx.tenant().as_uuid())
    .bind(serial.to_string())
    .bind(at.as_millis())
    .bind(by.as_uuid())
    .bind(reason)
    .execute(tx.connection())
    .await?;
    Ok(revoked.rows_affected() == 1)
}

/// The academy as its pages show it.
pub struct Academy {
    pub name: String,
    /// `tr` or `en`.
    pub locale: String,
    /// `#rrggbb`
    pub brand_colour: String,
}

pub async fn find_academy(tx: &mut TenantTransaction) -> Result<Option<Academy>, StoreError> {
    let row =
        sqlx::query("SELECT name, locale, brand ->> 'colour' AS brand_colour FROM tenant WHERE id = $1")
            .bind(tx.tenant().as_uuid())
            .fetch_optional(tx.connection())
            .await?;
    row.map(|row| {
        Ok(Academy {
            name: row.try_get("name")?,
            locale: row.try_get("locale")?,
            brand_colour: row.try_get("brand_colour")?,
        })
    })
    .transpose()
}
