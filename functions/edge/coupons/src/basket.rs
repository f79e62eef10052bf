//! What a basket costs somebody, and why some of it cannot be bought: one computation for quotes and for carts.

use akademi_api::{
    Caller, Problem,
    quote::{QUOTE_SECONDS, QuoteKeys, QuoteTerms},
};
use akademi_domain::{
    ids::{BundleId, CouponId, CourseId, UserId},
    pricing::{
        self, Bundle, BundleRefusal, CouponCode, CouponOutcome, CouponRefusal, Line, MAX_LINES, Product,
        Quote,
    },
    time::Timestamp,
};
use akademi_edge_store::TenantDatabase;
use serde::Serialize;
use std::fmt;

use crate::store::{self, AvailableCoupon, CourseOffer, Offers};

/// The most bundles in a basket: of two courses each they are as many lines as it may have.
pub const MAX_BUNDLES: usize = 50;

/// What can be put into a basket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item {
    /// A course that is to be bought alone.
    Course(CourseId),
    Bundle(BundleId),
}

/// Why something in a basket cannot be bought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case", tag = "reason", content = "course")]
pub enum ItemRefusal {
    NotForSale,
    /// Another shop sells it: the course's page says which.
    SoldElsewhere,
    /// A bundle with this course, which another shop sells.
    HoldsSoldElsewhere(CourseId),
    /// No seat is left.
    Full,
    /// A bundle with this course, which has no seat left.
    HoldsFull(CourseId),
    AlreadyEnrolled,
    /// A bundle with this course, which the person has.
    HoldsEnrolled(CourseId),
    /// It, or a course of it, is in what stands before it.
    Twice,
    /// Of what stands first.
    OtherCurrency,
    /// With it the basket would have more than 100 courses.
    TooMany,
}

impl fmt::Display for ItemRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotForSale => f.write_str("is not for sale here"),
            Self::SoldElsewhere => f.write_str("is sold by another shop"),
            Self::HoldsSoldElsewhere(course) => {
                write!(f, "holds a course that another shop sells: {course}")
            }
            Self::Full => f.write_str("has no seat left"),
            Self::HoldsFull(course) => write!(f, "holds a course that has no seat left: {course}"),
            Self::AlreadyEnrolled => f.write_str("you have this course already"),
            Self::HoldsEnrolled(course) => write!(f, "holds a course that you have already: {course}"),
            Self::Twice => f.write_str("stands in the basket twice"),
            Self::OtherCurrency => f.write_str("is sold in another currency than the first course"),
            Self::TooMany => write!(f, "is beyond the {MAX_LINES} courses that a basket may have"),
        }
    }
}

/// What became of a coupon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
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

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
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

/// A basket as its buyer filled it.
#[derive(Debug, Clone, Copy)]
pub struct Basket<'a> {
    /// Nobody is known yet of a guest: then nothing is owned, used up or bought before.
    pub buyer: Option<UserId>,
    /// In the order in which lines are made of them: courses, and then bundles.
    pub items: &'a [Item],
    /// The codes, each once; `None` for what no code looks like.
    pub codes: &'a [Option<CouponCode>],
}

/// A basket with what it costs.
pub struct PricedBasket {
    pub offers: Offers,
    /// What cannot be bought, by its place in the basket; the price is that of the rest.
    pub refused: Vec<(usize, ItemRefusal)>,
    /// `None` when nothing can be bought.
    pub price: Option<Quote>,
    /// What became of each code, in their order.
    pub coupons: Vec<CouponAnswer>,
    applied: Vec<CouponId>,
}

/// What an order may be made with.
pub struct SignedQuote {
    pub token: String,
    pub expires_at: Timestamp,
}

/// Prices a basket at `now`, with two statements at most.
///
/// # Errors
/// Of the store; `internal` for prices that no shop has.
pub async fn price(
    database: &TenantDatabase<'_>,
    basket: Basket<'_>,
    now: Timestamp,
) -> Result<PricedBasket, Problem> {
    let offers = store::find_offers(database, basket.buyer, basket.items).await?;
    let known: Vec<&CouponCode> = basket.codes.iter().flatten().collect();
    let found = match &*known {
        [] => Vec::new(),
        codes => store::find_available_coupons(database, basket.buyer, codes).await?,
    };
    let coupon_of = |code: &Option<CouponCode>| {
        code.as_ref().and_then(|code| found.iter().find(|coupon| coupon.code == *code))
    };
    let (lines, refused) = lines(basket.items, &offers, now);
    let usable = basket.codes.iter().filter_map(coupon_of).filter(|coupon| !coupon.spent);
    let usable: Vec<_> = usable.map(|coupon| (coupon.id, coupon.terms.clone())).collect();
    let is_first_purchase = !found.iter().any(|coupon| coupon.has_bought);
    let (price, outcomes) = match &*lines {
        // None of them is for what is not there.
        [] => (None, vec![CouponOutcome::Refused(CouponRefusal::NotForTheseCourses); usable.len()]),
        lines => {
            let priced = pricing::Basket { lines, coupons: &usable, is_first_purchase };
            let priced = pricing::quote(&priced, now).map_err(Problem::broken)?;
            let outcomes = priced.coupons.clone();
            (Some(priced), outcomes)
        }
    };
    let applied = usable.iter().zip(&outcomes);
    let applied = applied.filter(|(_, outcome)| **outcome == CouponOutcome::Applied).map(|((id, _), _)| *id);
    let applied = applied.collect();
    let mut outcomes = outcomes.into_iter();
    let answer = |coupon: Option<&AvailableCoupon>| match coupon {
        // What can be no code is one that nobody made.
        None => CouponAnswer::Refused(CouponReason::NotAvailable),
        Some(coupon) if coupon.spent => CouponAnswer::Refused(CouponReason::AlreadyUsed),
        Some(_) => {
            outcomes.next().map_or(CouponAnswer::Refused(CouponReason::NotAvailable), CouponAnswer::from)
        }
    };
    let coupons = basket.codes.iter().map(coupon_of).map(answer).collect();
    Ok(PricedBasket { offers, refused, price, coupons, applied })
}

