//! Why a request or a job's step is refused.

use akademi_api::{Problem, problem::FieldError};
use akademi_domain::course::Title;
use akademi_lambda_store::error::StoreError;
use axum::response::{IntoResponse, Response};
use http::StatusCode;

#[derive(Debug, thiserror::Error)]
pub enum AuthoringError {
    /// The academy has no such course.
    #[error("there is no such course")]
    NotFound,
    /// The draft has moved on since the revision that the change was made from.
    #[error("the draft is at revision {current}")]
    Stale { current: i64 },
    /// Another course of the academy has, or had, this slug.
    #[error("the slug belongs to another course")]
    SlugTaken,
    #[error("the course has no lesson")]
    NothingToPublish,
    /// A share of these videos is required, and nobody knows yet how long they are; by title.
    #[error("{} required videos have no length", .0.len())]
    UnknownLength(Vec<Title>),
    /// Fields of the content, by path.
    #[error("{} fields are not as they must be", .0.len())]
    Invalid(Vec<FieldError>),
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A request that is refused before it reaches a draft.
    #[error("the request is refused: {}", .0.slug())]
    Request(Box<Problem>),
    /// A value that does not become JSON: a defect of ours.
    #[error("a value does not serialise: {0}")]
    Json(#[from] serde_json::Error),
}

impl From<Problem> for AuthoringError {
    fn from(problem: Problem) -> Self {
        Self::Request(Box::new(problem))
    }
}

impl From<AuthoringError> for Problem {
    fn from(error: AuthoringError) -> Self {
        match error {
            AuthoringError::NotFound => Self::not_found(),
            AuthoringError::Stale { current } => Self::conflict().with_detail(format!(
                "The draft was changed in the meantime and is at revision {current}: read it again and retry."
            )),
            AuthoringError::SlugTaken => Self::new(
                StatusCode::CONFLICT,
                "slug-taken",
                "Another course of this academy has this address, or had it once: choose another.",
            ),
            AuthoringError::NothingToPublish => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "nothing-to-publish",
                "A course without a lesson cannot be published.",
            ),
            AuthoringError::UnknownLength(videos) => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "length-unknown",
                "A share of a video can be required only where its length is known: wait until it is transcoded, or say \
                 how long it is.",
            )
            .with_errors(videos.into_iter().map(|title| FieldError { field: title.into(), message: "has no duration_seconds".into() }).collect()),
            AuthoringError::Invalid(errors) => Self::invalid().with_errors(errors),
            AuthoringError::Store(error) if error.is_storage_full() => Self::new(
                StatusCode::CONFLICT,
                "storage-full",
                "The academy would store more than it may: remove something, or ask for a higher limit.",
            ),
            AuthoringError::Store(error) if error.retryable() => {
                Self::unavailable().retry_after(1).because(error.with_source())
            }
            AuthoringError::Store(error) => Self::broken(error.with_source()),
            AuthoringError::Request(problem) => *problem,
            AuthoringError::Json(error) => Self::broken(error),
        }
    }
}

impl IntoResponse for AuthoringError {
    fn into_response(self) -> Response {
        Problem::from(self).into_response()
    }
}
