//! The invoices of one's own orders.

use akademi_api::{Body, Caller, PathParam, Problem, problem::ProblemDocument};
use akademi_domain::ids::{InvoiceId, OrderId};
use axum::{extract::State, response::Response};
use serde::Serialize;

use crate::{
    Invoices, InvoicesError,
    invoices::{InvoiceAnswer, UblDocument, not_issued},
    store,
};

/// The invoices of an order.
#[derive(Serialize, utoipa::ToSchema)]
pub struct OrderInvoices {
    data: Vec<InvoiceAnswer>,
}

/// The invoices of one of one's own orders
///
/// Its own, and those of what was given back; the oldest first.
#[utoipa::path(get, path = "/api/v1/orders/{order_id}/invoices", tag = "invoices",
    params(("order_id" = OrderId, Path, description = "The order")),
    responses((status = 200, description = "The invoices", body = OrderInvoices)))]
pub async fn list(
    State(invoices): State<Invoices>,
    caller: Caller,
    PathParam(order): PathParam<OrderId>,
) -> Result<Body<OrderInvoices>, InvoicesError> {
    let mut tx = invoices.postgres.tenant(caller.tenant).await?;
    if !store::owns_order(&mut tx, caller.user, order).await? {
        return Err(Problem::not_found().into());
    }
    let found = store::list_invoices_of_order(&mut tx, order).await?;
    tx.commit().await?;
    Ok(Body(OrderInvoices { data: found.into_iter().map(InvoiceAnswer::from).collect() }))
}

/// An invoice of one of one's own orders as UBL-TR
#[utoipa::path(get, path = "/api/v1/orders/{order_id}/invoices/{invoice_id}/xml", tag = "invoices",
    params(("order_id" = OrderId, Path, description = "The order"), ("invoice_id" = InvoiceId, Path, description = "The invoice")),
    responses((status = 200, description = "The document", body = UblDocument, content_type = "application/xml",
                headers(("Content-Disposition" = String))),
              (status = 409, description = "It is not issued yet", body = ProblemDocument, content_type = "application/problem+json"),
              (status = 410, description = "It need not be kept any longer, and is not", body = ProblemDocument, content_type = "application/problem+json")))]
pub async fn download(
    State(invoices): State<Invoices>,
    caller: Caller,
    PathParam((order, id)): PathParam<(OrderId, InvoiceId)>,
) -> Result<Response, InvoicesError> {
    let mut tx = invoices.postgres.tenant(caller.tenant).await?;
    let found = store::find_invoice(&mut tx, id).await?.filter(|found| found.order == order);
    if found.is_none() || !store::owns_order(&mut tx, caller.user, order).await? {
        return Err(Problem::not_found().into());
    }
    let issued = store::find_issued(&mut tx, id).await?.ok_or_else(not_issued)?;
    let record = invoices.record(&mut tx, id, &issued).await?;
    tx.commit().await?;
    Ok(UblDocument::new(record.xml).under(&issued.number.to_string())?)
}
