//! Coupons of a cart, one at a time: whoever guesses codes waits.

use akademi_api::{PathParam, Problem, problem::ProblemDocument};
use akademi_domain::{pricing::CouponCode, throttle::Delays};
use akademi_edge_store::StoreError;
use akademi_identity::throttle::{self, Counter};
use axum::{extract::State, response::Response};
use http::StatusCode;

use crate::{
    Cart,
    holder::{Holder, Visitor, of_person},
    items::{full, remove as remove_stored},
    store::{self, Stored},
};

/// Put a coupon into the cart
///
/// By its code, as it was typed; up to five. Whether it applies, the cart says; it may well be good for what is put there
/// later. Nobody is told whether a code is unknown or used up, and whoever sends many of those waits longer each time. A
/// second time it changes nothing.
#[utoipa::path(put, path = "/api/v1/cart/coupons/{code}", tag = "cart",
    params(("code" = String, Path, description = "The code, in any case", example = "İNDİRİM")),
    responses((status = 204, description = "It is in the cart"),
              (status = 404, description = "No such coupon can be used", body = ProblemDocument, content_type = "application/problem+json"),
              (status = 409, description = "The cart has five already", body = ProblemDocument, content_type = "application/problem+json"),
              (status = 429, description = "Too many attempts", body = ProblemDocument, content_type = "application/problem+json")))]
pub async fn put(
    State(cart): State<Cart>,
    visitor: Visitor,
    PathParam(typed): PathParam<String>,
) -> Result<Response, Problem> {
    // What can be no code is one that nobody made, and tells a guesser nothing.
    let code: CouponCode = typed.parse().map_err(|_| unknown_coupon())?;
    let holder = cart.holder_or_new(&visitor).await?;
    let (database, now) = (cart.edge.tenant(holder.tenant), cart.edge.ports.now());
    let attempt = throttle::admit(&database, &counters(&cart, &holder, &visitor), now).await?;
    let found = akademi_coupons::find_available_coupons(&database, holder.person(), &[&code]).await?;
    if found.is_empty() {
        return Err(unknown_coupon());
    }
    let mut batch = attempt.succeeded();
    batch.extend(store::put(&holder.cart, holder.person(), &Stored::Coupon(code.clone()), now));
    match database.batch_if(store::coupon_may_be_put(&holder.cart, &code), batch).await {
        Ok(_) => Ok(holder.answer(StatusCode::NO_CONTENT)),
        Err(StoreError::Guard) => {
            database.batch(attempt.succeeded()).await?;
            Err(full("A cart holds five coupons: take one out first."))
        }
        Err(error) => Err(of_person(error)),
    }
}

/// Take a coupon out of the cart
#[utoipa::path(delete, path = "/api/v1/cart/coupons/{code}", tag = "cart",
    params(("code" = String, Path, description = "The code, in any case")),
    responses((status = 204, description = "It is in the cart no more")))]
pub async fn remove(
    State(cart): State<Cart>,
    visitor: Visitor,
    PathParam(typed): PathParam<String>,
) -> Result<Response, Problem> {
    let code: CouponCode = typed.parse().map_err(|_| Problem::not_found())?;
    remove_stored(&cart, &visitor, &Stored::Coupon(code)).await
}

/// By what attempts are counted: the address, and the cart once there is one. A guest may begin another at any time.
fn counters(cart: &Cart, holder: &Holder, visitor: &Visitor) -> Vec<Counter> {
    let own = Counter {
        key: cart.throttles.key(&[b"coupon", holder.cart.as_str().as_bytes()]),
        delays: Delays::CODE,
        is_trusting: false,
        is_exact: true,
    };
    let mut counters = vec![cart.throttles.address_tries(b"coupons", &visitor.origin)];
    counters.extend(holder.is_known.then_some(own));
    counters
}

/// Nobody has made it, another academy has, or its uses are gone.
fn unknown_coupon() -> Problem {
    let detail = "No such coupon can be used here: compare it with what you were given.";
    Problem::new(StatusCode::NOT_FOUND, "unknown-coupon", detail)
}
