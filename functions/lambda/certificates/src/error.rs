//! Why a request or an event is refused.

use akademi_api::Problem;
use akademi_domain::ids::{CourseId, UserId};
use akademi_lambda_store::{error::StoreError, objects::ObjectError};
use axum::response::{IntoResponse, Response};

#[derive(Debug, thiserror::Error)]
pub enum CertificatesError {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Of a logo.
    #[error("the logo cannot be read: {}", .0.with_source())]
    Storage(#[from] ObjectError),
    #[error("the request is refused: {}", .0.slug())]
    Request(Box<Problem>),
    /// The edge says that a course was completed which it cannot have from here.
    #[error("course {0} was completed and has never been published")]
    NotPublished(CourseId),
    /// Sealed data that its own key does not open, or that holds something else: a defect of ours.
    #[error("what is sealed of {0} cannot be read")]
    Unreadable(UserId),
}

impl CertificatesError {
    /// Whether the certificate is only withheld: what is missing may still come, and nothing has been written.
    pub const fn withholds(&self) -> bool {
        matches!(self, Self::NotPublished(_) | Self::Unreadable(_))
    }
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
                Self::unavailable().retry_after(1).because(error.with_source())
            }
            CertificatesError::Store(error) => Self::broken(error.with_source()),
            CertificatesError::Request(problem) => *problem,
            error => Self::broken(error),
        }
    }
}

impl IntoResponse for CertificatesError {
    fn into_response(self) -> Response {
        Problem::from(self).into_response()
    }
}
