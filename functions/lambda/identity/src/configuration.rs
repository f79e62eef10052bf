//! Which providers an academy's people may sign in with.

use akademi_api::{Body, Caller, PathParam, Problem, signed::CallContext};
use akademi_domain::{ids::TenantId, text, time::Timestamp};
use akademi_feed::LambdaEvent;
use akademi_lambda_store::{
    audit::{Action, Actor, Write},
    feed,
};
use axum::{Extension, extract::State};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    Identity, IdentityError,
    settings::{ProviderId, Settings},
    store::{self, StoredProvider},
};

/// How many an academy has at most.
const MAX_PROVIDERS: usize = 20;
const MAX_NAME: usize = 80;

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProviderDefinition {
    /// What people read on the button.
    #[schema(min_length = 1, max_length = 80)]
    name: String,
    settings: Settings,
}

/// A provider as staff sees it: without its secret, which nobody is shown.
#[derive(Serialize, utoipa::ToSchema)]
pub struct ProviderEntry {
    #[schema(value_type = ProviderId)]
    id: String,
    name: String,
    /// `oidc`, `facebook` or `edevlet`.
    kind: &'static str,
    issuer: String,
    /// By what the provider knows the academy.
    client_id: String,
    /// Where the provider sends people back, on each of the academy's hosts: it wants to know that beforehand.
    redirect_path: String,
    updated_at: Timestamp,
}

impl ProviderEntry {
    fn new(id: String, name: String, settings: &Settings, updated_at: Timestamp) -> Self {
        Self {
            kind: settings.kind(),
            issuer: settings.issuer().to_owned(),
            client_id: settings.client_id().to_owned(),
            redirect_path: format!("/api/v1/auth/providers/{id}/callback"),
            id,
            name,
            updated_at,
        }
    }

    /// As the audit log tells it.
    fn told(&self) -> Value {
        json!({ "name": self.name, "kind": self.kind, "issuer": self.issuer, "client_id": self.client_id })
    }
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct Providers {
    data: Vec<ProviderEntry>,
}

/// What settings are sealed for.
fn purpose(id: &str) -> String {
    format!("identity-provider/{id}")
}

impl Identity {
    /// # Errors
    /// `internal` when they were sealed for another, or altered.
    pub(crate) fn open(&self, tenant: TenantId, stored: &StoredProvider) -> Result<Settings, Problem> {
        let plain = self.vault.open_secret(tenant, &purpose(&stored.id), &stored.sealed_settings);
        let plain = plain.map_err(Problem::broken)?;
        serde_json::from_slice(&plain).map_err(|_| Problem::broken("sealed settings have another shape"))
    }

    fn entry(&self, tenant: TenantId, stored: StoredProvider) -> Result<ProviderEntry, Problem> {
        let settings = self.open(tenant, &stored)?;
        Ok(ProviderEntry::new(stored.id, stored.name, &settings, stored.updated_at))
    }
}

/// The academy's identity providers
#[utoipa::path(get, path = "/api/v1/academy/identity-providers", tag = "academy",
    responses((status = 200, description = "The providers", body = Providers)))]
pub async fn list(
    State(identity): State<Identity>,
    caller: Caller,
) -> Result<Body<Providers>, IdentityError> {
    let mut tx = identity.postgres.tenant(caller.tenant).await?;
    let stored = store::list_providers(&mut tx).await?;
    tx.commit().await?;
    let entry = |stored| identity.entry(caller.tenant, stored);
    Ok(Body(Providers { data: stored.into_iter().map(entry).collect::<Result<_, _>>()? }))
}

/// Let people sign in with a provider
///
/// Adds it, or puts these settings in the place of its own; the secret is kept sealed and never shown.
#[utoipa::path(put, path = "/api/v1/academy/identity-providers/{provider}", tag = "academy",
    params(("provider" = ProviderId, Path, description = "What addresses call it from then on")), request_body = ProviderDefinition,
    responses((status = 200, description = "The provider as it is now", body = ProviderEntry),
              (status = 409, description = "There are 20 providers already", body = akademi_api::problem::ProblemDocument, content_type = "application/problem+json")))]
