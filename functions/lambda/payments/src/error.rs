//! Why a request or a job's step is refused.

use akademi_api::{Problem, idempotency::still_running};
use akademi_lambda_store::error::StoreError;
use axum::response::{IntoResponse, Response};
use http::StatusCode;

#[derive(Debug, thiserror::Error)]
pub enum PaymentsError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the request is refused: {}", .0.slug())]
    Request(Box<Problem>),
    /// A value that does not become JSON, or did not come from it: a defect of ours.
    #[error("a value cannot be written or read as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

impl From<Problem> for PaymentsError {
    fn from(problem: Problem) -> Self {
        Self::Request(Box::new(problem))
    }
}

impl From<PaymentsError> for Problem {
    fn from(error: PaymentsError) -> Self {
        match error {
            PaymentsError::Store(error) => match error.constraint() {
                Some("price_course") => Self::not_found(),
                Some("coupon_code") => Self::new(
                    StatusCode::CONFLICT,
                    "coupon-code-taken",
                    "Another coupon of this academy has this code: choose another.",
                ),
                Some("bundle_title") => Self::new(
                    StatusCode::CONFLICT,
                    "bundle-title-taken",
                    "Another bundle of this academy has this title: choose another.",
                ),
                Some("budget_within_ceiling") => {
                    conflict("more-in-use", "More than that is held or used already.")
                }
                // Two requests with one key, past the end of a lease.
                Some("customer_order_key" | "refund_key") => still_running(),
                _ if error.retryable() => Self::unavailable().retry_after(1).because(error.with_source()),
                _ if matches!(error, StoreError::LeaseLost) => still_running(),
                _ => Self::broken(error.with_source()),
            },
            PaymentsError::Request(problem) => *problem,
            PaymentsError::Json(error) => Self::broken(error),
        }
    }
}

impl IntoResponse for PaymentsError {
    fn into_response(self) -> Response {
        Problem::from(self).into_response()
    }
}

/// What the request asks for cannot be done as things stand.
pub fn conflict(slug: &'static str, detail: &'static str) -> Problem {
    Problem::new(StatusCode::CONFLICT, slug, detail)
}

/// The first error of a job that goes on with the rest.
#[derive(Default)]
pub struct Failures(Option<PaymentsError>);

impl Failures {
    /// What went well; an error is kept, unless there is one.
    pub fn or_note<T>(&mut self, result: Result<T, PaymentsError>) -> Option<T> {
        result.map_err(|error| self.0.get_or_insert(error)).ok()
    }

    pub const fn any(&self) -> bool {
        self.0.is_some()
    }

    /// # Errors
    /// The first one that was kept.
    pub fn end<T>(self, done: T) -> Result<T, PaymentsError> {
        self.0.map_or(Ok(done), Err)
    }
}
