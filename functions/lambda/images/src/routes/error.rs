//! Why a request is refused.

use akademi_api::Problem;
use akademi_lambda_store::{error::StoreError, objects::ObjectError};
use axum::response::{IntoResponse, Response};
use http::StatusCode;

use crate::ImageError;

#[derive(Debug, thiserror::Error)]
pub enum ImagesError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Storage(#[from] ObjectError),
    #[error(transparent)]
    Image(#[from] ImageError),
    #[error("the request is refused: {}", .0.slug())]
    Request(Box<Problem>),
}

impl From<Problem> for ImagesError {
    fn from(problem: Problem) -> Self {
        Self::Request(Box::new(problem))
    }
}

impl From<ImagesError> for Problem {
    fn from(error: ImagesError) -> Self {
        match error {
            ImagesError::Store(error) if error.is_storage_full() => Self::new(
                StatusCode::CONFLICT,
                "storage-full",
                "The academy would store more than it may: remove something, or ask for a higher limit.",
            ),
            ImagesError::Store(error) if error.retryable() => {
                Self::unavailable().retry_after(1).because(error.with_source())
            }
            ImagesError::Store(error) => Self::broken(error.with_source()),
            ImagesError::Storage(error) => Self::unavailable().retry_after(1).because(error.with_source()),
            ImagesError::Image(ImageError::Crop) => Self::field("crop", ImageError::Crop),
            ImagesError::Image(error) if error.is_fault_of_source() => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "image-refused", "")
                    .with_detail(format!("No image can be made of this upload: {error}."))
            }
            ImagesError::Image(ImageError::Encoding { detail }) => Self::broken(detail),
            ImagesError::Image(error) => Self::broken(error),
            ImagesError::Request(problem) => *problem,
        }
    }
}

impl IntoResponse for ImagesError {
    fn into_response(self) -> Response {
        Problem::from(self).into_response()
    }
}
