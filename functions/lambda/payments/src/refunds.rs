//! Staff gives money back.

use akademi_api::{
    Body, Caller, PathParam, Problem,
    idempotency::{self as idempotent, StoredResponse},
    problem::ProblemDocument,
    signed::CallContext,
};
use akademi_domain::{
    ids::{CourseId, OrderId, RefundId},
    money::Money,
    order::OrderState,
    refund::{RefundError, Wanted, allocate},
    time::Timestamp,
};
use akademi_lambda_store::{
    audit::{Action, Actor, Write},
    idempotency::{self, Begin, Scope},
    postgres::TenantTransaction,
};
use axum::{Extension, extract::State, response::Response};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    Payments, PaymentsError,
    error::conflict,
    refunding,
    store::{self, Order, Payment, Refund, RefundLine, RefundState},
};

const ROUTE: &str = "POST /api/v1/commerce/orders/{order_id}/refunds";
/// Longer than any call to a provider takes.
const LEASE_MILLIS: i64 = 60_000;
const MAX_REASON: usize = 500;

/// What is to go back: these lines, or this much, or, with neither, all that is left. A course is taken back once all that
/// was paid for it has gone back.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRefund {
    /// What is left of these courses' lines.
    #[serde(default)]
    #[schema(min_items = 1, max_items = 100)]
    courses: Option<Vec<CourseId>>,
    /// Minor units of the order's currency, over all lines.
    #[serde(default)]
    #[schema(minimum = 1)]
    amount: Option<i64>,
    /// Why, for the academy's own eyes: 1 to 500 characters.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// Money that goes back.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Refund)]
pub struct RefundAnswer {
    pub id: RefundId,
    pub state: RefundState,
    pub amount: Money,
    pub lines: Vec<RefundLineAnswer>,
    pub reason: String,
    /// Why nothing went back, in the provider's words.
    pub failure: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = RefundLine)]
pub struct RefundLineAnswer {
    pub course: CourseId,
    pub amount: Money,
    /// The VAT inside the amount.
    pub vat: Money,
    /// The course is taken back with it; of a refund that is `requested`, if those before it go through.
    pub withdraws: bool,
}

impl RefundAnswer {
    pub fn new(refund: Refund, lines: Vec<RefundLine>) -> Self {
        let lines = lines.into_iter().map(|line| RefundLineAnswer {
            course: line.course,
            amount: line.amount,
            vat: line.vat,
            withdraws: line.withdraws,
        });
        Self {
            id: refund.id,
            state: refund.state,
            amount: refund.amount,
            lines: lines.collect(),
            reason: refund.reason,
            failure: refund.failure,
            created_at: refund.created_at,
            updated_at: refund.updated_at,
        }
    }
}

/// Give money back
///
/// Whole, by line or by amount. Needs an `Idempotency-Key`; a retry with it never gives back twice. A refund that the
/// provider has not answered stays `requested` until it is known what became of it: the provider is asked, not told again.
#[utoipa::path(post, path = "/api/v1/commerce/orders/{order_id}/refunds", tag = "commerce", request_body = NewRefund,
    params(("order_id" = OrderId, Path, description = "The order"),
           ("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters, bare or quoted")),
    responses((status = 201, description = "The refund", body = RefundAnswer,
                headers(("Location" = String), ("Idempotent-Replayed" = String, description = "`true` if this was answered before"))),
              (status = 400, description = "The Idempotency-Key is missing, or the body is not well-formed", body = ProblemDocument, content_type = "application/problem+json"),
              (status = 409, description = "The order has no money to give back, or the same request is still running", body = ProblemDocument, content_type = "application/problem+json")))]
pub async fn create(
    State(payments): State<Payments>,
    caller: Caller,
    Extension(call): Extension<CallContext>,
    PathParam(order): PathParam<OrderId>,
    Body(new): Body<NewRefund>,
) -> Result<Response, PaymentsError> {
    check(&new)?;
    let key = idempotent::key(&call)?;
    let scope = Scope { user: caller.user, route: ROUTE, key: &key };
    let fingerprint = idempotent::fingerprint(&(order, &new))?;
    let mut tx = payments.postgres.tenant(caller.tenant).await?;
    let now = payments.ports.now();
    let claim = match idempotency::begin(&mut tx, &scope, &fingerprint, LEASE_MILLIS, now).await? {
        Begin::Fresh(claim) => claim,
        Begin::Running => return Err(idempotent::still_running().into()),
        Begin::Replay(stored) => return Ok(idempotent::respond(stored, true)?),
        Begin::Mismatch => return Err(idempotent::mismatch().into()),
    };
    // There is one if an earlier request with this key died before it could answer: the provider may know of it.
    let (id, sending) = match store::find_refund_by_key(&mut tx, caller.user, &key).await? {
        Some(refund) => (refund.id, None),
        None => {
            let (payment, refund) = keep(&payments, &mut tx, &caller, order, &new, &key).await?;
            audit(&payments, &mut tx, &caller, &call, &refund).await?;
            (refund.id, refunding::prepare(&payments, &mut tx, &payment, &refund).await?)
        }
    };
    tx.commit().await?;

    let answer = match &sending {
        Some(sending) => Some(sending.send().await),
        None => None,
    };
    let mut tx = payments.postgres.tenant(caller.tenant).await?;
    if let Some(answer) = answer {
        refunding::settle(&payments, &mut tx, id, answer).await?;
    }
    let refund =
        store::find_refund(&mut tx, id).await?.ok_or_else(|| Problem::broken("the refund is gone"))?;
    let lines = store::refund_lines(&mut tx, id).await?;
    let response = made(order, RefundAnswer::new(refund, lines))?;
    idempotency::finish(&mut tx, &scope, claim, &response).await?;
    tx.commit().await?;
    payments.wake.wake();
    Ok(idempotent::respond(response, false)?)
}

