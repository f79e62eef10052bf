//! Whether this deployment answers, and whether its parts do.

use akademi_api::{
    Body, Problem,
    caller::RequestId,
    plane_client::PlaneCall,
    signed::{CallContext, Purpose},
};
use akademi_edge_store::{Platform, PlatformSql};
use axum::{extract::State, response::IntoResponse, response::Response};
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, uri::PathAndQuery};
use serde::Serialize;

use crate::Origin;

#[derive(Serialize, utoipa::ToSchema)]
pub struct Live {
    /// Always `live`.
    status: &'static str,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct Ready {
    /// `ready`, or `unready` when a part does not answer.
    status: &'static str,
    edge_store: Part,
    /// The Lambda plane and its database.
    lambda: Part,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    Answers,
    Down,
}

/// Whether the process answers
#[utoipa::path(get, path = "/health/live", tag = "health",
    responses((status = 200, description = "It does", body = Live)))]
pub async fn live() -> Body<Live> {
    Body(Live { status: "live" })
}

/// Whether everything that a learner needs answers
#[utoipa::path(get, path = "/health/ready", tag = "health",
    responses((status = 200, description = "It does", body = Ready), (status = 503, description = "A part is down", body = Ready)))]
pub async fn ready(
    State(origin): State<Origin>,
    RequestId(request_id): RequestId,
) -> Result<Response, Problem> {
    const PROBE: PlatformSql = PlatformSql::new("SELECT number FROM feed_head WHERE id = 1");
    let store = Platform::new(origin.edge.database.as_ref()).row(PROBE.with([])).await;
    let edge_store = if matches!(store, Ok(Some(_))) { Part::Answers } else { Part::Down };

    let context = CallContext { request_id: request_id.to_string(), ..CallContext::default() };
    let call = PlaneCall {
        purpose: Purpose::Wake,
        method: Method::GET,
        target: PathAndQuery::from_static("/internal/health"),
        headers: HeaderMap::new(),
        body: Bytes::new(),
        context: &context,
    };
    let answer = origin.lambda.call(call, origin.edge.ports.now()).await;
    let lambda = match answer {
        Ok(answer) if answer.status() == StatusCode::OK => Part::Answers,
        _ => Part::Down,
    };

    let is_ready = [edge_store, lambda].iter().all(|part| *part == Part::Answers);
    let (status, word) =
        if is_ready { (StatusCode::OK, "ready") } else { (StatusCode::SERVICE_UNAVAILABLE, "unready") };
    Ok((status, Body(Ready { status: word, edge_store, lambda })).into_response())
}
