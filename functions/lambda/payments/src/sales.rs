//! The academy's orders, for its staff.

use akademi_api::{
    Body, Caller, PathParam, Problem, QueryParams,
    paging::{Cursor, Limit, Page},
};
use akademi_domain::{
    ids::{OrderId, PaymentId, UserId},
    money::Money,
    order::OrderState,
    time::Timestamp,
};
use axum::extract::State;
use serde::{Deserialize, Serialize};

use crate::{
    Payments, PaymentsError,
    orders::{OrderHead, OrderLineAnswer},
    refunds::RefundAnswer,
    store,
};

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SaleParams {
    /// How many entries to answer at most: 1 to 100.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Limit,
    /// Where the page before ended: its `next_cursor`.
    #[serde(default)]
    cursor: Option<String>,
    /// Orders of this state only.
    #[serde(default)]
    state: Option<OrderState>,
}

/// An order in the academy's list.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Sale {
    pub person: UserId,
    #[serde(flatten)]
    pub head: OrderHead,
}

/// An order with all that became of it.
#[derive(Serialize, utoipa::ToSchema)]
pub struct SaleDetails {
    #[serde(flatten)]
    pub sale: Sale,
    pub lines: Vec<OrderLineAnswer>,
    /// The newest first.
    pub payments: Vec<PaymentAnswer>,
    /// The oldest first.
    pub refunds: Vec<RefundAnswer>,
}

/// An attempt to pay.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Payment)]
pub struct PaymentAnswer {
    pub id: PaymentId,
    pub provider: String,
    /// `begun`, `abandoned`, `captured`, `failed`, `refund_due` or `refunded`.
    pub state: String,
    pub amount: Money,
    /// Why nothing was taken, in the provider's words.
    pub failure: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// The academy's orders, newest first
#[utoipa::path(get, path = "/api/v1/commerce/orders", tag = "commerce", params(SaleParams),
    responses((status = 200, description = "A page of orders", body = Page<Sale>)))]
pub async fn list(
    State(payments): State<Payments>,
    caller: Caller,
    QueryParams(params): QueryParams<SaleParams>,
) -> Result<Body<Page<Sale>>, PaymentsError> {
    let after = params.cursor.as_deref().map(Cursor::decode_at).transpose()?;
    let mut tx = payments.postgres.tenant(caller.tenant).await?;
    let orders = store::list_sales(&mut tx, params.state, after, params.limit.and_one()).await?;
    tx.commit().await?;
    Ok(Body(
        Page::of(orders, params.limit, |last| Cursor::at(last.created_at, last.id))
            .map(|order| Sale::new(&order)),
    ))
}

/// One of the academy's orders
#[utoipa::path(get, path = "/api/v1/commerce/orders/{order_id}", tag = "commerce",
    params(("order_id" = OrderId, Path, description = "The order")),
    responses((status = 200, description = "The order", body = SaleDetails)))]
pub async fn show(
    State(payments): State<Payments>,
    caller: Caller,
    PathParam(id): PathParam<OrderId>,
) -> Result<Body<SaleDetails>, PaymentsError> {
    let mut tx = payments.postgres.tenant(caller.tenant).await?;
    let order = store::find_sale(&mut tx, id).await?.ok_or_else(Problem::not_found)?;
    let lines = store::order_lines(&mut tx, id).await?;
    let attempts = store::list_payments(&mut tx, id).await?;
    let mut refunds = Vec::new();
    for refund in store::list_refunds(&mut tx, id).await? {
        let lines = store::refund_lines(&mut tx, refund.id).await?;
        refunds.push(RefundAnswer::new(refund, lines));
    }
    tx.commit().await?;
    Ok(Body(SaleDetails {
        sale: Sale::new(&order),
        lines: lines.into_iter().map(OrderLineAnswer::new).collect(),
        payments: attempts.into_iter().map(PaymentAnswer::new).collect(),
        refunds,
    }))
}

impl PaymentAnswer {
    fn new(attempt: store::Attempt) -> Self {
        Self {
            id: attempt.id,
            provider: attempt.provider,
            state: attempt.state,
            amount: attempt.amount,
            failure: attempt.failure,
            created_at: attempt.created_at,
            updated_at: attempt.updated_at,
        }
    }
}

impl Sale {
    const fn new(order: &store::Order) -> Self {
        Self { person: order.user, head: OrderHead::new(order) }
    }
}
