//! `POST /api/v1/coupons/quote`.

use akademi_api::{Body, Caller, Problem, problem::FieldError};
use akademi_domain::{
    ids::{BundleId, CourseId},
    money::Money,
    pricing::{CouponCode, MAX_COUPONS, MAX_LINES, PricingError, QuotedLine},
    time::Timestamp,
};
use axum::extract::State;
use serde::{Deserialize, Serialize};

use crate::{
    Coupons,
    basket::{self, CouponAnswer, Item, ItemRefusal, MAX_BUNDLES},
};

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Basket {
    /// Courses that are to be bought alone. With those of the bundles they are 1 to 100, each once.
    #[serde(default)]
    #[schema(max_items = 100)]
    courses: Vec<CourseId>,
    /// Bundles that are to be bought.
    #[serde(default)]
    #[schema(max_items = 50)]
    bundles: Vec<BundleId>,
    /// Coupons' codes as the learner typed them.
    #[serde(default)]
    #[schema(max_items = 5)]
    coupons: Vec<String>,
}

/// What the basket costs. Amounts are in one currency, VAT inside.
#[derive(Serialize, utoipa::ToSchema)]
pub struct QuoteAnswer {
    /// The courses that are bought alone, as they were named, and then those of each bundle.
    lines: Vec<QuotedLine>,
    subtotal: Money,
    discount: Money,
    /// What is to be paid.
    total: Money,
    /// The VAT inside the total.
    vat: Money,
    /// What became of each code, as they were named.
    coupons: Vec<CouponAnswer>,
    /// Send this with the order. It reserves nothing.
    quote: String,
    /// Until when an order may be made with it.
    expires_at: Timestamp,
}

/// Quote a basket
///
/// What courses and bundles cost, with up to five coupons. Those that stack apply one after another; one that does not
/// applies alone, if that is better. A coupon that does not apply is no error: the answer says why. The quote is good for
/// 15 minutes and reserves nothing.
#[utoipa::path(post, path = "/api/v1/coupons/quote", tag = "commerce", request_body = Basket,
    responses((status = 200, description = "What the basket costs", body = QuoteAnswer)))]
pub async fn quote(
    State(coupons): State<Coupons>,
    caller: Caller,
    Body(wanted): Body<Basket>,
) -> Result<Body<QuoteAnswer>, Problem> {
    if wanted.courses.len() > MAX_LINES {
        return Err(Problem::field("courses", "holds more than 100 courses"));
    }
    if wanted.bundles.len() > MAX_BUNDLES {
        return Err(Problem::field("bundles", "holds more than 50 bundles"));
    }
    let codes = codes(&wanted.coupons)?;
    let courses = wanted.courses.iter().copied().map(Item::Course);
    let items: Vec<Item> = courses.chain(wanted.bundles.iter().copied().map(Item::Bundle)).collect();
    let now = coupons.edge.ports.now();
    let basket = basket::Basket { buyer: Some(caller.user), items: &items, codes: &codes };
    let priced = basket::price(&coupons.edge.tenant(caller.tenant), basket, now).await?;
    if !priced.refused.is_empty() {
        return Err(refused(&priced.refused, wanted.courses.len()));
    }
    let signed = priced.sign(&coupons.quotes, &caller, now)?;
    let (Some(price), Some(signed)) = (priced.price, signed) else {
        return Err(Problem::field("courses", PricingError::Empty));
    };
    Ok(Body(QuoteAnswer {
        lines: price.lines,
        subtotal: price.subtotal,
        discount: price.discount,
        total: price.total,
        vat: price.vat,
        coupons: priced.coupons,
        quote: signed.token,
        expires_at: signed.expires_at,
    }))
}

/// The codes that these can be; `None` for what no code looks like.
fn codes(typed: &[String]) -> Result<Vec<Option<CouponCode>>, Problem> {
    if typed.len() > MAX_COUPONS {
        return Err(Problem::field("coupons", "holds more than 5 codes"));
    }
    let codes: Vec<Option<CouponCode>> = typed.iter().map(|code| code.parse().ok()).collect();
    for (index, code) in codes.iter().enumerate() {
        if code.is_some() && codes.iter().take(index).any(|earlier| earlier == code) {
            return Err(Problem::field(format!("coupons[{index}]"), "stands here twice"));
        }
    }
    Ok(codes)
}

/// What cannot be bought is told field by field: so many courses come before the bundles.
fn refused(refused: &[(usize, ItemRefusal)], courses: usize) -> Problem {
    let error = |(index, refusal): &(usize, ItemRefusal)| {
        let field = match index.checked_sub(courses) {
            None => format!("courses[{index}]"),
            Some(index) => format!("bundles[{index}]"),
        };
        FieldError { field, message: refusal.to_string() }
    };
    Problem::invalid().with_errors(refused.iter().map(error).collect())
}
