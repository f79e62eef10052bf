//! From where something was done, opened with the key of the person whom it was sealed for.

use akademi_domain::ids::{TenantId, UserId};
use akademi_lambda_store::audit::ORIGIN_FIELD;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{Audit, store::SealedOrigin};

/// From where something was done, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = AuditOrigin)]
pub struct Origin {
    /// The client's network address.
    #[serde(default)]
    pub address: Option<String>,
    /// The browser or device, by the name that sign-ins show.
    #[serde(default)]
    pub device: Option<String>,
    /// ISO 3166-1 alpha-2, by the network address.
    #[serde(default)]
    pub country: Option<String>,
}

impl Audit {
    /// What was sealed; `None` where nothing was, once the person was erased, and where it cannot be read, which the log
    /// is told.
    pub fn open(&self, tenant: TenantId, sealed: &SealedOrigin) -> Option<Origin> {
        let (person, wrapped) = (sealed.person?, sealed.wrapped_key.as_ref()?);
        if sealed.bytes.is_empty() {
            return None;
        }
        let key = self.vault.unwrap_key(tenant, person, wrapped).ok();
        let plain = key.and_then(|key| key.open(person, ORIGIN_FIELD, &sealed.bytes).ok());
        let origin = plain.and_then(|plain| serde_json::from_slice(&plain).ok());
        if origin.is_none() {
            self.log_unreadable(tenant, person);
        }
        origin
    }

    fn log_unreadable(&self, tenant: TenantId, person: UserId) {
        let line = json!({
            "at": self.ports.now(), "function": "audit", "level": "error", "tenant": tenant,
            "cause": format!("an origin that is sealed for {person} cannot be read"),
        });
        self.ports.log.line(&line.to_string());
    }
}