pub async fn save(
    State(identity): State<Identity>,
    caller: Caller,
    Extension(call): Extension<CallContext>,
    PathParam(id): PathParam<ProviderId>,
    Body(definition): Body<ProviderDefinition>,
) -> Result<Body<ProviderEntry>, IdentityError> {
    let name = text::line(&definition.name, MAX_NAME).map_err(|error| Problem::field("name", error))?;
    definition.settings.check(&identity)?;
    let now = identity.ports.now();
    let plain = serde_json::to_vec(&definition.settings).map_err(Problem::broken)?;
    let plain = zeroize::Zeroizing::new(plain);
    let sealed =
        identity.vault.seal_secret(caller.tenant, &purpose(id.as_str()), &plain, identity.ports.random());
    let entry = ProviderEntry::new(id.as_str().to_owned(), name, &definition.settings, now);

    let mut tx = identity.postgres.tenant(caller.tenant).await?;
    let before = store::find_provider(&mut tx, id.as_str()).await?;
    if before.is_none() && store::list_providers(&mut tx).await?.len() >= MAX_PROVIDERS {
        return Err(too_many().into());
    }
    let before = before.map(|stored| identity.entry(caller.tenant, stored)).transpose()?;
    store::save_provider(&mut tx, &entry.id, &entry.name, &sealed, now).await?;
    let saved = LambdaEvent::IdentityProviderSaved {
        provider: entry.id.clone(),
        name: entry.name.clone(),
        kind: entry.kind.to_owned(),
    };
    feed::append(&mut tx, &saved, now).await?;
    let write = Write {
        action: Action::IdentityProviderSaved,
        target: format!("identity_provider:{}", entry.id),
        before: before.map_or(Value::Null, |before| before.told()),
        // The secret is another one, which the log tells by the moment alone.
        after: with_moment(entry.told(), now),
    };
    identity.auditor.record(&mut tx, Actor::new(&caller, &call), write).await?;
    tx.commit().await?;
    identity.wake.wake();
    Ok(Body(entry))
}

/// Let nobody sign in with a provider any more
///
/// Who has signed in with it keeps the account, and needs another way in.
#[utoipa::path(delete, path = "/api/v1/academy/identity-providers/{provider}", tag = "academy",
    params(("provider" = ProviderId, Path, description = "The provider")),
    responses((status = 204, description = "It is gone")))]
pub async fn remove(
    State(identity): State<Identity>,
    caller: Caller,
    Extension(call): Extension<CallContext>,
    PathParam(id): PathParam<ProviderId>,
) -> Result<StatusCode, IdentityError> {
    let now = identity.ports.now();
    let mut tx = identity.postgres.tenant(caller.tenant).await?;
    let stored = store::find_provider(&mut tx, id.as_str()).await?.ok_or_else(Problem::not_found)?;
    let before = identity.entry(caller.tenant, stored)?;
    store::delete_provider(&mut tx, id.as_str()).await?;
    feed::append(&mut tx, &LambdaEvent::IdentityProviderRemoved { provider: before.id.clone() }, now).await?;
    let write = Write {
        action: Action::IdentityProviderRemoved,
        target: format!("identity_provider:{}", before.id),
        before: before.told(),
        after: Value::Null,
    };
    identity.auditor.record(&mut tx, Actor::new(&caller, &call), write).await?;
    tx.commit().await?;
    identity.wake.wake();
    Ok(StatusCode::NO_CONTENT)
}

fn with_moment(mut told: Value, now: Timestamp) -> Value {
    if let Value::Object(fields) = &mut told {
        fields.insert("secret_set_at".into(), json!(now));
    }
    told
}

fn too_many() -> Problem {
    Problem::new(
        StatusCode::CONFLICT,
        "too-many-identity-providers",
        "There are 20 identity providers: remove one first.",
    )
}
