//! `POST /api/v1/coupons/quote`.

use akademi_api::{
    Body, Caller, Problem,
    problem::FieldError,
    quote::{QUOTE_SECONDS, QuoteTerms},
};
use akademi_domain::{
    ids::{BundleId, CourseId},
    money::Money,
    pricing::{
        self, Bundle, BundleRefusal, CouponCode, CouponOutcome, CouponRefusal, Line, MAX_COUPONS, MAX_LINES,
        PricingError, Product, QuotedLine,
    },
    time::Timestamp,
};
use axum::extract::State;
use serde::{Deserialize, Serialize};

use crate::{
    Coupons,
    store::{self, AvailableCoupon, BundleOffer, Offer},
};

/// The most bundles in a basket: of two courses each they are as many lines as it may have.
const MAX_BUNDLES: usize = 50;
const NOT_FOR_SALE: &str = "is not for sale here";

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

#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case", tag = "outcome", content = "reason")]
pub enum CouponAnswer {
    Applied,
    /// The basket costs what it costs without it.
    Refused(CouponReason),
}

impl From<CouponOutcome> for CouponAnswer {
    fn from(outcome: CouponOutcome) -> Self {
        match outcome {
            CouponOutcome::Applied => Self::Applied,
            CouponOutcome::Refused(refusal) => Self::Refused(refusal.into()),
        }
    }
}

#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CouponReason {
    /// No such code, or its uses are gone: which of them, nobody is told.
    NotAvailable,
    /// The person has used it as often as one may.
    AlreadyUsed,
    NotStarted,
    Expired,
    OtherCurrency,
    NotForTheseCourses,
    BelowMinimum,
    NotFirstPurchase,
    /// What it is for costs nothing, or others have taken everything off.
    NothingToTakeOff,
    /// It does not apply together with the others, and they take off as much or more.
    NotCombined,
}

