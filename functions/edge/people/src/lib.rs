//! What staff does with people: who there is, who may do what, who is let in.
//!
//! Nobody gives or takes what they have not: a role is given, taken, defined and changed by those whose own permissions cover
//! it. An academy keeps an administrator.

mod csv;
mod export;
mod import;
mod invitations;
mod list;
mod names;
mod person;
mod roles;
mod sessions;
mod store;

use akademi_api::{
    Caller, Gate, Problem,
    config::{Config, ConfigError},
    ports::HttpClient,
    token::TokenVerifier,
};
use akademi_domain::ids::UserId;
use akademi_edge_store::{Edge, TenantStatement};
use akademi_functions::routes_of;
use akademi_identity::{Origin, SyncWake, audit};
use akademi_seal::Vault;
use axum::{
    Router,
    routing::{get, post, put},
};
use std::sync::Arc;
use utoipa::OpenApi;

/// What the function stands on.
#[derive(Clone)]
pub struct People {
    edge: Edge,
    tokens: TokenVerifier,
    vault: Arc<Vault>,
    sync: SyncWake,
}

impl People {
    /// `http` reaches the Lambda plane within a bounded time.
    ///
    /// # Errors
    /// [`ConfigError`] naming the variable that is missing or wrong.
    pub fn from_config(
        edge: Edge,
        http: Arc<dyn HttpClient>,
        config: &Config<'_>,
    ) -> Result<Self, ConfigError> {
        let tokens = config.read(akademi_functions::TOKEN_PUBLIC_KEYS, TokenVerifier::from_config)?;
        let vault = config.read(akademi_functions::EDGE_MASTER_KEY, Vault::from_config)?;
        let sync = SyncWake::from_config(http, config)?;
        Ok(Self { edge, tokens, vault: Arc::new(vault), sync })
    }

    /// The statements that tell the audit log what the caller does.
    async fn audited(
        &self,
        caller: &Caller,
        origin: &Origin,
        action: &'static str,
        target: String,
        change: serde_json::Value,
    ) -> Result<[TenantStatement; 2], Problem> {
        audit::by_staff(&self.edge, &self.vault, (caller, origin), action, target, change).await
    }
}

/// Nobody suspends, demotes or signs out themselves by mistake: there are routes of one's own for that.
fn not_oneself(caller: &Caller, person: UserId) -> Result<(), Problem> {
    if caller.user == person {
        return Err(akademi_identity::staff::yourself());
    }
    Ok(())
}

pub fn router(people: People) -> Router {
    let edge = &people.edge;
    let gate =
        Gate::edge(routes_of!("people"), edge.ports.clone(), people.tokens.clone(), edge.directory(), None);
    let router = Router::new()
        .route("/api/v1/people", get(list::list))
        .route("/api/v1/people.csv", get(export::export))
        .route("/api/v1/people/import", post(import::import))
        .route("/api/v1/people/invitations", post(invitations::invite))
        .route("/api/v1/people/{person_id}", get(person::show))
        .route("/api/v1/people/{person_id}/roles", put(person::set_roles))
        .route("/api/v1/people/{person_id}/state", put(person::set_state))
        .route("/api/v1/people/{person_id}/sessions", get(sessions::list).delete(sessions::end_all))
        .route("/api/v1/roles", get(roles::list).post(roles::create))
        .route("/api/v1/roles/{role_id}", put(roles::change).delete(roles::delete))
        .with_state(people);
    gate.guard(router)
}

#[derive(OpenApi)]
#[openapi(
    components(schemas(akademi_domain::ids::RoleId)),
    paths(
        list::list,
        export::export,
        import::import,
        invitations::invite,
        person::show,
        person::set_roles,
        person::set_state,
        sessions::list,
        sessions::end_all,
        roles::list,
        roles::create,
        roles::change,
        roles::delete
    )
)]
pub struct ApiDoc;
