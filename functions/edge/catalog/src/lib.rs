//! What everybody may read of an academy: its face, its published courses, its search.
//!
//! All of it is served from read copies that the feed keeps; every answer is public, has an `ETag` and may be
//! kept by a CDN. No statement here reads a lesson's body or an answer key.

mod academy;
mod courses;
mod search;
mod store;

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

    /// The answer to `question`, which names the academy's generation: from memory, from the platform's cache, or made
    /// anew; `make` says whether it may be kept.
    async fn answer(
        &self,
        question: Question,
        make: impl Future<Output = Result<(Answer, bool), Problem>>,
    ) -> Result<Answer, Problem> {
        if let Some(answer) = self.answers.find(&question) {
            return Ok(answer);
        }
        let cache = self.edge.ports.cache.as_deref();
        if let Some(cache) = cache
            && let Some(answer) = cache.find(&question).await
        {
            self.answers.keep(question, answer.clone());
            return Ok(answer);
        }
        let (answer, may_be_kept) = make.await?;
        if may_be_kept {
            if let Some(cache) = cache {
                cache.keep(&question, &answer).await;
            }
            self.answers.keep(question, answer.clone());
        }
        Ok(answer)
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
        .route("/api/v1/catalog/search", get(search::search))
        .with_state(catalog);
    gate.guard(router)
}

#[derive(OpenApi)]
#[openapi(paths(academy::show, courses::list, courses::show, courses::on_sale, search::search))]
pub struct ApiDoc;
