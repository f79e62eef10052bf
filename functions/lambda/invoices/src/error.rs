//! Why a request is refused.

use akademi_api::Problem;
use akademi_lambda_store::error::StoreError;
use axum::response::{IntoResponse, Response};

#[derive(Debug, thiserror::Error)]
pub enum InvoicesError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the request is refused: {}", .0.slug())]
    Request(Box<Problem>),
}

impl From<Problem> for InvoicesError {
    fn from(problem: Problem) -> Self {
        Self::Request(Box::new(problem))
    }
}

impl From<InvoicesError> for Problem {
    fn from(error: InvoicesError) -> Self {
        match error {
            InvoicesError::Store(error) if error.retryable() => {
                Self::unavailable().retry_after(1).because(error.with_source())
            }
            InvoicesError::Store(error) => Self::broken(error.with_source()),
            InvoicesError::Request(problem) => *problem,
        }
    }
}

impl IntoResponse for InvoicesError {
    fn into_response(self) -> Response {
        Problem::from(self).into_response()
    }
}
