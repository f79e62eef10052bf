//! What the edge asks when somebody signs in, or wants to be known no more: it keeps `state`, `nonce` and the verifier, and
//! makes the session.

use akademi_api::{
    Body, Problem,
    federation::{Authorization, AuthorizationWanted, Claims, Deletion, DeletionWanted, ExchangeWanted},
    signed::CallContext,
};
use axum::{Extension, extract::State};
use http::StatusCode;

use crate::{Identity, IdentityError, facebook::signed_request, settings::Settings, store};

/// `POST /internal/identity/authorize`
pub async fn authorize(
    State(identity): State<Identity>,
    Extension(call): Extension<CallContext>,
    Body(wanted): Body<AuthorizationWanted>,
) -> Result<Body<Authorization>, IdentityError> {
    let provider = identity.settings(&call, &wanted.provider).await?.provider(&identity);
    Ok(Body(provider.authorization(&wanted).await?))
}

/// `POST /internal/identity/exchange`
pub async fn exchange(
    State(identity): State<Identity>,
    Extension(call): Extension<CallContext>,
    Body(wanted): Body<ExchangeWanted>,
) -> Result<Body<Claims>, IdentityError> {
    let provider = identity.settings(&call, &wanted.provider).await?.provider(&identity);
    Ok(Body(provider.exchange(&wanted).await?))
}

/// `POST /internal/identity/deletion`. Only Facebook asks for it.
pub async fn deletion(
    State(identity): State<Identity>,
    Extension(call): Extension<CallContext>,
    Body(wanted): Body<DeletionWanted>,
) -> Result<Body<Deletion>, IdentityError> {
    let Settings::Facebook(settings) = identity.settings(&call, &wanted.provider).await? else {
        return Err(Problem::not_found().into());
    };
    let deletion = signed_request::verify(&settings, &wanted.signed_request, identity.ports.now());
    Ok(Body(deletion.map_err(|refused| {
        Problem::new(StatusCode::BAD_REQUEST, "callback-refused", "This is no request of the provider.")
            .because(refused)
    })?))
}

impl Identity {
    /// What the academy that the call names has agreed with a provider. No transaction is open afterwards.
    async fn settings(&self, call: &CallContext, id: &str) -> Result<Settings, IdentityError> {
        let tenant = call.tenant.ok_or_else(|| Problem::broken("the call names no academy"))?;
        let mut tx = self.postgres.tenant(tenant).await?;
        let stored = store::find_provider(&mut tx, id).await?;
        tx.commit().await?;
        Ok(self.open(tenant, &stored.ok_or_else(Problem::not_found)?)?)
    }
}
