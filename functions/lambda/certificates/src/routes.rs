//! What people ask of certificates: lists for the academy's staff, the page for its holder, and revoking.

mod list;
mod logo;
mod page;
mod revocation;
mod store;

use akademi_api::{
    Gate, Ports,
    config::{Config, ConfigError},
    ports::Wake,
    signed::PlaneKeys,
};
use akademi_domain::{
    certificate::{CertificateSerial, HOLDER_FIELD},
    ids::{CourseId, TenantId, UserId},
    time::Timestamp,
};
use akademi_functions::routes_of;
use akademi_lambda_store::{audit::Auditor, objects::Objects, postgres::Postgres};
use akademi_seal::Vault;
use axum::{
    Router,
    routing::{get, post},
};
use serde::Serialize;
use std::sync::Arc;
use utoipa::OpenApi;

use crate::{
    CertificatesError,
    holder::{self, REASON_FIELD},
};
use store::Certificate;

/// What the function stands on.
#[derive(Clone)]
pub struct Certificates {
    ports: Ports,
    planes: Arc<PlaneKeys>,
    postgres: Postgres,
    objects: Objects,
    vault: Arc<Vault>,
    auditor: Auditor,
    wake: Arc<dyn Wake>,
}

impl Certificates {
    /// `wake` has `sync` carry what was just committed.
    ///
    /// # Errors
    /// [`ConfigError`] naming the variable that is missing or wrong.
    pub fn new(
        ports: Ports,
        planes: Arc<PlaneKeys>,
        postgres: Postgres,
        objects: Objects,
        wake: Arc<dyn Wake>,
        config: &Config<'_>,
    ) -> Result<Self, ConfigError> {
        let vault = Arc::new(config.read(akademi_functions::LAMBDA_MASTER_KEY, Vault::from_config)?);
        let auditor = Auditor::new(ports.clone(), vault.clone());
        Ok(Self { ports, planes, postgres, objects, vault, auditor, wake })
    }

    /// The holder's name as it was; `None` once the person was erased.
    fn holder(
        &self,
        tenant: TenantId,
        certificate: &Certificate,
    ) -> Result<Option<String>, CertificatesError> {
        let open = |sealed| holder::open(&self.vault, tenant, certificate.person, HOLDER_FIELD, sealed);
        certificate.holder.as_ref().map(open).transpose()
    }

    /// Why it was revoked; `None` once the person was erased.
    fn revocation_reason(
        &self,
        tenant: TenantId,
        certificate: &Certificate,
    ) -> Result<Option<String>, CertificatesError> {
        let open = |sealed| holder::open(&self.vault, tenant, certificate.person, REASON_FIELD, sealed);
        certificate.revocation_reason.as_ref().map(open).transpose()
    }

    /// The certificate as staff see it. What does not open is told to the log and missing here, so that one broken row
    /// takes no list away.
    fn answer(&self, tenant: TenantId, certificate: Certificate) -> CertificateAnswer {
        CertificateAnswer {
            serial: certificate.serial,
            person: certificate.person,
            holder: self.or_log(tenant, self.holder(tenant, &certificate)).flatten(),
            revocation_reason: self.or_log(tenant, self.revocation_reason(tenant, &certificate)).flatten(),
            course: CertifiedCourse { id: certificate.course, title: certificate.course_title },
            completed_at: certificate.completed_at,
            issued_at: certificate.issued_at,
            revoked_at: certificate.revoked_at,
        }
    }

    /// What was made; if it was not, a line in the log.
    fn or_log<T>(&self, tenant: TenantId, made: Result<T, CertificatesError>) -> Option<T> {
        made.inspect_err(|error| {
            let line = serde_json::json!({
                "at": self.ports.now(), "function": "certificates", "level": "error", "tenant": tenant,
                "cause": error.to_string(),
            });
            self.ports.log.line(&line.to_string());
        })
        .ok()
    }
}

/// A certificate as the academy's staff see it.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = IssuedCertificate)]
pub struct CertificateAnswer {
    pub serial: CertificateSerial,
    pub person: UserId,
    /// The holder's name when it was issued; `null` once the person was erased, or if it cannot be read.
    pub holder: Option<String>,
    pub course: CertifiedCourse,
    pub completed_at: Timestamp,
    pub issued_at: Timestamp,
    pub revoked_at: Option<Timestamp>,
    /// What staff wrote when they revoked it; `null` once the person was erased, or if it cannot be read.
    pub revocation_reason: Option<String>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct CertifiedCourse {
    pub id: CourseId,
    /// The course's title when it was completed.
    pub title: String,
}

pub fn router(certificates: Certificates) -> Router {
    let gate =
        Gate::lambda(routes_of!("certificates"), certificates.ports.clone(), certificates.planes.clone());
    let router = Router::new()
        .route("/api/v1/certificates", get(list::list))
        .route("/api/v1/certificates/{serial}/pdf", get(page::download))
        .route("/api/v1/certificates/{serial}/revocation", post(revocation::revoke))
        .route("/api/v1/academy/certificate-logo", get(logo::show).put(logo::set).delete(logo::remove))
        .with_state(certificates);
    gate.guard(router)
}

#[derive(OpenApi)]
#[openapi(paths(list::list, page::download, revocation::revoke, logo::show, logo::set, logo::remove))]
pub struct ApiDoc;
