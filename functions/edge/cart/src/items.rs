//! Courses and bundles of a cart.

use akademi_api::{PathParam, Problem, problem::ProblemDocument};
use akademi_coupons::basket::{Item, MAX_BUNDLES};
use akademi_domain::{
    ids::{BundleId, CourseId},
    pricing::MAX_LINES,
};
use akademi_edge_store::{StoreError, TenantDatabase};
use axum::{extract::State, response::Response};
use http::StatusCode;

use crate::{
    Cart,
    holder::{Holder, Visitor, of_person},
    store::{self, Stored},
};

/// Put a course into the cart
///
/// A second time it changes nothing. A guest who has no cart is given one.
#[utoipa::path(put, path = "/api/v1/cart/courses/{course_id}", tag = "cart",
    params(("course_id" = CourseId, Path, description = "A course that is for sale")),
    responses((status = 204, description = "It is in the cart"),
              (status = 404, description = "It is not for sale here", body = ProblemDocument, content_type = "application/problem+json"),
              (status = 409, description = "The cart is full, or another shop sells it", body = ProblemDocument, content_type = "application/problem+json"),
              (status = 429, description = "Too many carts were begun from this address", body = ProblemDocument, content_type = "application/problem+json")))]
pub async fn put_course(
    State(cart): State<Cart>,
    visitor: Visitor,
    PathParam(course): PathParam<CourseId>,
) -> Result<Response, Problem> {
    put(&cart, &visitor, Item::Course(course)).await
}

/// Take a course out of the cart
#[utoipa::path(delete, path = "/api/v1/cart/courses/{course_id}", tag = "cart",
    params(("course_id" = CourseId, Path, description = "A course that is in it")),
    responses((status = 204, description = "It is in the cart no more")))]
pub async fn remove_course(
    State(cart): State<Cart>,
    visitor: Visitor,
    PathParam(course): PathParam<CourseId>,
) -> Result<Response, Problem> {
    remove(&cart, &visitor, &Stored::Item(Item::Course(course))).await
}

/// Put a bundle into the cart
///
/// A second time it changes nothing. A guest who has no cart is given one.
#[utoipa::path(put, path = "/api/v1/cart/bundles/{bundle_id}", tag = "cart",
    params(("bundle_id" = BundleId, Path, description = "A bundle that is for sale")),
    responses((status = 204, description = "It is in the cart"),
              (status = 404, description = "It is not for sale here", body = ProblemDocument, content_type = "application/problem+json"),
              (status = 409, description = "The cart is full", body = ProblemDocument, content_type = "application/problem+json"),
              (status = 429, description = "Too many carts were begun from this address", body = ProblemDocument, content_type = "application/problem+json")))]
pub async fn put_bundle(
    State(cart): State<Cart>,
    visitor: Visitor,
    PathParam(bundle): PathParam<BundleId>,
) -> Result<Response, Problem> {
    put(&cart, &visitor, Item::Bundle(bundle)).await
}

/// Take a bundle out of the cart
#[utoipa::path(delete, path = "/api/v1/cart/bundles/{bundle_id}", tag = "cart",
    params(("bundle_id" = BundleId, Path, description = "A bundle that is in it")),
    responses((status = 204, description = "It is in the cart no more")))]
pub async fn remove_bundle(
    State(cart): State<Cart>,
    visitor: Visitor,
    PathParam(bundle): PathParam<BundleId>,
) -> Result<Response, Problem> {
    remove(&cart, &visitor, &Stored::Item(Item::Bundle(bundle))).await
}

async fn put(cart: &Cart, visitor: &Visitor, item: Item) -> Result<Response, Problem> {
    let holder = cart.holder_or_new(visitor).await?;
    let (database, now) = (cart.edge.tenant(holder.tenant), cart.edge.ports.now());
    let may_be_put = match item {
        Item::Course(course) => store::course_may_be_put(&holder.cart, course),
        Item::Bundle(bundle) => store::bundle_may_be_put(&holder.cart, bundle),
    };
    let batch = store::put(&holder.cart, holder.person(), &Stored::Item(item), now);
    match database.batch_if(may_be_put, batch.into()).await {
        Ok(_) => Ok(holder.answer(StatusCode::NO_CONTENT)),
        Err(StoreError::Guard) => {
            let uncounted = holder.not_begun();
            if !uncounted.is_empty() {
                database.batch(uncounted).await?;
            }
            Err(refusal(&database, &holder, item).await?)
        }
        Err(error) => Err(of_person(error)),
    }
}

/// Why an item cannot be put into a cart.
async fn refusal(database: &TenantDatabase<'_>, holder: &Holder, item: Item) -> Result<Problem, Problem> {
    if let Item::Course(course) = item
        && store::is_sold_elsewhere(database, course).await?
    {
        let detail = "Another shop sells it: its page says which.";
        return Ok(Problem::new(StatusCode::CONFLICT, "sold-elsewhere", detail));
    }
    let stored = store::list_items(database, &holder.cart).await?;
    let items = || stored.iter().filter_map(store::StoredItem::item);
    if items().count() >= MAX_LINES {
        return Ok(full("A cart holds 100 courses and bundles: take something out first."));
    }
    let is_bundle = |item: &Item| matches!(item, Item::Bundle(_));
    if is_bundle(&item) && items().filter(is_bundle).count() >= MAX_BUNDLES {
        return Ok(full("A cart holds 50 bundles: take one out first."));
    }
    Ok(Problem::new(StatusCode::NOT_FOUND, "not-for-sale", "This is not for sale here."))
}

pub fn full(detail: &'static str) -> Problem {
    Problem::new(StatusCode::CONFLICT, "cart-full", detail)
}

/// Takes something out, whatever it is.
///
/// # Errors
/// `not-found` for what is not in it.
pub async fn remove(cart: &Cart, visitor: &Visitor, what: &Stored) -> Result<Response, Problem> {
    let holder = cart.holder(visitor).await?.ok_or_else(Problem::not_found)?;
    let batch = store::remove(&holder.cart, what, cart.edge.ports.now());
    let rows = cart.edge.tenant(holder.tenant).batch(batch.into()).await?;
    if rows.first().is_none_or(Vec::is_empty) {
        return Err(Problem::not_found());
    }
    Ok(holder.answer(StatusCode::NO_CONTENT))
}
