//! The SQL of the routes: one function a statement.

use akademi_domain::{
    certificate::CertificateSerial,
    ids::{CourseId, ImageId, UserId},
    picture::PictureName,
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
    /// What staff wrote; `None` once the person was erased.
    pub revocation_reason: Option<Sealed>,
    /// The person's key; `None` once the person was erased.
    pub wrapped_key: Option<Vec<u8>>,
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

/// $1 tenant, $2 and $3 moment and serial before which the page begins, $4 its length.
const NEWEST: &str = "
SELECT certificate.*, wrapped FROM certificate
LEFT JOIN person_key ON person_key.tenant_id = $1 AND person_key.user_id = certificate.user_id
WHERE certificate.tenant_id = $1 AND (issued_at, serial) < ($2, $3::uuid)
ORDER BY issued_at DESC, serial DESC LIMIT $4";

/// As [`NEWEST`]; $5 the course.
const NEWEST_OF_COURSE: &str = "
SELECT certificate.*, wrapped FROM certificate
LEFT JOIN person_key ON person_key.tenant_id = $1 AND person_key.user_id = certificate.user_id
WHERE certificate.tenant_id = $1 AND course_id = $5 AND (issued_at, serial) < ($2, $3::uuid)
ORDER BY issued_at DESC, serial DESC LIMIT $4";

/// Where a page of a list begins: after this certificate, or with the newest.
pub type After = Option<(Timestamp, CertificateSerial)>;

const BEFORE_ALL: (Timestamp, CertificateSerial) =
    (Timestamp::from_millis(i64::MAX), CertificateSerial::new([u8::MAX; 16]));

/// The academy's certificates, newest first.
pub async fn list_certificates(
    tx: &mut TenantTransaction,
    after: After,
    limit: i64,
) -> Result<Vec<Certificate>, StoreError> {
    let (issued_at, serial) = after.unwrap_or(BEFORE_ALL);
    let rows = sqlx::query(NEWEST)
        .bind(tx.tenant().as_uuid())
        .bind(issued_at.as_millis())
        .bind(serial.to_string())
        .bind(limit)
        .fetch_all(tx.connection())
        .await?;
    rows.iter().map(certificate).collect()
}

/// A course's certificates, newest first.
pub async fn list_certificates_of_course(
    tx: &mut TenantTransaction,
    course: CourseId,
    after: After,
    limit: i64,
) -> Result<Vec<Certificate>, StoreError> {
    let (issued_at, serial) = after.unwrap_or(BEFORE_ALL);
    let rows = sqlx::query(NEWEST_OF_COURSE)
        .bind(tx.tenant().as_uuid())
        .bind(issued_at.as_millis())
        .bind(serial.to_string())
        .bind(limit)
        .bind(course.as_uuid())
        .fetch_all(tx.connection())
        .await?;
    rows.iter().map(certificate).collect()
}

fn certificate(row: &PgRow) -> Result<Certificate, StoreError> {
    let wrapped_key: Option<Vec<u8>> = row.try_get("wrapped")?;
    let sealed = |column| {
        let bytes: Option<Vec<u8>> = row.try_get(column)?;
        let sealed = bytes.zip(wrapped_key.clone());
        Ok::<_, StoreError>(sealed.map(|(bytes, wrapped_key)| Sealed { bytes, wrapped_key }))
    };
    Ok(Certificate {
        serial: CertificateSerial::new(row.try_get::<Uuid, _>("serial")?.into_bytes()),
        person: UserId::from_uuid(row.try_get("user_id")?),
        course: CourseId::from_uuid(row.try_get("course_id")?),
        course_title: row.try_get("course_title")?,
        holder: sealed("sealed_holder")?,
        completed_at: Timestamp::from_millis(row.try_get("completed_at")?),
        issued_at: Timestamp::from_millis(row.try_get("issued_at")?),
        revoked_at: row.try_get::<Option<i64>, _>("revoked_at")?.map(Timestamp::from_millis),
        revocation_reason: sealed("sealed_revocation_reason")?,
        wrapped_key,
    })
}

/// Revokes a certificate, for a sealed reason, and has its day's reports derived again; whether it was there and not
/// revoked before.
pub async fn revoke_certificate(
    tx: &mut TenantTransaction,
    serial: CertificateSerial,
    by: UserId,
    reason: Option<&[u8]>,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let revoked = sqlx::query(
        "WITH due AS (
             INSERT INTO due_day (tenant_id, day) VALUES ($1, DATE '1970-01-01' + $6) ON CONFLICT DO NOTHING
         )
         UPDATE certificate SET revoked_at = $3, revoked_by = $4, sealed_revocation_reason = $5
         WHERE tenant_id = $1 AND serial = $2::uuid AND revoked_at IS NULL",
    )
    .bind(tx.tenant().as_uuid())
    .bind(serial.to_string())
    .bind(at.as_millis())
    .bind(by.as_uuid())
    .bind(reason)
    .bind(at.day_in_istanbul().epoch_days())
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

/// The image that certificates show.
pub async fn find_logo(tx: &mut TenantTransaction) -> Result<Option<ImageId>, StoreError> {
    let image: Option<Uuid> =
        sqlx::query_scalar("SELECT image_id FROM certificate_logo WHERE tenant_id = $1")
            .bind(tx.tenant().as_uuid())
            .fetch_optional(tx.connection())
            .await?;
    Ok(image.map(ImageId::from_uuid))
}

/// Whether it is there and made for certificates; nobody deletes it before this transaction ends.
pub async fn hold_logo_image(tx: &mut TenantTransaction, image: ImageId) -> Result<bool, StoreError> {
    let held = sqlx::query(
        "SELECT FROM image WHERE tenant_id = $1 AND id = $2 AND preset = 'certificate_logo' AND ready_at IS NOT NULL
         FOR KEY SHARE",
    )
    .bind(tx.tenant().as_uuid())
    .bind(image.as_uuid())
    .fetch_optional(tx.connection())
    .await?;
    Ok(held.is_some())
}

pub async fn save_logo(tx: &mut TenantTransaction, image: ImageId) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO certificate_logo (tenant_id, image_id) VALUES ($1, $2)
         ON CONFLICT (tenant_id) DO UPDATE SET image_id = excluded.image_id",
    )
    .bind(tx.tenant().as_uuid())
    .bind(image.as_uuid())
    .execute(tx.connection())
    .await?;
    Ok(())
}

