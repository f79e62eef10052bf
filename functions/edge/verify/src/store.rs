//! The function's SQL: one function a statement.

use akademi_api::paging::Cursor;
use akademi_domain::{
    certificate::CertificateSerial,
    ids::{CourseId, UserId},
    time::Timestamp,
};
use akademi_edge_store::{MAX_INTEGER, StoreError, TenantDatabase, TenantSql};

/// A certificate with what opens its holder's name.
pub struct StoredCertificate {
    pub person: UserId,
    pub course: CourseId,
    pub title: String,
    /// Sealed under the holder's key.
    pub holder: Option<Vec<u8>>,
    pub completed_at: Timestamp,
    pub issued_at: Timestamp,
    pub revoked_at: Option<Timestamp>,
    /// The holder's key, wrapped under the academy's; nothing once the holder is erased.
    pub wrapped_key: Option<Vec<u8>>,
}

pub async fn find_certificate(
    database: &TenantDatabase<'_>,
    serial: CertificateSerial,
) -> Result<Option<StoredCertificate>, StoreError> {
    const SQL: TenantSql = TenantSql::new(
        "SELECT certificate.person_id AS person, course_id, title, holder, completed_at, issued_at, revoked_at, \
         wrapped FROM certificate LEFT JOIN person_key ON person_key.tenant_id = ?1 \
         AND person_key.person_id = certificate.person_id \
         WHERE certificate.tenant_id = ?1 AND serial = ?2",
    );
    let row = database.row(SQL.with([serial.into()])).await?;
    row.map(|row| {
        Ok(StoredCertificate {
            person: row.parse(0)?,
            course: row.parse(1)?,
            title: row.text(2)?.to_owned(),
            holder: row.optional_blob(3)?.map(<[u8]>::to_vec),
            completed_at: row.timestamp(4)?,
            issued_at: row.timestamp(5)?,
            revoked_at: row.optional_timestamp(6)?,
            wrapped_key: row.optional_blob(7)?.map(<[u8]>::to_vec),
        })
    })
    .transpose()
}

/// A certificate in its holder's list.
pub struct ListedCertificate {
    pub serial: CertificateSerial,
    pub course: CourseId,
    pub title: String,
    pub completed_at: Timestamp,
    pub issued_at: Timestamp,
    pub revoked_at: Option<Timestamp>,
}

/// A person's certificates, newest first.
pub async fn list_certificates_of(
    database: &TenantDatabase<'_>,
    person: UserId,
    after: Option<Cursor>,
    limit: i64,
) -> Result<Vec<ListedCertificate>, StoreError> {
    const SQL: TenantSql = TenantSql::new(
        "SELECT serial, course_id, title, completed_at, issued_at, revoked_at FROM certificate \
         WHERE tenant_id = ?1 AND person_id = ?2 AND (issued_at, serial) < (?3, ?4) \
         ORDER BY issued_at DESC, serial DESC LIMIT ?5",
    );
    let after = after.unwrap_or(Cursor { key: MAX_INTEGER, id: String::new() });
    let rows =
        database.rows(SQL.with([person.into(), after.key.into(), after.id.into(), limit.into()])).await?;
    rows.iter()
        .map(|row| {
            Ok(ListedCertificate {
                serial: row.parse(0)?,
                course: row.parse(1)?,
                title: row.text(2)?.to_owned(),
                completed_at: row.timestamp(3)?,
                issued_at: row.timestamp(4)?,
                revoked_at: row.optional_timestamp(5)?,
            })
        })
        .collect()
}
