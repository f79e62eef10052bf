//! `GET /api/v1/users/me/certificates`: one's own certificates.

use akademi_api::{
    Body, Caller, Problem, QueryParams,
    paging::{Cursor, Page, PageParams},
};
use akademi_domain::{certificate::CertificateSerial, time::Timestamp};
use axum::extract::State;
use serde::Serialize;

use crate::{
    Verify,
    certificate::{CertificateStatus, CertifiedCourse},
    store,
};

/// A certificate in its holder's list.
#[derive(Serialize, utoipa::ToSchema)]
pub struct OwnCertificate {
    serial: CertificateSerial,
    status: CertificateStatus,
    course: CertifiedCourse,
    completed_at: Timestamp,
    issued_at: Timestamp,
    revoked_at: Option<Timestamp>,
    /// The path of the PDF on this host; `null` once it is revoked.
    pdf: Option<String>,
    /// The path of the page on this host where anybody can check it.
    verify: String,
}

/// One's own certificates, newest first
#[utoipa::path(get, path = "/api/v1/users/me/certificates", tag = "certificates", params(PageParams),
    responses((status = 200, description = "A page of certificates", body = Page<OwnCertificate>)))]
pub async fn list(
    State(verify): State<Verify>,
    caller: Caller,
    QueryParams(page): QueryParams<PageParams>,
) -> Result<Body<Page<OwnCertificate>>, Problem> {
    let after = page.cursor.as_deref().map(Cursor::decode).transpose()?;
    let database = verify.edge.tenant(caller.tenant);
    let found = store::list_certificates_of(&database, caller.user, after, page.limit.and_one()).await?;
    let found = Page::of(found, page.limit, |last| Cursor {
        key: last.issued_at.as_millis(),
        id: last.serial.to_string(),
    });
    Ok(Body(found.map(|row| {
        let status = CertificateStatus::of(row.revoked_at);
        let pdf = format!("/api/v1/certificates/{}/pdf", row.serial);
        OwnCertificate {
            serial: row.serial,
            status,
            course: CertifiedCourse { id: row.course, title: row.title },
            completed_at: row.completed_at,
            issued_at: row.issued_at,
            revoked_at: row.revoked_at,
            pdf: (status == CertificateStatus::Valid).then_some(pdf),
            verify: format!("/verify/{}", row.serial),
        }
    })))
}
