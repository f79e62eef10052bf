//! Why a request is refused.

use akademi_api::Problem;
use akademi_lambda_store::error::StoreError;
use axum::response::{IntoResponse, Response};

use crate::provider::ProviderError;

#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the request is refused: {}", .0.slug())]
    Request(Box<Problem>),
    #[error(transparent)]
    Provider(#[from] ProviderError),
}

impl From<Problem> for IdentityError {
    fn from(problem: Problem) -> Self {
        Self::Request(Box::new(problem))
    }
}

impl From<IdentityError> for Problem {
    fn from(error: IdentityError) -> Self {
        match error {
            IdentityError::Store(error) if error.retryable() => {
                Self::unavailable().retry_after(1).because(error.with_source())
            }
            IdentityError::Store(error) => Self::broken(error.with_source()),
            IdentityError::Request(problem) => *problem,
            IdentityError::Provider(error) => error.into(),
        }
    }
}

impl IntoResponse for IdentityError {
    fn into_response(self) -> Response {
        Problem::from(self).into_response()
    }
}
