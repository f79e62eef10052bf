//! Coupons: made, changed and listed.

use akademi_api::{
    Body, Caller, PathParam, Problem, QueryParams,
    paging::{Cursor, Page, PageParams},
    problem::ProblemDocument,
    signed::CallContext,
};
use akademi_domain::{
    ids::CouponId,
    money::Money,
    pricing::{Coupon, CouponCode, CouponScope, Discount, MAX_LINES},
    time::Timestamp,
};
use akademi_feed::LambdaEvent;
use akademi_lambda_store::{
    audit::{Action, Actor, Write},
    feed,
    postgres::{Postgres, TenantTransaction},
};
use axum::{
    Extension,
    extract::State,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    Payments, PaymentsError, holds,
    prices::{MAX_CATEGORIES, check_amount},
    store,
};

/// The most uses that a limit can name.
const MAX_USES: i64 = 1_000_000_000;

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCoupon {
    code: CouponCode,
    discount: Discount,
    scope: CouponScope,
    /// The least that the whole basket must cost before any discount.
    #[serde(default)]
    minimum_total: Option<Money>,
    /// Whether it is only for who has bought nothing yet.
    #[serde(default)]
    first_purchase_only: bool,
    /// Whether it applies together with others that say so too; else it applies alone.
    #[serde(default)]
    stackable: bool,
    /// The first moment at which it applies.
    #[serde(default)]
    starts_at: Option<Timestamp>,
    /// The first moment at which it no longer applies.
    #[serde(default)]
    ends_at: Option<Timestamp>,
    /// Whether everybody is told of it: the catalog lists what costs less with it.
    #[serde(default)]
    public: bool,
    /// How many orders may use it; without it as many as want.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    use_limit: Option<i64>,
    /// How many orders of one person may use it; without it as many as want.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    person_use_limit: Option<i64>,
}

/// A coupon and how far it is used up.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Coupon)]
pub struct CouponAnswer {
    pub id: CouponId,
    pub code: CouponCode,
    pub discount: Discount,
    pub scope: CouponScope,
    pub minimum_total: Option<Money>,
    pub first_purchase_only: bool,
    pub stackable: bool,
    pub starts_at: Option<Timestamp>,
    pub ends_at: Option<Timestamp>,
    pub public: bool,
    pub use_limit: Option<i64>,
    pub person_use_limit: Option<i64>,
    /// Uses of orders that wait for money.
    pub held: i64,
    /// Uses of paid orders.
    pub used: i64,
    pub created_at: Timestamp,
}

/// Make a coupon
///
/// Who may not see everybody's courses makes coupons for their own courses only.
#[utoipa::path(post, path = "/api/v1/commerce/coupons", tag = "commerce", request_body = NewCoupon,
    responses((status = 201, description = "The coupon", body = CouponAnswer),
              (status = 409, description = "Another coupon has this code", body = ProblemDocument, content_type = "application/problem+json")))]
pub async fn create(
    State(payments): State<Payments>,
    caller: Caller,
    Extension(call): Extension<CallContext>,
    Body(new): Body<NewCoupon>,
) -> Result<Response, PaymentsError> {
    check(&new)?;
    let now = payments.ports.now();
    let mut tx = payments.postgres.tenant(caller.tenant).await?;
    check_scope(&mut tx, &caller, &new.scope).await?;
    let coupon = new.coupon(CouponId::new(now, payments.ports.random()), (0, 0), now);
    store::insert_coupon(&mut tx, &coupon).await?;
    store::open_budget(&mut tx, holds::uses_of(coupon.id), coupon.use_limit).await?;
    tell(&mut tx, &coupon, now).await?;
    let created = Write {
        action: Action::CouponCreated,
        target: format!("coupon:{}", coupon.id),
        before: Value::Null,
        after: audited(&coupon),
    };
    payments.auditor.record(&mut tx, Actor::new(&caller, &call), created).await?;
    tx.commit().await?;
    payments.wake.wake();
    Ok((StatusCode::CREATED, Body(CouponAnswer::new(coupon))).into_response())
}

