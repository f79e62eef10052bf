//! With which providers people may sign in.

use akademi_api::{Academy, Problem, conditional::public_json};
use axum::{extract::State, response::Response};
use http::HeaderMap;
use serde::Serialize;

use crate::{Federation, store};

#[derive(Serialize, utoipa::ToSchema)]
pub struct ProviderFace {
    /// What addresses call it.
    pub id: String,
    /// What people read on the button.
    pub name: String,
    /// `oidc`, `facebook` or `edevlet`.
    pub kind: String,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct ProviderFaces {
    data: Vec<ProviderFace>,
}

/// The providers that people may sign in with
#[utoipa::path(get, path = "/api/v1/auth/providers", tag = "auth",
    responses((status = 200, description = "The providers", body = ProviderFaces), (status = 304, description = "Unchanged")))]
pub async fn list(
    State(federation): State<Federation>,
    academy: Academy,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let data = store::list_providers(&federation.edge.tenant(academy.id)).await?;
    let body = serde_json::to_vec(&ProviderFaces { data }).map_err(Problem::broken)?;
    public_json(&headers, &format!("p{}", academy.generation), body)
}
