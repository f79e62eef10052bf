//! The academy's pages.
//!
//! A page is the same for everybody; what is somebody's own, its script asks the API for, by the cookies that the browser
//! keeps. So far there is one: the player of a lesson's video.

pub mod assets;
mod lesson;
mod store;

use akademi_api::{
    Gate,
    config::{Config, ConfigError},
    token::TokenVerifier,
};
use akademi_edge_store::Edge;
use akademi_functions::routes_of;
use axum::{Router, routing::get};
use http::Uri;
use std::sync::Arc;
use utoipa::OpenApi;

/// What the function stands on.
#[derive(Clone)]
pub struct Site {
    edge: Edge,
    /// The address of the CDN in front of videos and of the pages' files, and its origin (RFC 6454 §6.2).
    media_url: Arc<str>,
    media_origin: Arc<str>,
}

impl Site {
    /// # Errors
    /// [`ConfigError`] naming the variable that is missing or wrong.
    pub fn from_config(edge: Edge, config: &Config<'_>) -> Result<Self, ConfigError> {
        let (url, origin) = config.read(akademi_functions::MEDIA_URL, |base| {
            let address: Uri = base.parse().map_err(|_| "is not an address")?;
            let origin = address.scheme().zip(address.authority());
            let origin = origin.map(|(scheme, authority)| format!("{scheme}://{authority}"));
            Ok::<_, &str>((base.trim_end_matches('/').to_owned(), origin.ok_or("has no host")?))
        })?;
        Ok(Self { edge, media_url: url.into(), media_origin: origin.into() })
    }
}

pub fn router(site: Site) -> Router {
    let ports = site.edge.ports.clone();
    let gate = Gate::edge(routes_of!("site"), ports, TokenVerifier::refusing(), site.edge.directory(), None);
    let router =
        Router::new().route("/courses/{course_id}/lessons/{lesson_id}", get(lesson::show)).with_state(site);
    gate.guard(router)
}

#[derive(OpenApi)]
#[openapi(paths(lesson::show))]
pub struct ApiDoc;
