//! Readers find fault with a review.

use akademi_api::{Body, Caller, PathParam, Problem};
use akademi_domain::{ids::ReviewId, review::ReviewFault};
use akademi_edge_store::StoreError;
use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;

use crate::{Reviews, store};

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewReport {
    reason: ReviewFault,
}

/// Report somebody's review
///
/// Staff decides. Once each: a second report changes nothing, unless the review was changed since staff decided.
#[utoipa::path(post, path = "/api/v1/reviews/{review_id}/reports", tag = "reviews", request_body = NewReport,
    params(("review_id" = ReviewId, Path, description = "The review")),
    responses((status = 204, description = "It is reported")))]
pub async fn report(
    State(reviews): State<Reviews>,
    caller: Caller,
    PathParam(review): PathParam<ReviewId>,
    Body(NewReport { reason }): Body<NewReport>,
) -> Result<StatusCode, Problem> {
    let report = store::insert_report(review, caller.user, reason, reviews.edge.ports.now());
    let condition = store::may_report(review, caller.user);
    match reviews.edge.tenant(caller.tenant).batch_if(condition, vec![report]).await {
        Ok(_) => Ok(StatusCode::NO_CONTENT),
        Err(StoreError::Guard) => Err(Problem::not_found()),
        Err(error) => Err(error.into()),
    }
}
