//! The academy's public face.

use akademi_api::{Academy, Problem, conditional::public_json};
use axum::response::Response;
use http::HeaderMap;
use serde::Serialize;

/// An academy as its visitors see it.
#[derive(Serialize, utoipa::ToSchema)]
pub struct AcademyFace<'a> {
    slug: &'a str,
    name: &'a str,
    /// The language that its pages begin in: `tr` or `en`.
    locale: &'a str,
    /// `#rrggbb`
    brand_colour: &'a str,
}

/// The academy that this host belongs to
#[utoipa::path(get, path = "/api/v1/academy", tag = "catalog",
    responses((status = 200, description = "The academy", body = AcademyFace), (status = 304, description = "Unchanged")))]
pub async fn show(academy: Academy, headers: HeaderMap) -> Result<Response, Problem> {
    let face = AcademyFace {
        slug: &academy.profile.slug,
        name: &academy.profile.name,
        locale: &academy.profile.locale,
        brand_colour: &academy.profile.brand_colour,
    };
    let body = serde_json::to_vec(&face).map_err(Problem::broken)?;
    public_json(&headers, &format!("a{}", academy.generation), body)
}
