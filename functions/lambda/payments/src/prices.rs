//! What a course costs.

use akademi_api::{Body, Caller, PathParam, Problem, signed::CallContext};
use akademi_domain::{
    ids::CourseId,
    money::{Currency, Money},
    pricing::{BasisPoints, MAX_AMOUNT},
    time::Timestamp,
};
use akademi_feed::LambdaEvent;
use akademi_lambda_store::{
    audit::{Action, Actor, Write},
    feed,
};
use axum::{Extension, extract::State};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{Payments, PaymentsError, store};

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPrice {
    /// Minor units, VAT inside; 0 for a course that is free.
    #[schema(minimum = 0)]
    amount: i64,
    currency: Currency,
    /// The VAT rate: 2000 is 20 %.
    vat_basis_points: BasisPoints,
}

/// The price of a course.
#[derive(Serialize, utoipa::ToSchema)]
pub struct CoursePrice {
    pub course: CourseId,
    /// VAT inside.
    pub price: Money,
    pub vat_basis_points: BasisPoints,
    pub updated_at: Timestamp,
}

/// Set the price of a course
///
/// From now on; orders that were made keep theirs.
#[utoipa::path(put, path = "/api/v1/commerce/courses/{course_id}/price", tag = "commerce",
    params(("course_id" = CourseId, Path, description = "The course")), request_body = NewPrice,
    responses((status = 200, description = "The price as it is now", body = CoursePrice)))]
pub async fn set(
    State(payments): State<Payments>,
    caller: Caller,
    Extension(call): Extension<CallContext>,
    PathParam(course): PathParam<CourseId>,
    Body(new): Body<NewPrice>,
) -> Result<Body<CoursePrice>, PaymentsError> {
    check_amount("amount", new.amount, 0)?;
    let now = payments.ports.now();
    let price = Money { amount: new.amount, currency: new.currency };
    let vat_rate = new.vat_basis_points;
    let mut tx = payments.postgres.tenant(caller.tenant).await?;
    if !store::may_price(&mut tx, course, caller.courses_of()).await? {
        return Err(Problem::not_found().into());
    }
    let before = store::find_price(&mut tx, course).await?;
    store::set_price(&mut tx, course, price, vat_rate, now).await?;
    feed::append(&mut tx, &LambdaEvent::PriceSet { course, price, vat_rate, at: now }, now).await?;
    let audited = |price: Money, vat: BasisPoints| json!({ "price": price, "vat_basis_points": vat });
    let set = Write {
        action: Action::PriceSet,
        target: format!("course:{course}"),
        before: before.map_or(Value::Null, |before| audited(before.price, before.vat_basis_points)),
        after: audited(price, vat_rate),
    };
    payments.auditor.record(&mut tx, Actor::new(&caller, &call), set).await?;
    tx.commit().await?;
    payments.wake.wake();
    Ok(Body(CoursePrice { course, price, vat_basis_points: vat_rate, updated_at: now }))
}

/// The price of a course
#[utoipa::path(get, path = "/api/v1/commerce/courses/{course_id}/price", tag = "commerce",
    params(("course_id" = CourseId, Path, description = "The course")),
    responses((status = 200, description = "The price", body = CoursePrice)))]
pub async fn show(
    State(payments): State<Payments>,
    caller: Caller,
    PathParam(course): PathParam<CourseId>,
) -> Result<Body<CoursePrice>, PaymentsError> {
    let mut tx = payments.postgres.tenant(caller.tenant).await?;
    if !store::may_price(&mut tx, course, caller.courses_of()).await? {
        return Err(Problem::not_found().into());
    }
    let price = store::find_price(&mut tx, course).await?;
    tx.commit().await?;
    Ok(Body(price.ok_or_else(Problem::not_found)?))
}

/// # Errors
/// 422 for an amount below `least` or beyond what every store keeps exactly.
pub fn check_amount(field: &str, amount: i64, least: i64) -> Result<(), Problem> {
    if (least..=MAX_AMOUNT).contains(&amount) {
        return Ok(());
    }
    Err(Problem::field(field, format!("must be from {least} to {MAX_AMOUNT}")))
}