impl From<CouponRefusal> for CouponReason {
    fn from(refusal: CouponRefusal) -> Self {
        match refusal {
            CouponRefusal::NotStarted => Self::NotStarted,
            CouponRefusal::Expired => Self::Expired,
            CouponRefusal::OtherCurrency => Self::OtherCurrency,
            CouponRefusal::NotForTheseCourses => Self::NotForTheseCourses,
            CouponRefusal::BelowMinimum => Self::BelowMinimum,
            CouponRefusal::NotFirstPurchase => Self::NotFirstPurchase,
            CouponRefusal::NothingToTakeOff => Self::NothingToTakeOff,
            CouponRefusal::NotCombined => Self::NotCombined,
        }
    }
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
    Body(basket): Body<Basket>,
) -> Result<Body<QuoteAnswer>, Problem> {
    if basket.courses.len() > MAX_LINES {
        return Err(Problem::field("courses", "holds more than 100 courses"));
    }
    if basket.bundles.len() > MAX_BUNDLES {
        return Err(Problem::field("bundles", "holds more than 50 bundles"));
    }
    let codes = codes(&basket.coupons)?;
    let database = coupons.edge.tenant(caller.tenant);
    let bundles = match &*basket.bundles {
        [] => Vec::new(),
        ids => store::find_bundles(&database, ids).await?,
    };
    let wanted = basket.courses.iter().chain(bundles.iter().flat_map(|bundle| &bundle.courses));
    let wanted: Vec<CourseId> = wanted.copied().collect();
    let offers = store::find_offers(&database, caller.user, &wanted).await?;
    let now = coupons.edge.ports.now();
    let (lines, fields) = lines(&basket, &bundles, &offers, now)?;

    let known: Vec<&CouponCode> = codes.iter().flatten().collect();
    let found = match &*known {
        [] => Vec::new(),
        codes => store::find_available_coupons(&database, caller.user, codes).await?,
    };
    let coupon_of = |code: &Option<CouponCode>| {
        code.as_ref().and_then(|code| found.iter().find(|coupon| coupon.code == *code))
    };
    let usable = codes.iter().filter_map(coupon_of).filter(|coupon| !coupon.spent);
    let usable: Vec<_> = usable.map(|coupon| (coupon.id, coupon.terms.clone())).collect();
    let asks_for_first = usable.iter().any(|(_, terms)| terms.first_purchase_only);
    let is_first_purchase = !asks_for_first || !store::has_bought(&database, caller.user).await?;
    let priced = pricing::Basket { lines: &lines, coupons: &usable, is_first_purchase };
    let priced = pricing::quote(&priced, now).map_err(|error| problem(error, &fields))?;

    let applied = usable.iter().zip(&priced.coupons);
    let applied = applied.filter(|(_, outcome)| **outcome == CouponOutcome::Applied).map(|((id, _), _)| *id);
    let expires_at = now.plus_seconds(QUOTE_SECONDS);
    let terms = QuoteTerms::new(caller.tenant, caller.user, &priced, applied.collect(), expires_at);
    let quote = coupons.quotes.sign(&terms).ok_or_else(|| Problem::broken("a quote could not be signed"))?;
    let mut outcomes = priced.coupons.into_iter();
    let answer = |coupon: Option<&AvailableCoupon>| match coupon {
        // What can be no code is one that nobody made.
        None => CouponAnswer::Refused(CouponReason::NotAvailable),
        Some(coupon) if coupon.spent => CouponAnswer::Refused(CouponReason::AlreadyUsed),
        Some(_) => {
            outcomes.next().map_or(CouponAnswer::Refused(CouponReason::NotAvailable), CouponAnswer::from)
        }
    };
    Ok(Body(QuoteAnswer {
        lines: priced.lines,
        subtotal: priced.subtotal,
        discount: priced.discount,
        total: priced.total,
        vat: priced.vat,
        coupons: codes.iter().map(coupon_of).map(answer).collect(),
        quote,
        expires_at,
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

/// The lines of the basket, and the field that each comes from; what cannot be bought is told field by field.
fn lines(
    basket: &Basket,
    bundles: &[BundleOffer],
    offers: &[Offer],
    now: Timestamp,
) -> Result<(Vec<Line>, Vec<String>), Problem> {
    let (mut lines, mut fields, mut errors) = (Vec::new(), Vec::new(), Vec::new());
    let offer = |course: &CourseId| offers.iter().find(|offer| offer.product.course == *course);
    let mut refuse = |field: String, message: String| errors.push(FieldError { field, message });
    for (index, course) in basket.courses.iter().enumerate() {
        let field = format!("courses[{index}]");
        match offer(course) {
            Some(offer) if !offer.enrolled => {
                lines.push(offer.product.line(now));
                fields.push(field);
            }
            Some(_) => refuse(field, "you have this course already".to_owned()),
            None => refuse(field, NOT_FOR_SALE.to_owned()),
        }
    }
    let owned: Vec<CourseId> =
        offers.iter().filter(|offer| offer.enrolled).map(|offer| offer.product.course).collect();
    for (index, id) in basket.bundles.iter().enumerate() {
        let field = format!("bundles[{index}]");
        let bundle = bundles.iter().find(|bundle| bundle.id == *id).and_then(|bundle| {
            let product = |course| offer(course).map(|offer| offer.product.clone());
            let courses = bundle.courses.iter().map(product).collect::<Option<Vec<Product>>>()?;
            Some(Bundle { id: *id, price: bundle.price, sale: bundle.sale, courses })
        });
        match bundle.ok_or(BundleRefusal::NotForSale).and_then(|bundle| bundle.lines(&owned, now)) {
            Ok(parts) => {
                fields.extend(parts.iter().map(|_| field.clone()));
                lines.extend(parts);
            }
            Err(BundleRefusal::NotForSale) => refuse(field, NOT_FOR_SALE.to_owned()),
            Err(BundleRefusal::AlreadyEnrolled(course)) => {
                refuse(field, format!("holds a course that you have already: {course}"));
            }
        }
    }
    if errors.is_empty() { Ok((lines, fields)) } else { Err(Problem::invalid().with_errors(errors)) }
}

fn problem(error: PricingError, fields: &[String]) -> Problem {
    match error {
        PricingError::Empty | PricingError::TooManyLines => Problem::field("courses", error),
        PricingError::Duplicate(index) | PricingError::Currency(index) => {
            let message = match error {
                PricingError::Duplicate(_) => "stands in the basket twice",
                _ => "is sold in another currency than the first course",
            };
            Problem::field(fields.get(index).map_or("courses", String::as_str), message)
        }
        PricingError::TooManyCoupons
        | PricingError::DuplicateCoupon(_)
        | PricingError::Negative
        | PricingError::Overflow => Problem::broken(error),
    }
}
