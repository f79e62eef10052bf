//! Bundles: courses at one price, made, changed and listed.

use akademi_api::{
    Body, Caller, PathParam, Problem, QueryParams,
    paging::{Cursor, Page, PageParams},
    problem::ProblemDocument,
    signed::CallContext,
};
use akademi_domain::{
    course::Title,
    ids::{BundleId, CourseId},
    money::Money,
    pricing::{MAX_LINES, Sale},
    time::Timestamp,
};
use akademi_feed::LambdaEvent;
use akademi_lambda_store::{
    audit::{Action, Actor, Write},
    feed,
    postgres::TenantTransaction,
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
    Payments, PaymentsError,
    prices::{check_amount, check_sale},
    store,
};

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewBundle {
    #[schema(value_type = String)]
    title: Title,
    /// Each once, and each with a price in the bundle's currency.
    #[schema(min_items = 2, max_items = 100)]
    courses: Vec<CourseId>,
    /// Of all of them together, VAT inside. Each course has its part of it, with its own VAT rate.
    price: Money,
    /// A lower price for a time, in the same currency.
    #[serde(default)]
    sale: Option<Sale>,
    /// Whether it can be bought.
    #[serde(default = "yes")]
    #[schema(default = true)]
    for_sale: bool,
}

const fn yes() -> bool {
    true
}

/// Courses that are sold together.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Bundle)]
pub struct BundleAnswer {
    pub id: BundleId,
    #[schema(value_type = String)]
    pub title: Title,
    pub courses: Vec<CourseId>,
    /// VAT inside, while there is no sale.
    pub price: Money,
    pub sale: Option<Sale>,
    pub for_sale: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Make a bundle
///
/// Who may not see everybody's courses bundles their own courses only.
#[utoipa::path(post, path = "/api/v1/commerce/bundles", tag = "commerce", request_body = NewBundle,
    responses((status = 201, description = "The bundle", body = BundleAnswer),
              (status = 409, description = "Another bundle has this title", body = ProblemDocument, content_type = "application/problem+json")))]
pub async fn create(
    State(payments): State<Payments>,
    caller: Caller,
    Extension(call): Extension<CallContext>,
    Body(new): Body<NewBundle>,
) -> Result<Response, PaymentsError> {
    check(&new)?;
    let now = payments.ports.now();
    let bundle = new.bundle(BundleId::new(now, payments.ports.random()), now, now);
    let mut tx = payments.postgres.tenant(caller.tenant).await?;
    save(&mut tx, &caller, &bundle).await?;
    let created = Write {
        action: Action::BundleCreated,
        target: format!("bundle:{}", bundle.id),
        before: Value::Null,
        after: audited(&bundle),
    };
    payments.auditor.record(&mut tx, Actor::new(&caller, &call), created).await?;
    tx.commit().await?;
    payments.wake.wake();
    Ok((StatusCode::CREATED, Body(BundleAnswer::new(bundle))).into_response())
}

/// Change a bundle
///
/// From now on; orders that were made keep their prices.
#[utoipa::path(put, path = "/api/v1/commerce/bundles/{bundle_id}", tag = "commerce",
    params(("bundle_id" = BundleId, Path, description = "The bundle")), request_body = NewBundle,
    responses((status = 200, description = "The bundle as it is now", body = BundleAnswer),
              (status = 409, description = "Another bundle has this title", body = ProblemDocument, content_type = "application/problem+json")))]
pub async fn change(
    State(payments): State<Payments>,
    caller: Caller,
    Extension(call): Extension<CallContext>,
    PathParam(id): PathParam<BundleId>,
    Body(new): Body<NewBundle>,
) -> Result<Body<BundleAnswer>, PaymentsError> {
    check(&new)?;
    let now = payments.ports.now();
    let mut tx = payments.postgres.tenant(caller.tenant).await?;
    let before =
        store::lock_bundle(&mut tx, id, caller.courses_of()).await?.ok_or_else(Problem::not_found)?;
    let bundle = new.bundle(id, before.created_at, now);
    save(&mut tx, &caller, &bundle).await?;
    let changed = Write {
        action: Action::BundleChanged,
        target: format!("bundle:{id}"),
        before: audited(&before),
        after: audited(&bundle),
    };
    payments.auditor.record(&mut tx, Actor::new(&caller, &call), changed).await?;
    tx.commit().await?;
    payments.wake.wake();
    Ok(Body(BundleAnswer::new(bundle)))
}

