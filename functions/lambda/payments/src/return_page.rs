//! `POST /api/v1/orders/{order_id}/return`: a provider's page sends the buyer's browser here, from another site and so
//! without a cookie. What it carries proves nothing: it only names the attempt to ask about.

use akademi_api::{PathParam, Problem, body::read_bytes, problem::ProblemDocument, signed::CallContext};
use akademi_domain::ids::{OrderId, TenantId};
use axum::{
    Extension,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http::{StatusCode, header};

use crate::{Payments, PaymentsError, inquiry, provider::Outcome, store};

/// A return holds a token.
const BODY_LIMIT: usize = 16 * 1024;
/// More fields than any provider's return has.
const FIELD_LIMIT: usize = 16;

/// Come back from the payment page
///
/// For the buyer's browser, which a provider has POST a form: the provider is asked what became of the payment, and the
/// browser is sent on to the order's page, whatever the answer is. Nobody needs to be signed in.
#[utoipa::path(post, path = "/api/v1/orders/{order_id}/return", tag = "orders",
    params(("order_id" = OrderId, Path, description = "The order")),
    request_body(content = String, content_type = "application/x-www-form-urlencoded", description = "As the provider documents it: iyzico sends `token`"),
    responses((status = 303, description = "To the order's page, which says how the order stands", headers(("Location" = String))),
              (status = 413, description = "No provider sends so much", body = ProblemDocument, content_type = "application/problem+json")))]
pub async fn receive(
    State(payments): State<Payments>,
    Extension(call): Extension<CallContext>,
    PathParam(order): PathParam<OrderId>,
    request: Request,
) -> Result<Response, PaymentsError> {
    let (parts, body) = request.into_parts();
    let body = read_bytes(&parts.headers, body, BODY_LIMIT).await?;
    let tenant = call.tenant.ok_or_else(|| Problem::broken("the call names no academy"))?;
    let fields: Vec<(String, String)> = serde_urlencoded::from_bytes(&body).unwrap_or_default();
    let names: Vec<String> = fields.into_iter().take(FIELD_LIMIT).map(|(_, value)| value).collect();
    let returned = returned(&payments, tenant, order, &names).await?;
    let location = format!("/orders/{order}?returned={returned}");
    let headers = [(header::LOCATION, location.as_str()), (header::CACHE_CONTROL, "no-store")];
    Ok((StatusCode::SEE_OTHER, headers).into_response())
}

/// `paid`, `failed`, or `pending` while the provider does not say: a callback or the night will tell then.
async fn returned(
    payments: &Payments,
    tenant: TenantId,
    order: OrderId,
    names: &[String],
) -> Result<&'static str, PaymentsError> {
    let mut tx = payments.postgres.tenant(tenant).await?;
    let Some((name, attempt)) = store::find_attempt_of_return(&mut tx, order, names).await? else {
        return Ok("pending");
    };
    let provider = payments.provider(&mut tx, &name).await?.ok_or_else(Problem::not_found)?;
    tx.commit().await?;
    let Ok(inquiry) = provider.inquire(&attempt).await else { return Ok("pending") };
    let Some(proven) = inquiry.outcome(&attempt.reference) else { return Ok("pending") };
    let settled = inquiry::apply(payments, tenant, provider.name(), &proven).await?;
    Ok(match proven.outcome {
        _ if settled.alarm().is_some() => "pending",
        Outcome::Captured => "paid",
        Outcome::Failed(_) => "failed",
    })
}