pub async fn remove_logo(tx: &mut TenantTransaction) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM certificate_logo WHERE tenant_id = $1")
        .bind(tx.tenant().as_uuid())
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// The largest JPEG of the logo.
pub async fn find_logo_file(tx: &mut TenantTransaction) -> Result<Option<PictureName>, StoreError> {
    let name: Option<String> = sqlx::query_scalar(
        "SELECT name FROM certificate_logo JOIN image_file
              ON image_file.tenant_id = $1 AND image_file.image_id = certificate_logo.image_id
         WHERE certificate_logo.tenant_id = $1 AND name LIKE '%.jpg' ORDER BY width DESC LIMIT 1",
    )
    .bind(tx.tenant().as_uuid())
    .fetch_optional(tx.connection())
    .await?;
    // It was a name when it was written.
    Ok(name.and_then(|name| name.parse().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use akademi_lambda_store::testing::TestDatabase;
    use sqlx::AssertSqlSafe;

    /// The plan that serves whatever the parameters are, in an academy of 20,000 certificates.
    async fn generic_plan(sql: &str, types: &str, values: &str) -> String {
        let database = TestDatabase::new().await.unwrap();
        let mut superuser = database.superuser().await.unwrap();
        for statement in [
            "INSERT INTO certificate (tenant_id, serial, user_id, course_id, enrolment_id, course_title, completed_at,
                                      issued_at)
             SELECT lpad(to_hex(t), 32, '0')::uuid, gen_random_uuid(), gen_random_uuid(),
                    lpad(to_hex(n % 50), 32, '0')::uuid, gen_random_uuid(), '', n, n
             FROM generate_series(1, 2) AS t, generate_series(1, 20000) AS n"
                .to_owned(),
            "ANALYZE; SET plan_cache_mode = force_generic_plan".to_owned(),
            format!("PREPARE list ({types}) AS {sql}"),
        ] {
            sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut superuser).await.unwrap();
        }
        let explain = AssertSqlSafe(format!("EXPLAIN EXECUTE list ({values})"));
        let rows = sqlx::raw_sql(explain).fetch_all(&mut superuser).await.unwrap();
        let lines: Vec<String> = rows.iter().map(|row| row.try_get(0).unwrap()).collect();
        lines.join("\n")
    }

    #[tokio::test]
    async fn a_page_is_read_from_the_index_in_its_order_whatever_is_asked() {
        let academy = Uuid::from_u128(1);
        let (types, values) = ("uuid, bigint, text, bigint", format!("'{academy}', 10000, '{academy}', 20"));
        let of_course = (format!("{types}, uuid"), format!("{values}, '{academy}'"));
        for (sql, types, values, index) in [
            (NEWEST, types, &values, "certificate_newest"),
            (NEWEST_OF_COURSE, of_course.0.as_str(), &of_course.1, "certificate_of_course"),
        ] {
            let plan = generic_plan(sql, types, values).await;
            assert!(plan.contains(index) && plan.contains("$1") && !plan.contains("Sort"), "{plan}");
        }
        // The twin: one statement for both reads all of the academy, or of the course, for a page.
        let both = NEWEST.replace("AND (issued", "AND ($5::uuid IS NULL OR course_id = $5) AND (issued");
        let plan = generic_plan(&both, &of_course.0, &of_course.1).await;
        assert!(!plan.contains("certificate_of_course"), "{plan}");
    }
}
