//! `POST /api/v1/orders`: the order is committed first, then the provider is asked for a page.

use akademi_api::{
    Body, Caller,
    idempotency::{self as idempotent, StoredResponse},
    problem::ProblemDocument,
    signed::CallContext,
};
use akademi_domain::{ids::OrderId, money::Money, order::OrderState};
use akademi_invoices::InvoicedParty;
use akademi_lambda_store::{
    error::StoreError,
    idempotency::{self, Begin, Claim, Scope},
    postgres::TenantTransaction,
};
use axum::{Extension, extract::State, response::Response};
use serde::{Deserialize, Serialize};

use crate::{
    Payments, PaymentsError, attempt,
    buyer::{self, BuyerDetails, Said},
    error::conflict,
    placing,
    store::{self, Order},
};

const ROUTE: &str = "POST /api/v1/orders";
/// Longer than any call to a provider takes.
const LEASE_MILLIS: i64 = 60_000;

#[derive(Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOrder {
    /// What `POST /api/v1/coupons/quote` answered.
    quote: String,
    /// Needed by providers unless there is nothing to pay.
    #[serde(default)]
    buyer: Option<BuyerDetails>,
    /// Whom the invoice names, as `PUT /api/v1/orders/{order_id}/invoice-details` takes it, and whom a provider bills that
    /// takes a billing address. Without it, both have the account's name alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    invoice_details: Option<InvoicedParty>,
}

/// An order that was just made.
#[derive(Serialize, utoipa::ToSchema)]
pub struct OrderMade {
    id: OrderId,
    state: OrderState,
    total: Money,
    /// Where to pay; `null` when there is nothing to pay.
    checkout: Option<CheckoutPage>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct CheckoutPage {
    /// The provider's page: send the browser there.
    pub page: String,
}

/// Order what was quoted
///
/// Holds the coupons' uses and the courses' seats and answers the provider's page; without anything to pay the order is paid at once. Needs an
/// `Idempotency-Key`; a retry with it never makes a second order. The order waits 30 minutes for its money.
#[utoipa::path(post, path = "/api/v1/orders", tag = "orders", request_body = NewOrder,
    params(("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters, bare or quoted")),
    responses((status = 201, description = "The order", body = OrderMade,
                headers(("Location" = String), ("Idempotent-Replayed" = String, description = "`true` if this was answered before"))),
              (status = 400, description = "The Idempotency-Key is missing, or the body is not well-formed", body = ProblemDocument, content_type = "application/problem+json"),
              (status = 409, description = "The quote is over, a price has changed, a coupon is used up, a course is full or there already, or the same request is still running", body = ProblemDocument, content_type = "application/problem+json")))]
pub async fn create(
    State(payments): State<Payments>,
    caller: Caller,
    Extension(call): Extension<CallContext>,
    Body(new): Body<NewOrder>,
) -> Result<Response, PaymentsError> {
    let key = idempotent::key(&call)?;
    if let Some(details) = &new.invoice_details {
        details.party("invoice_details.")?;
    }
    let scope = Scope { user: caller.user, route: ROUTE, key: &key };
    let fingerprint = idempotent::fingerprint(&new)?;
    let mut tx = payments.postgres.tenant(caller.tenant).await?;
    let now = payments.ports.now();
    let claim = match idempotency::begin(&mut tx, &scope, &fingerprint, LEASE_MILLIS, now).await? {
        Begin::Fresh(claim) => claim,
        Begin::Running => return Err(idempotent::still_running().into()),
        Begin::Replay(stored) => return Ok(idempotent::respond(stored, true)?),
        Begin::Mismatch => return Err(idempotent::mismatch().into()),
    };
    // There is one if an earlier request with this key got no page, or died before it could say so.
    let stored = match claim.is_first() {
        true => None,
        false => store::find_order_by_key(&mut tx, caller.user, &key).await?,
    };
    let is_new = stored.is_none();
    let placed = match stored {
        Some(order) => placing::again(&mut tx, order).await?,
        None => {
            let placed = placing::place(&payments, &mut tx, &caller, &new.quote, &key).await?;
            if let Some(details) = new.invoice_details.as_ref().filter(|_| placed.order.total.amount > 0) {
                buyer::keep_invoice_details(&payments, &mut tx, &placed.order, details).await?;
            }
            placed
        }
    };
    let order = placed.order;
    match order.state {
        OrderState::Paid => {
            if is_new {
                placed.take_holds(&mut tx, now).await?;
            }
            let response = made(&order, None)?;
            idempotency::finish(&mut tx, &scope, claim, &response).await?;
            tx.commit().await?;
            payments.wake.wake();
            return Ok(idempotent::respond(response, false)?);
        }
        OrderState::Pending if now < order.expires_at => {}
        _ => {
            let detail =
                "This order has ended without being paid: make a new one with a new Idempotency-Key.";
            return Err(conflict("order-ended", detail).into());
        }
    }
    let said = Said { details: new.buyer.unwrap_or_default(), invoiced: new.invoice_details };
    let attempt =
        attempt::register(&payments, &mut tx, &caller, &call, (&order, &placed.lines), said).await?;
    if is_new {
        placed.take_holds(&mut tx, now).await?;
    }
    tx.commit().await?;

    let begun = attempt.begin().await;
    let mut tx = payments.postgres.tenant(caller.tenant).await?;
    let now = payments.ports.now();
    match begun {
        Ok(checkout) => {
            let page = checkout.page.to_string();
            let provider_reference = checkout.provider_reference.as_deref();
            store::save_page(&mut tx, attempt.id, &page, provider_reference, now).await?;
            let response = made(&order, Some(page))?;
            idempotency::finish(&mut tx, &scope, claim, &response).await?;
            tx.commit().await?;
            Ok(idempotent::respond(response, false)?)
        }
        Err(error) => {
            store::abandon_payment(&mut tx, attempt.id, now).await?;
            give_back(&mut tx, &scope, claim).await?;
            tx.commit().await?;
            Err(attempt::unavailable(&error).into())
        }
    }
}

/// Lets the same request be sent again at once. Where another one has the key by now, that one goes on.
async fn give_back(tx: &mut TenantTransaction, scope: &Scope<'_>, claim: Claim) -> Result<(), PaymentsError> {
    match idempotency::release(tx, scope, claim).await {
        Ok(()) | Err(StoreError::LeaseLost) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn made(order: &Order, page: Option<String>) -> Result<StoredResponse, PaymentsError> {
    let checkout = page.map(|page| CheckoutPage { page });
    let body = OrderMade { id: order.id, state: order.state, total: order.total, checkout };
    Ok(idempotent::created(format!("/api/v1/orders/{}", order.id), &body)?)
}
