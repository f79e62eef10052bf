//! What staff does with reviews: sees what was reported or waits, hides, shows again.

use akademi_api::{
    Body, Caller, PathParam, Problem, QueryParams,
    paging::{Cursor, Limit, Page},
};
use akademi_domain::{
    ids::{CourseId, ReviewId, TenantId, UserId},
    review::{HidingNote, ReviewFault, Stars},
    time::Timestamp,
};
use akademi_identity::{Origin, audit::by_staff};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    Reviews,
    own::ReviewHiding,
    store::{self, FoundReview, ReviewState, Wanted},
};

/// Which reviews are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ListedReviews {
    /// Shown, with reports that nobody has decided on.
    #[default]
    Reported,
    Shown,
    /// For approval.
    Waiting,
    Hidden,
}

/// The query of the list.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Filter {
    /// `reported` (unless said otherwise), `shown`, `waiting` or `hidden`.
    #[serde(default)]
    #[param(value_type = Option<ListedReviews>, inline)]
    state: ListedReviews,
    /// Only reviews of this course.
    #[serde(default)]
    course: Option<CourseId>,
    /// How many entries to answer at most: 1 to 100.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Limit,
    /// Where the page before ended: its `next_cursor`.
    #[serde(default)]
    cursor: Option<String>,
}

/// A review as staff sees it.
#[derive(Serialize, utoipa::ToSchema)]
pub struct ReviewEntry {
    id: ReviewId,
    course: ReviewedCourse,
    person: UserId,
    /// The first name and the initial of the last one, as readers see them.
    author: Option<String>,
    stars: Stars,
    text: Option<String>,
    state: ReviewState,
    /// Of a hidden review.
    hidden: Option<ReviewHiding>,
    /// How many readers have reported it since staff last decided.
    reports: i64,
    /// Moves with every change.
    version: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct ReviewedCourse {
    pub id: CourseId,
    pub slug: String,
    pub title: String,
}

impl ReviewEntry {
    fn open(reviews: &Reviews, tenant: TenantId, found: FoundReview) -> Result<Self, Problem> {
        let author = reviews.display_name(tenant, found.person, &found.author)?;
        let FoundReview { review, course, person, reports, version, .. } = found;
        Ok(Self {
            id: review.id,
            course,
            person,
            author,
            stars: review.stars,
            text: review.text,
            state: review.state,
            hidden: review.hidden,
            reports,
            version,
            created_at: review.created_at,
            updated_at: review.updated_at,
        })
    }
}

/// What staff makes of a review.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DecidedState {
    Shown,
    Hidden,
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviewDecision {
    state: DecidedState,
    /// The entry's `version`: what its author has written since, nobody has decided on.
    version: i64,
    /// Why it is hidden: the author is told. Of nothing else.
    #[serde(default)]
    reason: Option<ReviewFault>,
    /// What the author is told beside the reason.
    #[serde(default)]
    #[schema(max_length = 500)]
    note: Option<HidingNote>,
}

impl ReviewDecision {
    /// # Errors
    /// 422 for a reason where there is nothing to tell, and for none where there is.
    fn reason(&self) -> Result<Option<ReviewFault>, Problem> {
        match self.state {
            DecidedState::Hidden if self.reason.is_none() => {
                Err(Problem::field("reason", "is missing: the author is told why"))
            }
            DecidedState::Shown if self.reason.is_some() || self.note.is_some() => {
                let field = if self.reason.is_some() { "reason" } else { "note" };
                Err(Problem::field(field, "stands with a hidden review only"))
            }
            _ => Ok(self.reason),
        }
    }
}

/// Reviews for staff, newest first
///
/// Whoever does not see to everybody's courses has those of their own.
#[utoipa::path(get, path = "/api/v1/reviews", tag = "reviews", params(Filter),
    responses((status = 200, description = "A page of reviews", body = Page<ReviewEntry>)))]
pub async fn list(
    State(reviews): State<Reviews>,
    caller: Caller,
    QueryParams(filter): QueryParams<Filter>,
) -> Result<Body<Page<ReviewEntry>>, Problem> {
    let after = filter.cursor.as_deref().map(Cursor::decode).transpose()?;
    let wanted = Wanted { listed: filter.state, course: filter.course, owner: caller.courses_of() };
    let database = reviews.edge.tenant(caller.tenant);
    let found = store::list_for_staff(&database, &wanted, after, filter.limit.and_one()).await?;
    let position = |last: &FoundReview| Cursor { key: 0, id: last.review.id.to_string() };
    let page = Page::of(found, filter.limit, position);
    page.try_map(|found| ReviewEntry::open(&reviews, caller.tenant, found)).map(Body)
}

/// Hide a review, or show it again
///
/// A hidden one leaves lists and figures at once; one that waits for approval is shown or hidden. Either decides on the
/// reports that wait.
#[utoipa::path(put, path = "/api/v1/reviews/{review_id}/state", tag = "reviews", request_body = ReviewDecision,
    params(("review_id" = ReviewId, Path, description = "The review")),
    responses((status = 200, description = "The review as it is now", body = ReviewEntry),
              (status = 409, description = "It has another version by now: look at it again", body = akademi_api::problem::ProblemDocument, content_type = "application/problem+json")))]
pub async fn set_state(
    State(reviews): State<Reviews>,
    caller: Caller,
    origin: Origin,
    PathParam(review): PathParam<ReviewId>,
    Body(decision): Body<ReviewDecision>,
) -> Result<Body<ReviewEntry>, Problem> {
    let reason = decision.reason()?;
    let now = reviews.edge.ports.now();
    let database = reviews.edge.tenant(caller.tenant);
    let owner = caller.courses_of();
    let before = store::find_for_staff(&database, review, owner).await?.ok_or_else(Problem::not_found)?;
    if before.version != decision.version {
        return Err(Problem::conflict());
    }
    let hiding = reason.map(|reason| (reason, decision.note.as_ref().map(HidingNote::as_str)));
    let mut batch = vec![
        store::uncount_review(review),
        store::set_state(review, hiding, now),
        store::count_reviews(&[review]),
        store::settle_reports(&[review], now),
        store::bump_generation(),
    ];
    let had = before.review.hidden.as_ref().map(|hidden| hidden.reason);
    let change = json!({
        "before": { "state": before.review.state, "reason": had },
        "after": { "state": decision.state, "reason": reason },
    });
    let action = match decision.state {
        DecidedState::Hidden => "review.hidden",
        DecidedState::Shown => "review.shown",
    };
    let (by, target) = ((&caller, &origin), format!("review:{review}"));
    batch.extend(by_staff(&reviews.edge, &reviews.vault, by, action, target, change).await?);
    // What staff decides on is what staff has seen.
    database.batch_if(store::review_has_version(review, decision.version), batch).await?;
    let found = store::find_for_staff(&database, review, owner).await?.ok_or_else(Problem::not_found)?;
    ReviewEntry::open(&reviews, caller.tenant, found).map(Body)
}
