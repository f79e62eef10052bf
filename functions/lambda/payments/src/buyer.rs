//! Who buys, as a provider wants to know it: name and e-mail from the sealed profile, the rest from the request.

use akademi_api::{Caller, Problem, signed::CallContext};
use akademi_lambda_store::postgres::TenantTransaction;
use serde::{Deserialize, Serialize};

use crate::{
    Payments, PaymentsError,
    provider::{Buyer, Language},
    store,
};

/// What a provider asks of a buyer and an account does not hold. It goes to the provider and is not stored.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BuyerDetails {
    #[schema(max_length = 20, example = "05551234567")]
    pub phone: String,
    /// The postal address, in one line.
    #[schema(max_length = 400)]
    pub address: String,
}

/// The fields that are sealed together at the edge.
#[derive(Deserialize)]
struct Profile {
    name: String,
    email: String,
}

/// The buyer of an order, and the language of the academy, which the provider's page is to have.
///
/// # Errors
/// 503 while the person has not come from the edge yet.
pub async fn find(
    payments: &Payments,
    tx: &mut TenantTransaction,
    caller: &Caller,
    call: &CallContext,
    details: BuyerDetails,
) -> Result<(Buyer, Language), PaymentsError> {
    let Some(stored) = store::find_buyer(tx, caller.user).await? else {
        payments.wake.wake();
        return Err(Problem::unavailable()
            .with_detail("Your account is still on its way here: try again in a moment.")
            .retry_after(2)
            .into());
    };
    let key = payments
        .vault
        .unwrap_key(caller.tenant, caller.user, &stored.wrapped_key)
        .map_err(Problem::broken)?;
    let profile = key.open(caller.user, "profile", &stored.sealed_profile).map_err(Problem::broken)?;
    let profile: Profile =
        serde_json::from_slice(&profile).map_err(|_| Problem::broken("a profile has another shape"))?;
    let address = call.client.as_deref().and_then(|address| address.parse().ok());
    let language = match stored.locale.as_deref() {
        Some("en") => Language::English,
        _ => Language::Turkish,
    };
    let buyer = Buyer {
        id: caller.user,
        email: profile.email,
        name: profile.name,
        address: details.address,
        phone: details.phone,
        client_address: address.ok_or_else(|| Problem::broken("the call names no client address"))?,
    };
    Ok((buyer, language))
}
