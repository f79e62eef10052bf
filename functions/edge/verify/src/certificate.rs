//! `GET /api/v1/certificates/{serial}`: whether a certificate holds, and what it says.

use akademi_api::{Academy, Body, PathParam, Problem};
use akademi_domain::{
    certificate::{CertificateSerial, HOLDER_FIELD},
    ids::CourseId,
    time::Timestamp,
};
use axum::extract::State;
use serde::Serialize;

use crate::{
    Verify,
    store::{self, StoredCertificate},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CertificateStatus {
    Valid,
    /// The academy took it back, for good.
    Revoked,
}

impl CertificateStatus {
    pub const fn of(revoked_at: Option<Timestamp>) -> Self {
        match revoked_at {
            None => Self::Valid,
            Some(_) => Self::Revoked,
        }
    }
}

/// What a certificate was given for.
#[derive(Serialize, utoipa::ToSchema)]
pub struct CertifiedCourse {
    pub id: CourseId,
    /// The course's title when it was completed.
    pub title: String,
}

/// Who gave a certificate.
#[derive(Serialize, utoipa::ToSchema)]
pub struct CertifyingAcademy {
    name: String,
}

/// A certificate as anybody who holds its serial may see it.
#[derive(Serialize, utoipa::ToSchema)]
pub struct CertificateCheck {
    serial: CertificateSerial,
    status: CertificateStatus,
    /// The holder's name when it was issued; `null` once the holder's personal data is erased.
    holder: Option<String>,
    course: CertifiedCourse,
    academy: CertifyingAcademy,
    completed_at: Timestamp,
    issued_at: Timestamp,
    revoked_at: Option<Timestamp>,
}

/// Check a certificate
///
/// Whoever knows the serial may see what the certificate says, and whether the academy has revoked it since.
#[utoipa::path(get, path = "/api/v1/certificates/{serial}", tag = "certificates",
    params(("serial" = CertificateSerial, Path, description = "The certificate's serial")),
    responses((status = 200, description = "The certificate", body = CertificateCheck)))]
pub async fn show(
    State(verify): State<Verify>,
    academy: Academy,
    PathParam(serial): PathParam<CertificateSerial>,
) -> Result<Body<CertificateCheck>, Problem> {
    let (found, holder) = find(&verify, &academy, serial).await?.ok_or_else(Problem::not_found)?;
    Ok(Body(CertificateCheck {
        serial,
        status: CertificateStatus::of(found.revoked_at),
        holder,
        course: CertifiedCourse { id: found.course, title: found.title },
        academy: CertifyingAcademy { name: academy.profile.name.clone() },
        completed_at: found.completed_at,
        issued_at: found.issued_at,
        revoked_at: found.revoked_at,
    }))
}

/// The academy's certificate of this serial and its holder's name, if that can still be read.
pub async fn find(
    verify: &Verify,
    academy: &Academy,
    serial: CertificateSerial,
) -> Result<Option<(StoredCertificate, Option<String>)>, Problem> {
    let found = store::find_certificate(&verify.edge.tenant(academy.id), serial).await?;
    found
        .map(|certificate| {
            let holder = holder(verify, academy, &certificate)?;
            Ok((certificate, holder))
        })
        .transpose()
}

/// The holder's name; nothing when the holder's key is gone.
fn holder(
    verify: &Verify,
    academy: &Academy,
    certificate: &StoredCertificate,
) -> Result<Option<String>, Problem> {
    let (Some(sealed), Some(wrapped)) = (&certificate.holder, &certificate.wrapped_key) else {
        return Ok(None);
    };
    let key = verify.vault.unwrap_key(academy.id, certificate.person, wrapped).map_err(Problem::broken)?;
    let name = key.open(certificate.person, HOLDER_FIELD, sealed).map_err(Problem::broken)?;
    String::from_utf8(name.to_vec()).map(Some).map_err(|_| Problem::broken("a holder's name is no UTF-8"))
}