impl PricedBasket {
    /// What an order of all that can be bought may be made with; nothing without anything.
    ///
    /// # Errors
    /// `internal`, should it not serialise.
    pub fn sign(
        &self,
        keys: &QuoteKeys,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<Option<SignedQuote>, Problem> {
        let Some(price) = &self.price else { return Ok(None) };
        let expires_at = now.plus_seconds(QUOTE_SECONDS);
        let terms = QuoteTerms::new(caller.tenant, caller.user, price, self.applied.clone(), expires_at);
        let token = keys.sign(&terms).ok_or_else(|| Problem::broken("a quote could not be signed"))?;
        Ok(Some(SignedQuote { token, expires_at }))
    }
}

/// The lines of what can be bought, and what cannot, by its place.
fn lines(items: &[Item], offers: &Offers, now: Timestamp) -> (Vec<Line>, Vec<(usize, ItemRefusal)>) {
    let (mut lines, mut refused) = (Vec::new(), Vec::new());
    for (index, item) in items.iter().enumerate() {
        let parts = match item {
            Item::Course(course) => of_course(*course, offers, now),
            Item::Bundle(bundle) => of_bundle(*bundle, offers, now),
        };
        match parts.and_then(|parts| beside(&lines, parts)) {
            Ok(parts) => lines.extend(parts),
            Err(refusal) => refused.push((index, refusal)),
        }
    }
    (lines, refused)
}

fn of_course(course: CourseId, offers: &Offers, now: Timestamp) -> Result<Vec<Line>, ItemRefusal> {
    let offer = offers.course(course).ok_or(ItemRefusal::NotForSale)?;
    match (&offer.product, offer.enrolled_at) {
        (None, _) if offer.is_sold_elsewhere => Err(ItemRefusal::SoldElsewhere),
        (None, _) => Err(ItemRefusal::NotForSale),
        (Some(_), Some(_)) => Err(ItemRefusal::AlreadyEnrolled),
        (Some(_), None) if offer.is_full => Err(ItemRefusal::Full),
        (Some(product), None) => Ok(vec![product.line(now)]),
    }
}

fn of_bundle(id: BundleId, offers: &Offers, now: Timestamp) -> Result<Vec<Line>, ItemRefusal> {
    let offer = offers.bundle(id).filter(|offer| offer.for_sale).ok_or(ItemRefusal::NotForSale)?;
    let find = |is_so: fn(&CourseOffer) -> bool| {
        offer.courses.iter().copied().find(|course| offers.course(*course).is_some_and(is_so))
    };
    if let Some(course) = find(|course| course.is_sold_elsewhere) {
        return Err(ItemRefusal::HoldsSoldElsewhere(course));
    }
    let product = |course: &CourseId| offers.course(*course)?.product.clone();
    let courses: Option<Vec<Product>> = offer.courses.iter().map(product).collect();
    let courses = courses.ok_or(ItemRefusal::NotForSale)?;
    let bundle = Bundle { id, price: offer.price, sale: offer.sale, courses };
    // The first is the one that is told.
    let enrolled: Vec<CourseId> = find(|course| course.enrolled_at.is_some()).into_iter().collect();
    let lines = bundle.lines(&enrolled, now).map_err(|refusal| match refusal {
        BundleRefusal::NotForSale => ItemRefusal::NotForSale,
        BundleRefusal::AlreadyEnrolled(course) => ItemRefusal::HoldsEnrolled(course),
    })?;
    find(|course| course.is_full).map_or(Ok(lines), |full| Err(ItemRefusal::HoldsFull(full)))
}

/// `parts`, if they can be bought together with `lines`.
fn beside(lines: &[Line], parts: Vec<Line>) -> Result<Vec<Line>, ItemRefusal> {
    let currency = lines.first().map(|line| line.price.currency);
    if parts.iter().any(|part| lines.iter().any(|line| line.course == part.course)) {
        Err(ItemRefusal::Twice)
    } else if parts.iter().any(|part| currency.is_some_and(|currency| part.price.currency != currency)) {
        Err(ItemRefusal::OtherCurrency)
    } else if lines.len() + parts.len() > MAX_LINES {
        Err(ItemRefusal::TooMany)
    } else {
        Ok(parts)
    }
}
