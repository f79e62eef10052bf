//! The academy's public face.

use akademi_api::{
    Academy, Problem,
    answers::Answer,
    conditional::{public_json, unchanged},
};
use akademi_domain::academy::Feature;
use axum::{extract::State, response::Response};
use http::HeaderMap;
use serde::Serialize;

use crate::{Catalog, store};

/// An academy as its visitors see it.
#[derive(Serialize, utoipa::ToSchema)]
pub struct AcademyFace<'a> {
    slug: &'a str,
    name: &'a str,
    /// The language that its pages begin in: `tr` or `en`.
    locale: &'a str,
    /// BCP 47: what its pages can be read in.
    languages: Vec<String>,
    /// `#rrggbb`
    brand_colour: &'a str,
    logo_url: Option<String>,
    /// IANA's name.
    time_zone: String,
    /// What visitors can do here.
    features: Vec<Feature>,
    /// The fastest playing of a video that counts, in percent of normal speed.
    watch_rate_percent: u32,
}

/// What only this page shows of an academy.
pub struct Details {
    pub languages: Vec<String>,
    pub logo_url: Option<String>,
    pub time_zone: String,
}

/// The academy that this host belongs to
#[utoipa::path(get, path = "/api/v1/academy", tag = "catalog",
    responses((status = 200, description = "The academy", body = AcademyFace), (status = 304, description = "Unchanged")))]
pub async fn show(
    State(catalog): State<Catalog>,
    academy: Academy,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let etag = format!("a{}", academy.generation);
    if let Some(unchanged) = unchanged(&headers, &etag) {
        return unchanged;
    }
    let make = async {
        let details = store::find_details(&catalog.edge.tenant(academy.id)).await?;
        let Details { languages, logo_url, time_zone } = details.ok_or_else(Problem::unknown_academy)?;
        let face = AcademyFace {
            slug: &academy.profile.slug,
            name: &academy.profile.name,
            locale: &academy.profile.locale,
            languages,
            brand_colour: &academy.profile.brand_colour,
            logo_url,
            time_zone,
            features: academy.profile.features_off.others().iter().collect(),
            watch_rate_percent: academy.profile.watch_rate_percent,
        };
        let body = serde_json::to_vec(&face).map_err(Problem::broken)?.into();
        Ok((Answer { etag: etag.clone(), body }, true))
    };
    let answer = catalog.answer((academy.id, etag.clone()), make).await?;
    public_json(&headers, &answer.etag, answer.body)
}