/// Bundles, newest first
///
/// The academy's; who may not see everybody's courses sees those of their own courses only.
#[utoipa::path(get, path = "/api/v1/commerce/bundles", tag = "commerce", params(PageParams),
    responses((status = 200, description = "A page of bundles", body = Page<BundleAnswer>)))]
pub async fn list(
    State(payments): State<Payments>,
    caller: Caller,
    QueryParams(page): QueryParams<PageParams>,
) -> Result<Body<Page<BundleAnswer>>, PaymentsError> {
    let after = page.cursor.as_deref().map(Cursor::decode_at).transpose()?;
    let mut tx = payments.postgres.tenant(caller.tenant).await?;
    let bundles = store::list_bundles(&mut tx, caller.courses_of(), after, page.limit.and_one()).await?;
    tx.commit().await?;
    let found = Page::of(bundles, page.limit, |last| Cursor::at(last.created_at, last.id));
    Ok(Body(found.map(BundleAnswer::new)))
}

/// Stores it and tells the edge.
async fn save(
    tx: &mut TenantTransaction,
    caller: &Caller,
    bundle: &store::Bundle,
) -> Result<(), PaymentsError> {
    let owner = caller.courses_of();
    if !store::can_be_bundled(tx, &bundle.courses, bundle.price.currency, owner).await? {
        let message = match owner {
            Some(_) => "must name courses of your own that have a price in this currency",
            None => "must name courses that have a price in this currency",
        };
        return Err(Problem::field("courses", message).into());
    }
    store::save_bundle(tx, bundle).await?;
    let saved = LambdaEvent::BundleSaved {
        id: bundle.id,
        title: bundle.title.clone(),
        courses: bundle.courses.clone(),
        price: bundle.price,
        sale: bundle.sale,
        for_sale: bundle.for_sale,
        at: bundle.updated_at,
    };
    feed::append(tx, &saved, bundle.updated_at).await?;
    Ok(())
}

fn audited(bundle: &store::Bundle) -> Value {
    json!({ "title": bundle.title, "courses": bundle.courses, "price": bundle.price, "sale": bundle.sale,
            "for_sale": bundle.for_sale })
}

impl NewBundle {
    fn bundle(self, id: BundleId, created_at: Timestamp, updated_at: Timestamp) -> store::Bundle {
        store::Bundle {
            id,
            title: self.title,
            courses: self.courses,
            price: self.price,
            sale: self.sale,
            for_sale: self.for_sale,
            created_at,
            updated_at,
        }
    }
}

impl BundleAnswer {
    fn new(bundle: store::Bundle) -> Self {
        Self {
            id: bundle.id,
            title: bundle.title,
            courses: bundle.courses,
            price: bundle.price,
            sale: bundle.sale,
            for_sale: bundle.for_sale,
            created_at: bundle.created_at,
            updated_at: bundle.updated_at,
        }
    }
}

/// What the types of the fields let through and no bundle should say.
fn check(new: &NewBundle) -> Result<(), Problem> {
    if !(2..=MAX_LINES).contains(&new.courses.len()) {
        return Err(Problem::field("courses", format!("must name 2 to {MAX_LINES} courses")));
    }
    for (index, course) in new.courses.iter().enumerate() {
        if new.courses.iter().take(index).any(|earlier| earlier == course) {
            return Err(Problem::field(format!("courses[{index}]"), "stands in the bundle twice"));
        }
    }
    check_amount("price.amount", new.price.amount, 0)?;
    check_sale(new.sale, new.price)
}