/// Change a coupon
///
/// All of it, from now on: orders that were made keep what it took off. Who may not see everybody's courses changes coupons
/// for their own courses only. A limit per person that is new counts from now on; a lower one takes nothing from whoever has
/// used it more often.
#[utoipa::path(put, path = "/api/v1/commerce/coupons/{coupon_id}", tag = "commerce", request_body = NewCoupon,
    params(("coupon_id" = CouponId, Path, description = "The coupon")),
    responses((status = 200, description = "The coupon as it is now", body = CouponAnswer),
              (status = 409, description = "Another coupon has this code, or more orders use it", body = ProblemDocument, content_type = "application/problem+json")))]
pub async fn change(
    State(payments): State<Payments>,
    caller: Caller,
    Extension(call): Extension<CallContext>,
    PathParam(id): PathParam<CouponId>,
    Body(new): Body<NewCoupon>,
) -> Result<Body<CouponAnswer>, PaymentsError> {
    check(&new)?;
    let now = payments.ports.now();
    let mut tx = payments.postgres.tenant(caller.tenant).await?;
    find_changeable(&mut tx, &caller, id).await?;
    check_scope(&mut tx, &caller, &new.scope).await?;
    // Locks its uses too: whether one is left stays as it is read, and nobody else changes it.
    store::set_ceiling(&mut tx, holds::uses_of(id), new.use_limit).await?;
    let before = find_changeable(&mut tx, &caller, id).await?;
    let coupon = new.coupon(id, (before.held, before.used), before.created_at);
    store::save_coupon(&mut tx, &coupon).await?;
    tell(&mut tx, &coupon, now).await?;
    for (person, spent) in store::set_ceilings_of_people(&mut tx, id, coupon.person_use_limit).await? {
        let told = LambdaEvent::CouponSpent { coupon: id, person, spent, at: now };
        feed::append(&mut tx, &told, now).await?;
    }
    let changed = Write {
        action: Action::CouponChanged,
        target: format!("coupon:{id}"),
        before: audited(&before),
        after: audited(&coupon),
    };
    payments.auditor.record(&mut tx, Actor::new(&caller, &call), changed).await?;
    tx.commit().await?;
    payments.wake.wake();
    Ok(Body(CouponAnswer::new(coupon)))
}

/// A coupon that the caller may change; 404 for another's.
async fn find_changeable(
    tx: &mut TenantTransaction,
    caller: &Caller,
    id: CouponId,
) -> Result<store::Coupon, PaymentsError> {
    let found = store::find_coupon(tx, id).await?.ok_or_else(Problem::not_found)?;
    match caller.courses_of() {
        Some(owner) if !store::is_scope_of(tx, &found.terms.scope, owner).await? => {
            Err(Problem::not_found().into())
        }
        _ => Ok(found),
    }
}

async fn check_scope(
    tx: &mut TenantTransaction,
    caller: &Caller,
    scope: &CouponScope,
) -> Result<(), PaymentsError> {
    match caller.courses_of() {
        Some(owner) if !store::is_scope_of(tx, scope, owner).await? => {
            Err(Problem::field("scope", "must name courses of your own").into())
        }
        _ => Ok(()),
    }
}

/// Tells the edge of it.
async fn tell(
    tx: &mut TenantTransaction,
    coupon: &store::Coupon,
    now: Timestamp,
) -> Result<(), PaymentsError> {
    let saved = LambdaEvent::CouponSaved {
        id: coupon.id,
        code: coupon.code.clone(),
        terms: coupon.terms.clone(),
        available: coupon.use_limit.is_none_or(|limit| coupon.held + coupon.used < limit),
        at: now,
    };
    Ok(feed::append(tx, &saved, now).await?)
}

fn audited(coupon: &store::Coupon) -> Value {
    json!({ "code": coupon.code, "terms": coupon.terms, "use_limit": coupon.use_limit,
            "person_use_limit": coupon.person_use_limit })
}

/// Coupons, newest first
///
/// The academy's; who may not see everybody's courses sees those that are for their own courses only.
#[utoipa::path(get, path = "/api/v1/commerce/coupons", tag = "commerce", params(PageParams),
    responses((status = 200, description = "A page of coupons", body = Page<CouponAnswer>)))]
