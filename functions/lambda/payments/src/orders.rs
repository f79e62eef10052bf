//! One's own orders.

use akademi_api::{
    Body, Caller, PathParam, Problem, QueryParams,
    paging::{Cursor, Page, PageParams},
};
use akademi_domain::{
    ids::{BundleId, CourseId, OrderId},
    money::Money,
    order::OrderState,
    pricing::BasisPoints,
    time::Timestamp,
};
use axum::extract::State;
use serde::Serialize;

use crate::{
    Payments, PaymentsError,
    checkout::CheckoutPage,
    store::{self, Order, OrderLine},
};

/// An order in a list.
#[derive(Serialize, utoipa::ToSchema)]
pub struct OrderHead {
    pub id: OrderId,
    pub state: OrderState,
    pub subtotal: Money,
    pub discount: Money,
    pub total: Money,
    /// The VAT inside the total.
    pub vat: Money,
    pub created_at: Timestamp,
    /// Until when a pending order waits for its money.
    pub expires_at: Timestamp,
    pub paid_at: Option<Timestamp>,
}

/// An order with its lines.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Order)]
pub struct OrderAnswer {
    #[serde(flatten)]
    pub head: OrderHead,
    pub lines: Vec<OrderLineAnswer>,
    /// Where a pending order is paid.
    pub checkout: Option<CheckoutPage>,
}

#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = OrderLine)]
pub struct OrderLineAnswer {
    pub course: CourseId,
    /// The bundle that it was bought with.
    pub bundle: Option<BundleId>,
    /// The course's title when it was ordered.
    pub title: String,
    pub price: Money,
    pub discount: Money,
    pub total: Money,
    pub vat_basis_points: BasisPoints,
    /// The VAT inside the total.
    pub vat: Money,
}

/// One's own orders, newest first
#[utoipa::path(get, path = "/api/v1/orders", tag = "orders", params(PageParams),
    responses((status = 200, description = "A page of orders", body = Page<OrderHead>)))]
pub async fn list(
    State(payments): State<Payments>,
    caller: Caller,
    QueryParams(page): QueryParams<PageParams>,
) -> Result<Body<Page<OrderHead>>, PaymentsError> {
    let after = page.cursor.as_deref().map(Cursor::decode_at).transpose()?;
    let mut tx = payments.postgres.tenant(caller.tenant).await?;
    let orders = store::list_orders(&mut tx, caller.user, after, page.limit.and_one()).await?;
    tx.commit().await?;
    Ok(Body(
        Page::of(orders, page.limit, |last| Cursor::at(last.created_at, last.id))
            .map(|order| OrderHead::new(&order)),
    ))
}

/// One of one's own orders
#[utoipa::path(get, path = "/api/v1/orders/{order_id}", tag = "orders",
    params(("order_id" = OrderId, Path, description = "The order")),
    responses((status = 200, description = "The order", body = OrderAnswer)))]
pub async fn show(
    State(payments): State<Payments>,
    caller: Caller,
    PathParam(id): PathParam<OrderId>,
) -> Result<Body<OrderAnswer>, PaymentsError> {
    let mut tx = payments.postgres.tenant(caller.tenant).await?;
    let order = store::find_order(&mut tx, caller.user, id).await?.ok_or_else(Problem::not_found)?;
    let lines = store::order_lines(&mut tx, id).await?;
    let page = match order.state {
        OrderState::Pending => store::find_page(&mut tx, id).await?,
        _ => None,
    };
    tx.commit().await?;
    Ok(Body(OrderAnswer {
        head: OrderHead::new(&order),
        lines: lines.into_iter().map(OrderLineAnswer::new).collect(),
        checkout: page.map(|page| CheckoutPage { page }),
    }))
}

impl OrderHead {
    pub const fn new(order: &Order) -> Self {
        Self {
            id: order.id,
            state: order.state,
            subtotal: order.subtotal,
            discount: order.discount,
            total: order.total,
            vat: order.vat,
            created_at: order.created_at,
            expires_at: order.expires_at,
            paid_at: order.paid_at,
        }
    }
}

impl OrderLineAnswer {
    pub fn new(line: OrderLine) -> Self {
        Self {
            course: line.course,
            bundle: line.bundle,
            title: line.title,
            price: line.price,
            discount: line.discount,
            total: line.total,
            vat_basis_points: line.vat_rate,
            vat: line.vat,
        }
    }
}
