//! Who buys, as a provider wants to know it: name and e-mail from the sealed profile, the rest from the request.

use akademi_api::{Caller, Problem, signed::CallContext};
use akademi_domain::{ids::UserId, tax_number::Tckn};
use akademi_invoices::{InvoicedParty, keep_details};
use akademi_lambda_store::postgres::TenantTransaction;
use akademi_seal::PersonKey;
use serde::{Deserialize, Serialize};

use crate::{
    Payments, PaymentsError,
    provider::{BilledTo, Buyer, Language},
    store::{self, Order, StoredBuyer},
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

/// What a request says of its buyer.
pub struct Said {
    pub details: BuyerDetails,
    /// Whom the invoice names; checked.
    pub invoiced: Option<InvoicedParty>,
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
    Said { details, invoiced }: Said,
) -> Result<(Buyer, Language), PaymentsError> {
    let (stored, key) = stored_buyer(payments, tx, caller.user).await?;
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
        identity_number: invoiced.as_ref().and_then(identity_number),
        billed_to: invoiced.map(billed_to),
    };
    Ok((buyer, language))
}

/// Keeps whom the invoice of a new order names, in the transaction that makes the order.
///
/// # Errors
/// As [`find`].
pub async fn keep_invoice_details(
    payments: &Payments,
    tx: &mut TenantTransaction,
    order: &Order,
    details: &InvoicedParty,
) -> Result<(), PaymentsError> {
    let (_, key) = stored_buyer(payments, tx, order.user).await?;
    let random = payments.ports.random();
    let kept = keep_details(tx, (order.user, &key), order.id, details, (order.created_at, random)).await;
    Ok(kept.map_err(Problem::from)?)
}

/// Somebody as stored, and the key that opens the profile.
async fn stored_buyer(
    payments: &Payments,
    tx: &mut TenantTransaction,
    person: UserId,
) -> Result<(StoredBuyer, PersonKey), PaymentsError> {
    let Some(stored) = store::find_buyer(tx, person).await? else {
        payments.wake.wake();
        return Err(Problem::unavailable()
            .with_detail("Your account is still on its way here: try again in a moment.")
            .retry_after(2)
            .into());
    };
    let key = payments.vault.unwrap_key(tx.tenant(), person, &stored.wrapped_key).map_err(Problem::broken)?;
    Ok((stored, key))
}

/// A person's own, if they named it.
fn identity_number(invoiced: &InvoicedParty) -> Option<Tckn> {
    let number = invoiced.tax_number.as_deref()?.parse().ok()?;
    (number != Tckn::CONSUMER && number != Tckn::FOREIGNER).then_some(number)
}

fn billed_to(invoiced: InvoicedParty) -> BilledTo {
    let InvoicedParty { name, street, district, city, postal_code, country, .. } = invoiced;
    let address = street.into_iter().chain([district]).collect::<Vec<_>>().join(", ");
    BilledTo { name, address, city, country, postal_code }
}
