//! What people leave at a course: reviews, likes, the marks of shared links, clicks on the way to another shop.
//!
//! Whatever is counted is kept beside what it counts, in one batch with each change, and never counted anew by reading all.
//! A review that comes, changes, goes, is hidden or shown moves the academy's generation, and with it every public answer;
//! likes, of which there are many, are seen within a minute.

mod approvals;
mod clicks;
mod likes;
mod moderation;
mod own;
mod reports;
mod reviews;
mod shares;
mod store;
mod visits;

use akademi_api::{
    Gate,
    answers::Answers,
    config::{Config, ConfigError},
    token::TokenVerifier,
};
use akademi_edge_store::Edge;
use akademi_functions::routes_of;
use akademi_identity::throttle::ThrottleKeys;
use akademi_seal::Vault;
use axum::{
    Router,
    routing::{get, post, put},
};
use std::sync::Arc;
use utoipa::OpenApi;

/// What the function stands on.
#[derive(Clone)]
pub struct Reviews {
    edge: Edge,
    tokens: TokenVerifier,
    vault: Arc<Vault>,
    throttles: Arc<ThrottleKeys>,
    answers: Answers,
}

impl Reviews {
    /// # Errors
    /// [`ConfigError`] naming the variable that is missing or wrong.
    pub fn from_config(edge: Edge, config: &Config<'_>) -> Result<Self, ConfigError> {
        let tokens = config.read(akademi_functions::TOKEN_PUBLIC_KEYS, TokenVerifier::from_config)?;
        let vault = config.read(akademi_functions::EDGE_MASTER_KEY, Vault::from_config)?;
        let throttles = Arc::new(ThrottleKeys::new(&vault));
        Ok(Self { edge, tokens, vault: Arc::new(vault), throttles, answers: Answers::default() })
    }
}

pub fn router(reviews: Reviews) -> Router {
    let edge = &reviews.edge;
    let gate =
        Gate::edge(routes_of!("reviews"), edge.ports.clone(), reviews.tokens.clone(), edge.directory(), None);
    let course = "/api/v1/catalog/courses/{slug}";
    let router = Router::new()
        .route(&format!("{course}/reviews"), get(reviews::list))
        .route(&format!("{course}/reviews/mine"), get(own::show).put(own::write).delete(own::delete))
        .route(&format!("{course}/like"), put(likes::like).delete(likes::unlike))
        .route(&format!("{course}/shares"), post(shares::share))
        .route(&format!("{course}/visits"), post(visits::count))
        .route(&format!("{course}/go"), get(clicks::go))
        .route("/api/v1/users/me/likes", get(likes::list))
        .route("/api/v1/reviews", get(moderation::list))
        .route("/api/v1/reviews/approvals", post(approvals::create))
        .route("/api/v1/reviews/{review_id}/state", put(moderation::set_state))
        .route("/api/v1/reviews/{review_id}/reports", post(reports::report))
        .route("/api/v1/shares/courses/{course_id}", get(visits::list))
        .route("/api/v1/clicks/courses/{course_id}", get(clicks::list))
        .with_state(reviews);
    gate.guard(router)
}

#[derive(OpenApi)]
#[openapi(
    components(schemas(akademi_domain::review::ReviewFault)),
    paths(
        reviews::list,
        own::show,
        own::write,
        own::delete,
        reports::report,
        moderation::list,
        moderation::set_state,
        approvals::create,
        likes::like,
        likes::unlike,
        likes::list,
        shares::share,
        visits::count,
        visits::list,
        clicks::go,
        clicks::list
    )
)]
pub struct ApiDoc;
