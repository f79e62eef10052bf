//! What a course costs.

use akademi_api::{Body, Caller, PathParam, Problem, signed::CallContext};
use akademi_domain::{
    course::Slug,
    ids::CourseId,
    money::{Currency, Money},
    pricing::{BasisPoints, MAX_AMOUNT, Product, Sale},
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

/// The most categories that a course may be in.
pub const MAX_CATEGORIES: usize = 20;

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPrice {
    /// Minor units, VAT inside; 0 for a course that is free.
    #[schema(minimum = 0)]
    amount: i64,
    currency: Currency,
    /// The VAT rate: 2000 is 20 %.
    vat_basis_points: BasisPoints,
    /// A lower price for a time, in the same currency.
    #[serde(default)]
    sale: Option<Sale>,
    /// What coupons may be for, as slugs.
    #[serde(default)]
    #[schema(max_items = 20, value_type = Vec<String>)]
    categories: Vec<Slug>,
}

/// The price of a course.
#[derive(Serialize, utoipa::ToSchema)]
pub struct CoursePrice {
    pub course: CourseId,
    /// VAT inside, while there is no sale.
    pub price: Money,
    pub vat_basis_points: BasisPoints,
    pub sale: Option<Sale>,
    #[schema(value_type = Vec<String>)]
    pub categories: Vec<Slug>,
    pub updated_at: Timestamp,
}

impl CoursePrice {
    pub fn new(product: Product, updated_at: Timestamp) -> Self {
        Self {
            course: product.course,
            price: product.price,
            vat_basis_points: product.vat_rate,
            sale: product.sale,
            categories: product.categories,
            updated_at,
        }
    }

    fn audited(&self) -> Value {
        json!({ "price": self.price, "vat_basis_points": self.vat_basis_points, "sale": self.sale,
                "categories": self.categories })
    }
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
    let price = Money { amount: new.amount, currency: new.currency };
    check_sale(new.sale, price)?;
    if new.categories.len() > MAX_CATEGORIES {
        return Err(Problem::field("categories", format!("holds more than {MAX_CATEGORIES}")).into());
    }
    let vat_rate = new.vat_basis_points;
    let product = Product { course, price, sale: new.sale, vat_rate, categories: new.categories };
    let now = payments.ports.now();
    let mut tx = payments.postgres.tenant(caller.tenant).await?;
    if !store::may_price(&mut tx, course, caller.courses_of()).await? {
        return Err(Problem::not_found().into());
    }
    let before = store::find_price(&mut tx, course).await?;
    store::set_price(&mut tx, &product, now).await?;
    let saved = LambdaEvent::PriceSet {
        course,
        price,
        vat_rate,
        sale: product.sale,
        categories: product.categories.clone(),
        at: now,
    };
    feed::append(&mut tx, &saved, now).await?;
    let after = CoursePrice::new(product, now);
    let set = Write {
        action: Action::PriceSet,
        target: format!("course:{course}"),
        before: before.map_or(Value::Null, |before| before.audited()),
        after: after.audited(),
    };
    payments.auditor.record(&mut tx, Actor::new(&caller, &call), set).await?;
    tx.commit().await?;
    payments.wake.wake();
    Ok(Body(after))
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

/// # Errors
/// 422 for a sale that is no lower than `price`, in another currency, or over before it begins.
pub fn check_sale(sale: Option<Sale>, price: Money) -> Result<(), Problem> {
    let Some(sale) = sale else { return Ok(()) };
    if sale.price.currency != price.currency {
        return Err(Problem::field("sale.price.currency", "must be the price's"));
    }
    if !(0..price.amount).contains(&sale.price.amount) {
        return Err(Problem::field("sale.price.amount", "must be lower than the price"));
    }
    if sale.ends_at <= sale.starts_at {
        return Err(Problem::field("sale.ends_at", "must lie after starts_at"));
    }
    Ok(())
}
