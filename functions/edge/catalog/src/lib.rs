//! What everybody may read of an academy: its face, its published courses, its search.
//!
//! All of it is served from read copies that the feed keeps; every answer is public, has an `ETag` and may be
//! kept by a CDN. No statement here reads a lesson's body or an answer key.

mod academy;
mod courses;
mod minute;
mod search;
mod store;
mod with_coupon;

use akademi_api::{
    Gate, Problem,
    answers::{Answer, Answers, Question},
    token::TokenVerifier,
};
use akademi_edge_store::Edge;
use akademi_functions::routes_of;
use axum::{Router, routing::get};
use utoipa::OpenApi;

/// What the function stands on.
#[derive(Clone)]
pub struct Catalog {
    edge: Edge,
    answers: Answers,
}

impl Catalog {
    pub fn new(edge: Edge) -> Self {
        Self { edge, answers: Answers::default() }
    }

    /// The answer to `question`, which names the academy's generation ([`Answers::find_or_make`]).
    async fn answer(
        &self,
        question: Question,
        make: impl Future<Output = Result<(Answer, bool), Problem>>,
    ) -> Result<Answer, Problem> {
        self.answers.find_or_make(self.edge.ports.cache.as_deref(), question, make).await
    }
}

pub fn router(catalog: Catalog) -> Router {
    let ports = catalog.edge.ports.clone();
    let gate =
        Gate::edge(routes_of!("catalog"), ports, TokenVerifier::refusing(), catalog.edge.directory(), None);
    let router = Router::new()
        .route("/api/v1/academy", get(academy::show))
        .route("/api/v1/catalog/courses", get(courses::list))
        .route("/api/v1/catalog/courses/{slug}", get(courses::show))
        .route("/api/v1/catalog/on-sale", get(courses::on_sale))
        .route("/api/v1/catalog/with-coupon", get(with_coupon::list))
        .route("/api/v1/catalog/search", get(search::search))
        .with_state(catalog);
    gate.guard(router)
}

#[derive(OpenApi)]
#[openapi(paths(
    academy::show,
    courses::list,
    courses::show,
    courses::on_sale,
    with_coupon::list,
    search::search
))]
pub struct ApiDoc;
