//! Whom a buyer wants the invoice of an order to name.

use akademi_api::{Body, Caller, PathParam, Problem, problem::ProblemDocument};
use akademi_domain::{
    ids::{OrderId, TenantId, UserId},
    time::Timestamp,
};
use akademi_lambda_store::{invoices::INVOICE_DETAILS_FIELD as FIELD, postgres::TenantTransaction};
use akademi_seal::PersonKey;
use akademi_ubl::Party;
use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::{
    Invoices, InvoicesError,
    party::{InvoicedParty, consumer},
    store::{self, Sealed},
};

/// What of the fields that are sealed together at the edge is needed here, and what a mail's recipient is sealed as.
#[derive(Serialize, Deserialize)]
pub struct Profile {
    name: String,
    email: String,
}

/// Say whom the invoice of an order names
///
/// A company or a person, until the invoice is issued; it is kept until then. Without it, the invoice names the account's
/// name alone.
#[utoipa::path(put, path = "/api/v1/orders/{order_id}/invoice-details", tag = "invoices",
    params(("order_id" = OrderId, Path, description = "The order")), request_body = InvoicedParty,
    responses((status = 204, description = "The invoice will name them"),
              (status = 409, description = "The invoice has been issued", body = ProblemDocument, content_type = "application/problem+json")))]
pub async fn save(
    State(invoices): State<Invoices>,
    caller: Caller,
    PathParam(order): PathParam<OrderId>,
    Body(details): Body<InvoicedParty>,
) -> Result<StatusCode, InvoicesError> {
    details.party("")?;
    let mut tx = invoices.postgres.tenant(caller.tenant).await?;
    // Whoever captures, and thereby asks for the invoice, waits for this row, and whoever issues it for the next.
    if !store::lock_own_order(&mut tx, caller.user, order).await? {
        return Err(Problem::not_found().into());
    }
    if store::lock_sale(&mut tx, order).await? == Some(true) {
        let detail = "The invoice has been issued: ask the academy for another.";
        return Err(Problem::new(StatusCode::CONFLICT, "invoice-issued", detail).into());
    }
    let wrapped = store::find_wrapped_key(&mut tx, caller.user).await?;
    let wrapped = wrapped.ok_or_else(|| Problem::unavailable().retry_after(2))?;
    let key = invoices.vault.unwrap_key(caller.tenant, caller.user, &wrapped).map_err(Problem::broken)?;
    let (now, random) = (invoices.ports.now(), invoices.ports.random());
    keep_details(&mut tx, (caller.user, &key), order, &details, (now, random)).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Keeps whom the invoice of a person's order names, sealed with the person's key, until the invoice is issued. `details` are
/// checked, and nobody issues the invoice meanwhile.
///
/// # Errors
/// [`InvoicesError::Store`]
pub async fn keep_details(
    tx: &mut TenantTransaction,
    (person, key): (UserId, &PersonKey),
    order: OrderId,
    details: &InvoicedParty,
    (now, random): (Timestamp, [u8; 24]),
) -> Result<(), InvoicesError> {
    let plain = zeroize::Zeroizing::new(serde_json::to_vec(details).map_err(Problem::broken)?);
    Ok(store::save_details(tx, order, &key.seal(person, FIELD, &plain, random), now).await?)
}

impl Invoices {
    /// Whom the invoice of this person's order names.
    ///
    /// # Errors
    /// `internal` for what is sealed and cannot be read.
    pub(crate) async fn buyer(
        &self,
        tx: &mut TenantTransaction,
        person: UserId,
        order: OrderId,
    ) -> Result<Party, InvoicesError> {
        let profile = self.profile_of(tx, person).await?.map(|(profile, _)| profile);
        let details: Option<InvoicedParty> = match store::find_details(tx, person, order).await? {
            Some(sealed) => Some(self.open_of(tx.tenant(), person, FIELD, &sealed)?.0),
            None => None,
        };
        let (name, email) = profile.map_or((String::new(), None), |it| (it.name, Some(it.email)));
        let Some(details) = details else { return Ok(consumer(&name, email)) };
        let party = details.party("")?;
        Ok(Party { email: party.email.or(email), ..party })
    }

    /// Somebody's profile and key; `None` for whoever was erased.
    ///
    /// # Errors
    /// `internal` for what is sealed and cannot be read.
    pub(crate) async fn profile_of(
        &self,
        tx: &mut TenantTransaction,
        person: UserId,
    ) -> Result<Option<(Profile, PersonKey)>, InvoicesError> {
        let Some(sealed) = store::find_profile(tx, person).await? else { return Ok(None) };
        Ok(Some(self.open_of(tx.tenant(), person, "profile", &sealed)?))
    }

    fn open_of<T: serde::de::DeserializeOwned>(
        &self,
        tenant: TenantId,
        person: UserId,
        field: &str,
        sealed: &Sealed,
    ) -> Result<(T, PersonKey), Problem> {
        let key = self.vault.unwrap_key(tenant, person, &sealed.wrapped_key).map_err(Problem::broken)?;
        let plain = key.open(person, field, &sealed.bytes).map_err(Problem::broken)?;
        let opened = serde_json::from_slice(&plain);
        Ok((opened.map_err(|_| Problem::broken("what is sealed has another shape"))?, key))
    }
}
