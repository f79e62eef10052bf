//! A completed enrolment gets its certificate.

mod store;

use akademi_api::Ports;
use akademi_domain::{
    academy::Feature,
    certificate::CertificateSerial,
    ids::{CourseId, EnrolmentId, UserId},
    time::Timestamp,
};
use akademi_feed::LambdaEvent;
use akademi_lambda_store::{feed, postgres::TenantTransaction};
use akademi_seal::Vault;
use serde::{Deserialize, Serialize};

use crate::{CertificatesError, holder};

/// A course that somebody finished.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Completion {
    pub person: UserId,
    pub course: CourseId,
    pub enrolment: EnrolmentId,
    pub at: Timestamp,
}

/// Issues the certificate of a completed enrolment in the caller's transaction and tells the edge. An enrolment that has
/// one keeps it, and nothing is told again. An academy that has switched certificates off gives none.
///
/// Somebody whose key or profile is gone was erased: the certificate then holds no name.
///
/// # Errors
/// [`CertificatesError::NotPublished`] and [`CertificatesError::Unreadable`], before anything was written;
/// [`CertificatesError::Store`].
pub async fn issue(
    tx: &mut TenantTransaction,
    ports: &Ports,
    vault: &Vault,
    completion: Completion,
) -> Result<(), CertificatesError> {
    let Completion { person, course, at, .. } = completion;
    if store::has_certificate(tx, completion.enrolment).await?
        || store::find_features_off(tx).await?.has(Feature::Certificates)
    {
        return Ok(());
    }
    let title = store::find_published_title(tx, course).await?;
    let title = title.ok_or(CertificatesError::NotPublished(course))?;
    let profile = store::find_profile(tx, person).await?;
    let holder = profile
        .map(|profile| holder::seal(vault, tx.tenant(), person, &profile, ports.random()))
        .transpose()?;
    let new = store::NewCertificate {
        serial: CertificateSerial::new(ports.random()),
        completion,
        title,
        holder,
        issued_at: ports.now(),
    };
    if !store::insert_certificate(tx, &new).await? {
        return Ok(());
    }
    let issued = LambdaEvent::CertificateIssued {
        serial: new.serial,
        person,
        course,
        title: new.title,
        holder: new.holder.map(hex::encode).unwrap_or_default(),
        completed_at: at,
        issued_at: new.issued_at,
    };
    Ok(feed::append(tx, &issued, new.issued_at).await?)
}
