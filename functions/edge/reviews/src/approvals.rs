//! Staff approves reviews that wait, where the academy has them wait.

use akademi_api::{Body, Caller, Problem, problem::ProblemDocument};
use akademi_domain::ids::ReviewId;
use akademi_edge_store::StoreError;
use akademi_identity::{Origin, audit::each_by_staff};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    Reviews,
    store::{self, ReviewState},
};

const MAX_REVIEWS: usize = 100;

/// A review as staff has seen it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SeenReview {
    pub id: ReviewId,
    /// The entry's `version`: whatever its author has written since waits on.
    pub version: i64,
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewApprovals {
    /// Each once.
    #[schema(min_items = 1, max_items = 100)]
    reviews: Vec<SeenReview>,
}

/// What became of them.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Approvals {
    /// Everybody sees them from now on.
    approved: Vec<ReviewId>,
    /// Those that do not wait, or not as they were seen.
    left: Vec<ReviewId>,
}

/// Approve reviews that wait
///
/// Up to 100 at once. Reports that wait are decided on with them. Whoever does not see to everybody's courses approves those
/// of their own.
#[utoipa::path(post, path = "/api/v1/reviews/approvals", tag = "reviews", request_body = NewApprovals,
    responses((status = 200, description = "What became of them", body = Approvals),
              (status = 409, description = "One was changed by another request at the same time", body = ProblemDocument, content_type = "application/problem+json")))]
pub async fn create(
    State(reviews): State<Reviews>,
    caller: Caller,
    origin: Origin,
    Body(NewApprovals { reviews: seen }): Body<NewApprovals>,
) -> Result<Body<Approvals>, Problem> {
    if !(1..=MAX_REVIEWS).contains(&seen.len()) {
        return Err(Problem::field("reviews", "must be 1 to 100"));
    }
    for (index, review) in seen.iter().enumerate() {
        if seen.iter().take(index).any(|earlier| earlier.id == review.id) {
            return Err(Problem::field(format!("reviews[{index}]"), "stands here twice"));
        }
    }
    let database = reviews.edge.tenant(caller.tenant);
    let waiting = store::find_waiting(&database, &seen, caller.courses_of()).await?;
    let (approved, left): (Vec<_>, Vec<_>) = seen.into_iter().partition(|seen| waiting.contains(&seen.id));
    let ids = |reviews: &[SeenReview]| -> Vec<ReviewId> { reviews.iter().map(|review| review.id).collect() };
    let answer = Approvals { approved: ids(&approved), left: ids(&left) };
    if approved.is_empty() {
        return Ok(Body(answer));
    }
    let change =
        json!({ "before": { "state": ReviewState::Waiting }, "after": { "state": ReviewState::Shown } });
    let entries = answer.approved.iter().map(|review| (format!("review:{review}"), change.clone())).collect();
    let by = (&caller, &origin);
    let audited = each_by_staff(&reviews.edge, &reviews.vault, by, "review.approved", entries).await?;
    let mut batch = vec![
        store::show_reviews(&answer.approved),
        store::count_reviews(&answer.approved),
        store::settle_reports(&answer.approved, reviews.edge.ports.now()),
        store::bump_generation(),
    ];
    batch.extend(audited);
    match database.batch_if(store::are_waiting(&approved), batch).await {
        Ok(_) => Ok(Body(answer)),
        Err(StoreError::Guard) => Err(Problem::conflict()),
        Err(error) => Err(error.into()),
    }
}