pub async fn list(
    State(payments): State<Payments>,
    caller: Caller,
    QueryParams(page): QueryParams<PageParams>,
) -> Result<Body<Page<CouponAnswer>>, PaymentsError> {
    let after = page.cursor.as_deref().map(Cursor::decode_at).transpose()?;
    let coupons = newest(&payments.postgres, &caller, after, page.limit.and_one()).await?;
    let found = Page::of(coupons, page.limit, |last| Cursor::at(last.created_at, last.id));
    Ok(Body(found.map(CouponAnswer::new)))
}

async fn newest(
    postgres: &Postgres,
    caller: &Caller,
    after: Option<(Timestamp, CouponId)>,
    limit: i64,
) -> Result<Vec<store::Coupon>, PaymentsError> {
    let mut tx = postgres.tenant(caller.tenant).await?;
    let coupons = store::list_coupons(&mut tx, caller.courses_of(), after, limit).await?;
    tx.commit().await?;
    Ok(coupons)
}

impl NewCoupon {
    fn coupon(self, id: CouponId, (held, used): (i64, i64), created_at: Timestamp) -> store::Coupon {
        let terms = Coupon {
            discount: self.discount,
            scope: self.scope,
            minimum_total: self.minimum_total,
            first_purchase_only: self.first_purchase_only,
            stackable: self.stackable,
            starts_at: self.starts_at,
            ends_at: self.ends_at,
            public: self.public,
        };
        let (use_limit, person_use_limit) = (self.use_limit, self.person_use_limit);
        store::Coupon { id, code: self.code, terms, use_limit, person_use_limit, held, used, created_at }
    }
}

impl CouponAnswer {
    fn new(coupon: store::Coupon) -> Self {
        Self {
            id: coupon.id,
            code: coupon.code,
            discount: coupon.terms.discount,
            scope: coupon.terms.scope,
            minimum_total: coupon.terms.minimum_total,
            first_purchase_only: coupon.terms.first_purchase_only,
            stackable: coupon.terms.stackable,
            starts_at: coupon.terms.starts_at,
            ends_at: coupon.terms.ends_at,
            public: coupon.terms.public,
            use_limit: coupon.use_limit,
            person_use_limit: coupon.person_use_limit,
            held: coupon.held,
            used: coupon.used,
            created_at: coupon.created_at,
        }
    }
}

/// What the types of the fields let through and no coupon should say.
fn check(new: &NewCoupon) -> Result<(), Problem> {
    match new.discount {
        Discount::Percent { share, cap } => {
            if share.get() == 0 {
                return Err(Problem::field("discount.share", "must be more than 0"));
            }
            cap.map_or(Ok(()), |cap| check_amount("discount.cap.amount", cap.amount, 1))?;
        }
        Discount::Fixed { amount } => check_amount("discount.amount.amount", amount.amount, 1)?,
        Discount::Free => {}
    }
    let (field, named, most) = match &new.scope {
        CouponScope::All => ("scope", 1, 1),
        CouponScope::Courses { courses } => ("scope.courses", courses.len(), MAX_LINES),
        CouponScope::Categories { categories } => ("scope.categories", categories.len(), MAX_CATEGORIES),
        CouponScope::Bundles { bundles } => ("scope.bundles", bundles.len(), MAX_LINES),
    };
    if !(1..=most).contains(&named) {
        return Err(Problem::field(field, format!("must name 1 to {most}")));
    }
    new.minimum_total.map_or(Ok(()), |minimum| check_amount("minimum_total.amount", minimum.amount, 0))?;
    if let (Some(starts), Some(ends)) = (new.starts_at, new.ends_at)
        && ends <= starts
    {
        return Err(Problem::field("ends_at", "must lie after starts_at"));
    }
    for (field, limit) in [("use_limit", new.use_limit), ("person_use_limit", new.person_use_limit)] {
        if limit.is_some_and(|limit| !(1..=MAX_USES).contains(&limit)) {
            return Err(Problem::field(field, format!("must be from 1 to {MAX_USES}")));
        }
    }
    Ok(())
}