fn check(new: &NewRefund) -> Result<(), Problem> {
    if new.reason.trim().is_empty() || new.reason.chars().count() > MAX_REASON {
        return Err(Problem::field("reason", format!("must have 1 to {MAX_REASON} characters")));
    }
    if new.courses.is_some() && new.amount.is_some() {
        return Err(Problem::field("amount", "goes without courses: name one of them"));
    }
    Ok(())
}

fn made(order: OrderId, refund: RefundAnswer) -> Result<StoredResponse, PaymentsError> {
    Ok(idempotent::created(format!("/api/v1/commerce/orders/{order}"), &refund)?)
}

/// Keeps the refund with its part of the payment reserved.
async fn keep(
    payments: &Payments,
    tx: &mut TenantTransaction,
    caller: &Caller,
    order: OrderId,
    new: &NewRefund,
    key: &str,
) -> Result<(Payment, Refund), PaymentsError> {
    let nothing = || conflict("nothing-to-refund", "Nothing of this order's money is left to give back.");
    let order = store::lock_order(tx, order).await?.ok_or_else(Problem::not_found)?;
    // Money that came too late goes back by itself.
    if !matches!(order.state, OrderState::Paid | OrderState::PartlyRefunded) {
        return Err(nothing().into());
    }
    let payment = order.captured_by.ok_or_else(nothing)?;
    let payment = store::find_payment(tx, payment).await?.ok_or_else(nothing)?;
    let lines = lines(tx, &order, new).await?;
    let amount = lines.iter().map(|line| line.amount.amount).sum();
    let now = payments.ports.now();
    let refund = Refund {
        id: RefundId::new(now, payments.ports.random()),
        payment: payment.id,
        order: order.id,
        state: RefundState::Requested,
        amount: Money { amount, ..order.total },
        reason: new.reason.trim().to_owned(),
        requested_by: Some(caller.user),
        sent_at: None,
        failure: None,
        created_at: now,
        updated_at: now,
    };
    if refunding::keep(tx, &payment, &refund, &lines, Some(key), now).await? {
        Ok((payment, refund))
    } else {
        Err(nothing().into())
    }
}

/// What goes back of each line.
async fn lines(
    tx: &mut TenantTransaction,
    order: &Order,
    new: &NewRefund,
) -> Result<Vec<RefundLine>, PaymentsError> {
    let paid = store::order_lines(tx, order.id).await?;
    let refundable = refunding::refundable(tx, order.id, &paid, true).await?;
    let wanted = match (&new.courses, new.amount) {
        (Some(courses), _) => Wanted::Lines(places(courses, &paid)?),
        (None, Some(amount)) => Wanted::Amount(amount),
        (None, None) => Wanted::Rest,
    };
    let parts = allocate(&refundable, &wanted).map_err(|error| match error {
        RefundError::NothingLeft => conflict("nothing-to-refund", "Nothing of it is left to give back."),
        RefundError::UnknownLine => Problem::field("courses", "name courses of this order, each once"),
        RefundError::NotPositive | RefundError::MoreThanLeft(_) => Problem::field("amount", error),
    })?;
    let money = |amount| Money { amount, ..order.total };
    let lines = parts.into_iter().filter_map(|part| {
        let line = paid.get(part.line)?;
        Some(RefundLine {
            course: line.course,
            amount: money(part.amount),
            vat: money(part.vat),
            withdraws: part.withdraws,
        })
    });
    Ok(lines.collect())
}

fn places(courses: &[CourseId], lines: &[store::OrderLine]) -> Result<Vec<usize>, Problem> {
    let place = |course: &CourseId| lines.iter().position(|line| line.course == *course);
    let places: Option<Vec<usize>> = courses.iter().map(place).collect();
    places.ok_or_else(|| Problem::field("courses", "name courses of this order"))
}

async fn audit(
    payments: &Payments,
    tx: &mut TenantTransaction,
    caller: &Caller,
    call: &CallContext,
    refund: &Refund,
) -> Result<(), PaymentsError> {
    let asked = Write {
        action: Action::RefundRequested,
        target: format!("order:{}", refund.order),
        before: serde_json::Value::Null,
        after: json!({ "refund": refund.id, "amount": refund.amount, "reason": refund.reason }),
    };
    payments.auditor.record(tx, Actor::new(caller, call), asked).await?;
    Ok(())
}
