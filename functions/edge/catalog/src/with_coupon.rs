//! Courses that cost less with a coupon that everybody is told of.

use akademi_api::{
    Academy, Problem, QueryParams,
    paging::{Cursor, Page, PageParams},
};
use akademi_domain::{
    ids::CouponId,
    money::Money,
    pricing::{self, Basket, Coupon, CouponCode, CouponOutcome, Product},
    time::Timestamp,
};
use axum::{extract::State, response::Response};
use http::HeaderMap;
use serde::Serialize;

use crate::{Catalog, courses::CourseCard, minute, store};

/// A course, and what it costs with the coupon that takes most off.
#[derive(Serialize, utoipa::ToSchema)]
pub struct CourseWithCoupon {
    #[serde(flatten)]
    pub card: CourseCard,
    pub coupon: BestCoupon,
}

/// Of a basket with nothing else, and for somebody who has bought nothing yet where the coupon asks for that.
#[derive(Serialize, utoipa::ToSchema)]
pub struct BestCoupon {
    code: CouponCode,
    /// What is to be paid, VAT inside.
    price: Money,
    first_purchase_only: bool,
    /// The first moment at which it no longer applies.
    ends_at: Option<Timestamp>,
}

/// A coupon that everybody is told of, and of which a use is left.
pub struct PublicCoupon {
    pub id: CouponId,
    pub code: CouponCode,
    pub terms: Coupon,
}

/// A course that some of these coupons are for.
pub struct Candidate {
    pub card: CourseCard,
    pub product: Product,
}

/// Published courses that cost less with a coupon, newest first
///
/// With coupons that everybody is told of, each course with the one that takes most off it alone; as of the minute that has
/// begun. A page may have fewer courses than its limit, or none, and others after it.
#[utoipa::path(get, path = "/api/v1/catalog/with-coupon", tag = "catalog", params(PageParams),
    responses((status = 200, description = "A page of courses", body = Page<CourseWithCoupon>), (status = 304, description = "Unchanged")))]
pub async fn list(
    State(catalog): State<Catalog>,
    academy: Academy,
    headers: HeaderMap,
    QueryParams(page): QueryParams<PageParams>,
) -> Result<Response, Problem> {
    minute::page(&catalog, &academy, &headers, 'k', &page, async |at, after| {
        let database = catalog.edge.tenant(academy.id);
        let coupons = store::list_public_coupons(&database, at).await?;
        let found = match &*coupons {
            [] => Vec::new(),
            coupons => store::list_candidates(&database, coupons, after, page.limit.and_one()).await?,
        };
        let may_be_kept = !found.is_empty();
        let position = |last: &Candidate| Cursor {
            key: last.card.published_at.as_millis(),
            id: last.card.id.to_string(),
        };
        let Page { data, next_cursor } = Page::of(found, page.limit, position);
        let data = data.into_iter().filter_map(|candidate| with_best(candidate, &coupons, at)).collect();
        Ok((Page { data, next_cursor }, may_be_kept))
    })
    .await
}

/// `None` where none of them takes anything off the course alone.
fn with_best(candidate: Candidate, coupons: &[PublicCoupon], now: Timestamp) -> Option<CourseWithCoupon> {
    let lines = [candidate.product.line(now)];
    let priced = coupons.iter().filter_map(|coupon| {
        let coupons = [(coupon.id, coupon.terms.clone())];
        let basket = Basket { lines: &lines, coupons: &coupons, is_first_purchase: true };
        let quote = pricing::quote(&basket, now).ok()?;
        (quote.coupons == [CouponOutcome::Applied]).then_some((quote.total, coupon))
    });
    let (price, best) = priced.min_by_key(|(total, _)| total.amount)?;
    let coupon = BestCoupon {
        code: best.code.clone(),
        price,
        first_purchase_only: best.terms.first_purchase_only,
        ends_at: best.terms.ends_at,
    };
    Some(CourseWithCoupon { card: candidate.card, coupon })
}
