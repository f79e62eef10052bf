//! `POST /api/v1/coupons/quote`.

use akademi_api::{
    Body, Caller, Problem,
    problem::FieldError,
    quote::{QUOTE_SECONDS, QuoteTerms},
};
use akademi_domain::{
    ids::CourseId,
    money::Money,
    pricing::{self, CouponCode, CouponOutcome, CouponRefusal, Line, MAX_LINES, PricingError, QuotedLine},
    time::Timestamp,
};
use axum::extract::State;
use serde::{Deserialize, Serialize};

use crate::{
    Coupons,
    store::{self, Offer},
};

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Basket {
    /// What is to be bought, each course once: 1 to 100.
    #[schema(min_items = 1, max_items = 100)]
    courses: Vec<CourseId>,
    /// A coupon's code as the learner typed it.
    #[serde(default)]
    #[schema(max_length = 256)]
    coupon: Option<String>,
}

/// What the basket costs. Amounts are in one currency, VAT inside.
#[derive(Serialize, utoipa::ToSchema)]
pub struct QuoteAnswer {
    lines: Vec<QuotedLine>,
    subtotal: Money,
    discount: Money,
    /// What is to be paid.
    total: Money,
    /// The VAT inside the total.
    vat: Money,
    /// What became of the coupon, if one was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    coupon: Option<CouponAnswer>,
    /// Send this with the order. It reserves nothing.
    quote: String,
    /// Until when an order may be made with it.
    expires_at: Timestamp,
}

#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case", tag = "outcome", content = "reason")]
pub enum CouponAnswer {
    Applied,
    /// The basket costs what it costs without it.
    Refused(CouponReason),
}

#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CouponReason {
    /// No such code, or its uses are gone: which of them, nobody is told.
    NotAvailable,
    NotStarted,
    Expired,
    OtherCurrency,
    NotForTheseCourses,
    BelowMinimum,
}

impl From<CouponRefusal> for CouponReason {
    fn from(refusal: CouponRefusal) -> Self {
        match refusal {
            CouponRefusal::NotStarted => Self::NotStarted,
            CouponRefusal::Expired => Self::Expired,
            CouponRefusal::OtherCurrency => Self::OtherCurrency,
            CouponRefusal::NotForTheseCourses => Self::NotForTheseCourses,
            CouponRefusal::BelowMinimum => Self::BelowMinimum,
        }
    }
}

/// Quote a basket
///
/// What the courses cost, with at most one coupon. A coupon that does not apply is no error: the answer says why.
/// The quote is good for 15 minutes and reserves nothing.
#[utoipa::path(post, path = "/api/v1/coupons/quote", tag = "commerce", request_body = Basket,
    responses((status = 200, description = "What the basket costs", body = QuoteAnswer)))]
pub async fn quote(
    State(coupons): State<Coupons>,
    caller: Caller,
    Body(basket): Body<Basket>,
) -> Result<Body<QuoteAnswer>, Problem> {
    if basket.courses.len() > MAX_LINES {
        return Err(Problem::field("courses", "holds more than 100 courses"));
    }
    let database = coupons.edge.tenant(caller.tenant);
    let offers = store::find_offers(&database, caller.user, &basket.courses).await?;
    let lines = lines(&basket.courses, &offers)?;
    let coupon = match basket.coupon.as_deref().map(str::parse::<CouponCode>) {
        None => None,
        // What can be no code is one that nobody made.
        Some(Err(_)) => Some(None),
        Some(Ok(code)) => Some(store::find_available_coupon(&database, &code).await?),
    };
    let now = coupons.edge.ports.now();
    let found = coupon.as_ref().and_then(Option::as_ref);
    let priced = pricing::quote(&lines, found.map(|(_, terms)| terms), now).map_err(problem)?;

    let outcome = match (&coupon, priced.coupon) {
        (None, _) => None,
        (Some(None), _) | (Some(Some(_)), None) => Some(CouponAnswer::Refused(CouponReason::NotAvailable)),
        (Some(Some(_)), Some(CouponOutcome::Applied)) => Some(CouponAnswer::Applied),
        (Some(Some(_)), Some(CouponOutcome::Refused(refusal))) => Some(CouponAnswer::Refused(refusal.into())),
    };
    let applied = found.map(|(id, _)| *id).filter(|_| matches!(outcome, Some(CouponAnswer::Applied)));
    let expires_at = now.plus_seconds(QUOTE_SECONDS);
    let terms = QuoteTerms::new(caller.tenant, caller.user, &priced, applied, expires_at);
    let quote = coupons.quotes.sign(&terms).ok_or_else(|| Problem::broken("a quote could not be signed"))?;
    Ok(Body(QuoteAnswer {
        lines: priced.lines,
        subtotal: priced.subtotal,
        discount: priced.discount,
        total: priced.total,
        vat: priced.vat,
        coupon: outcome,
        quote,
        expires_at,
    }))
}

/// The offers in the basket's order; what cannot be bought is told field by field.
fn lines(courses: &[CourseId], offers: &[Offer]) -> Result<Vec<Line>, Problem> {
    let (mut lines, mut errors) = (Vec::with_capacity(courses.len()), Vec::new());
    for (index, course) in courses.iter().enumerate() {
        let message = match offers.iter().find(|offer| offer.line.course == *course) {
            Some(offer) if !offer.enrolled => {
                lines.push(offer.line);
                continue;
            }
            Some(_) => "you have this course already",
            None => "is not for sale here",
        };
        errors.push(FieldError { field: format!("courses[{index}]"), message: message.to_owned() });
    }
    if errors.is_empty() { Ok(lines) } else { Err(Problem::invalid().with_errors(errors)) }
}

fn problem(error: PricingError) -> Problem {
    match error {
        PricingError::Empty | PricingError::TooManyLines => Problem::field("courses", error),
        PricingError::Duplicate(index) | PricingError::Currency(index) => {
            let message = match error {
                PricingError::Duplicate(_) => "stands in the basket twice",
                _ => "is sold in another currency than the first course",
            };
            Problem::field(format!("courses[{index}]"), message)
        }
        PricingError::Negative | PricingError::Overflow => Problem::broken(error),
    }
}
