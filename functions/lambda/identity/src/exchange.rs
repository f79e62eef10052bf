//! What the edge asks when somebody signs in: it keeps `state`, `nonce` and the verifier, and makes the session.

use akademi_api::{
    Body, Problem,
    federation::{Authorization, AuthorizationWanted, Claims, ExchangeWanted},
    signed::CallContext,
};
use axum::{Extension, extract::State};

use crate::{Identity, IdentityError, provider::Provider, store};

/// `POST /internal/identity/authorize`
pub async fn authorize(
    State(identity): State<Identity>,
    Extension(call): Extension<CallContext>,
    Body(wanted): Body<AuthorizationWanted>,
) -> Result<Body<Authorization>, IdentityError> {
    let provider = identity.provider(&call, &wanted.provider).await?;
    Ok(Body(provider.authorization(&wanted).await?))
}

/// `POST /internal/identity/exchange`
pub async fn exchange(
    State(identity): State<Identity>,
    Extension(call): Extension<CallContext>,
    Body(wanted): Body<ExchangeWanted>,
) -> Result<Body<Claims>, IdentityError> {
    let provider = identity.provider(&call, &wanted.provider).await?;
    Ok(Body(provider.exchange(&wanted).await?))
}

impl Identity {
    /// The provider of the academy that the call names. No transaction is open while it is asked.
    async fn provider(&self, call: &CallContext, id: &str) -> Result<Box<dyn Provider>, IdentityError> {
        let tenant = call.tenant.ok_or_else(|| Problem::broken("the call names no academy"))?;
        let mut tx = self.postgres.tenant(tenant).await?;
        let stored = store::find_provider(&mut tx, id).await?;
        tx.commit().await?;
        let settings = self.open(tenant, &stored.ok_or_else(Problem::not_found)?)?;
        Ok(settings.provider(self))
    }
}
