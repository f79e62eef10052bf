//! Signing in elsewhere: an academy's identity providers, and what they say of people. And whether [`passkeys`] are genuine.
//!
//! Staff configures providers, whose secrets are sealed and never answered; the edge learns their public face by the feed. When
//! somebody signs in, the edge asks here where to send the browser, and later whom a code stands for: it keeps `state`, `nonce`
//! and the verifier, and makes the session. Nothing of a person is kept here.
//!
//! [`provider`] says what a provider is to us: [`oidc`] is any that speaks OpenID Connect, [`facebook`] and [`edevlet`] speak
//! protocols of their own. What they are asked goes through [`outgoing`], which reaches no private network.

mod configuration;
pub mod edevlet;
mod error;
mod exchange;
pub mod facebook;
pub mod oidc;
pub mod outgoing;
mod passkeys;
pub mod provider;
mod settings;
mod store;

use akademi_api::{
    Gate, Ports,
    config::{Config, ConfigError},
    ports::Wake,
    signed::PlaneKeys,
};
use akademi_functions::routes_of;
use akademi_lambda_store::{audit::Auditor, postgres::Postgres};
use akademi_seal::Vault;
use axum::{
    Router,
    routing::{get, post, put},
};
use http::Uri;
use std::sync::Arc;
use utoipa::OpenApi;

pub use error::IdentityError;

use oidc::discovery::Discoveries;
use outgoing::Outgoing;

/// Where the providers answer that have one address for everybody.
#[derive(Debug, Clone)]
pub struct Addresses {
    /// Of Facebook's dialog.
    pub facebook: Uri,
    /// Of Facebook's Graph API.
    pub facebook_graph: Uri,
    pub edevlet: Uri,
}

impl Default for Addresses {
    fn default() -> Self {
        Self {
            facebook: Uri::from_static("https://www.facebook.com"),
            facebook_graph: Uri::from_static("https://graph.facebook.com"),
            edevlet: Uri::from_static("https://giris.turkiye.gov.tr"),
        }
    }
}

/// What the function stands on.
#[derive(Clone)]
pub struct Identity {
    ports: Ports,
    planes: Arc<PlaneKeys>,
    postgres: Postgres,
    vault: Arc<Vault>,
    auditor: Auditor,
    wake: Arc<dyn Wake>,
    addresses: Addresses,
    outgoing: Arc<Outgoing>,
    discoveries: Arc<Discoveries>,
}

impl Identity {
    /// `wake` has `sync` carry what was just committed.
    ///
    /// # Errors
    /// [`ConfigError`] naming the variable that is missing or wrong.
    pub fn new(
        ports: Ports,
        planes: Arc<PlaneKeys>,
        postgres: Postgres,
        wake: Arc<dyn Wake>,
        config: &Config<'_>,
    ) -> Result<Self, ConfigError> {
        let vault = Arc::new(config.read(akademi_functions::LAMBDA_MASTER_KEY, Vault::from_config)?);
        Ok(Self {
            auditor: Auditor::new(ports.clone(), vault.clone()),
            ports,
            planes,
            postgres,
            vault,
            wake,
            addresses: Addresses::default(),
            outgoing: Arc::new(Outgoing::new(&[])),
            discoveries: Arc::default(),
        })
    }

    /// Providers may answer at these hosts (`host:port`, or at any port) without TLS and on a private network: on the machine of
    /// whoever develops.
    pub fn trusting(self, hosts: &[&str]) -> Self {
        Self { outgoing: Arc::new(Outgoing::new(hosts)), ..self }
    }

    /// Facebook and e-Devlet answer elsewhere: stand-ins do.
    pub fn at(self, addresses: Addresses) -> Self {
        Self { addresses, ..self }
    }
}

pub fn router(identity: Identity) -> Router {
    let gate = Gate::lambda(routes_of!("identity"), identity.ports.clone(), identity.planes.clone());
    let router = Router::new()
        .route("/api/v1/academy/identity-providers", get(configuration::list))
        .route(
            "/api/v1/academy/identity-providers/{provider}",
            put(configuration::save).delete(configuration::remove),
        )
        .route("/internal/identity/authorize", post(exchange::authorize))
        .route("/internal/identity/exchange", post(exchange::exchange))
        .route("/internal/identity/deletion", post(exchange::deletion))
        .route("/internal/identity/passkeys/attestation", post(passkeys::attestation))
        .route("/internal/identity/passkeys/assertion", post(passkeys::assertion))
        .with_state(identity);
    gate.guard(router)
}

#[derive(OpenApi)]
#[openapi(paths(configuration::list, configuration::save, configuration::remove))]
pub struct ApiDoc;
