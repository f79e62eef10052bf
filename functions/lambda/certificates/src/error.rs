//! Why a request or an event is refused.

use akademi_api::Problem;
use akademi_domain::ids::{CourseId, UserId};
use akademi_lambda_store::error::StoreError;
use axum::response::{IntoResponse, Response};
use std::error::Error;

#[derive(Debug, thiserror::Error)]
pub enum CertificatesError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the request is refused: {}", .0.slug())]
    Request(Box<Problem>),
    /// The edge says that a course was completed which it cannot have from here.
    #[error("course {0} was completed and has never been published")]
    NotPublished(CourseId),
    /// Sealed data that its own key does not open, or that holds something else: a defect of ours.
    #[error("the name of {0} cannot be read")]
    UnreadableName(UserId),
    /// A value that does not become JSON: a defect of ours.
    #[error("a value does not serialise: {0}")]
    Json(#[from] serde_json::Error),
}

impl From<Problem> for CertificatesError {
    fn from(problem: Problem) -> Self {
        Self::Request(Box::new(problem))
    }
}

impl From<CertificatesError> for Problem {
    fn from(error: CertificatesError) -> Self {
        match error {
            CertificatesError::Store(error) if error.retryable() => {
                Self::unavailable().retry_after(1).because(with_source(&error))
            }
            CertificatesError::Store(error) => Self::broken(with_source(&error)),
            CertificatesError::Request(problem) => *problem,
            error => Self::broken(error),
        }
    }
}

/// For the log: what the database itself said stands behind the error.
fn with_source(error: &StoreError) -> String {
    error.source().map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
}

impl IntoResponse for CertificatesError {
    fn into_response(self) -> Response {
        Problem::from(self).into_response()
    }
}
