//! One's own review.

use akademi_api::{Body, Caller, PathParam, Problem};
use akademi_domain::{
    ids::{ReviewId, UserId},
    review::{ReviewFault, ReviewText, Stars},
    throttle::Delays,
    time::Timestamp,
};
use akademi_edge_store::{StoreError, TenantDatabase};
use akademi_identity::throttle::{self, Counter};
use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::{
    Reviews,
    store::{self, Place, ReviewState},
};

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewReview {
    stars: Stars,
    /// Plain text of at most 2,000 characters; absent or `null` for stars alone.
    #[serde(default)]
    #[schema(max_length = 2000)]
    text: Option<ReviewText>,
}

/// Why nobody else sees it.
#[derive(Serialize, utoipa::ToSchema)]
pub struct ReviewHiding {
    pub reason: ReviewFault,
    pub note: Option<String>,
    pub at: Timestamp,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct OwnReview {
    pub id: ReviewId,
    pub stars: Stars,
    pub text: Option<String>,
    pub state: ReviewState,
    /// Of a hidden review.
    pub hidden: Option<ReviewHiding>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// One's own review of a course
#[utoipa::path(get, path = "/api/v1/catalog/courses/{slug}/reviews/mine", tag = "reviews",
    params(("slug" = String, Path, description = "The course's slug")),
    responses((status = 200, description = "The review, and whether others see it", body = OwnReview)))]
pub async fn show(
    State(reviews): State<Reviews>,
    caller: Caller,
    PathParam(slug): PathParam<String>,
) -> Result<Body<OwnReview>, Problem> {
    let database = reviews.edge.tenant(caller.tenant);
    let found = store::find_own_review(&database, &slug, caller.user).await?;
    found.map(Body).ok_or_else(Problem::not_found)
}

/// Review a course, or change one's review
///
/// Who is enrolled may. A hidden review that is changed stays hidden until staff shows it again. Where reviews need approval,
/// a new or changed one waits for staff. One that is written as it is already stays as it is, and whoever writes very many
/// waits longer each time.
#[utoipa::path(put, path = "/api/v1/catalog/courses/{slug}/reviews/mine", tag = "reviews", request_body = NewReview,
    params(("slug" = String, Path, description = "The course's slug")),
    responses((status = 201, description = "The first review", body = OwnReview),
              (status = 200, description = "The review as it is now", body = OwnReview),
              (status = 403, description = "Who is not enrolled reviews nothing; or a browser's cookie, sent by another site's page", body = akademi_api::problem::ProblemDocument, content_type = "application/problem+json"),
              (status = 429, description = "Too many attempts", body = akademi_api::problem::ProblemDocument, content_type = "application/problem+json")))]
pub async fn write(
    State(reviews): State<Reviews>,
    caller: Caller,
    PathParam(slug): PathParam<String>,
    Body(new): Body<NewReview>,
) -> Result<(StatusCode, Body<OwnReview>), Problem> {
    let ports = &reviews.edge.ports;
    let now = ports.now();
    let database = reviews.edge.tenant(caller.tenant);
    throttle::admit(&database, &[reviews.writes(caller.user)], now).await?;
    let place = (slug.as_str(), caller.user);
    let id = ReviewId::new(now, ports.random());
    let content = (new.stars, new.text.as_ref().map(ReviewText::as_str));
    let batch = vec![
        // It may be shown no longer, and then be shown: either is seen.
        store::bump_generation_by_own_review(place),
        store::uncount_own_review(place),
        store::save_own_review(place, id, content, now),
        store::count_own_review(place),
        store::bump_generation_by_own_review(place),
    ];
    match database.batch_if(store::own_review_changes(place, content), batch).await {
        Ok(rows) => {
            let row = rows.iter().flatten().next();
            let saved = row.ok_or_else(|| Problem::broken("a review was saved without a row"))?;
            let saved = store::own_review(saved)?;
            // Whoever writes at once in another place has made another one.
            let status = if saved.id == id { StatusCode::CREATED } else { StatusCode::OK };
            Ok((status, Body(saved)))
        }
        Err(StoreError::Guard) => Ok((StatusCode::OK, Body(unchanged(&database, place, content).await?))),
        Err(error) => Err(error.into()),
    }
}

/// One's review, which is `content` already.
///
/// # Errors
/// Why there is none: who is not enrolled has none to change, and another one may have been written meanwhile.
async fn unchanged(
    database: &TenantDatabase<'_>,
    place: Place<'_>,
    content: (Stars, Option<&str>),
) -> Result<OwnReview, Problem> {
    if let Some(kept) = store::find_review_of_enrolled(database, place).await? {
        let is_so = (kept.stars, kept.text.as_deref()) == content;
        return if is_so { Ok(kept) } else { Err(Problem::conflict()) };
    }
    if store::course_exists(database, place.0).await? {
        let detail = "A course is reviewed by who is enrolled in it.";
        return Err(Problem::new(StatusCode::FORBIDDEN, "not-enrolled", detail));
    }
    Err(Problem::not_found())
}

impl Reviews {
    /// What somebody's writing is counted by: each change has all public answers made anew. As many are free as to an
    /// address, a hundred: nobody reviews so many courses at once.
    fn writes(&self, person: UserId) -> Counter {
        Counter {
            key: self.throttles.key(&[b"review", person.as_uuid().as_bytes()]),
            delays: Delays::ADDRESS,
            is_trusting: false,
            is_exact: true,
        }
    }
}

/// Delete one's review
///
/// Who was enrolled may, too, whether it is shown or waits. Of a hidden review the text goes; that it is hidden stays, whatever is written later.
#[utoipa::path(delete, path = "/api/v1/catalog/courses/{slug}/reviews/mine", tag = "reviews",
    params(("slug" = String, Path, description = "The course's slug")),
    responses((status = 204, description = "Nobody sees it any more")))]
pub async fn delete(
    State(reviews): State<Reviews>,
    caller: Caller,
    PathParam(slug): PathParam<String>,
) -> Result<StatusCode, Problem> {
    let now = reviews.edge.ports.now();
    let place = (slug.as_str(), caller.user);
    let batch = vec![
        store::bump_generation_by_own_review(place),
        store::uncount_own_review(place),
        store::delete_own_review(place),
        store::empty_own_hidden_review(place, now),
    ];
    match reviews.edge.tenant(caller.tenant).batch_if(store::has_course(&slug), batch).await {
        Ok(_) => Ok(StatusCode::NO_CONTENT),
        Err(StoreError::Guard) => Err(Problem::not_found()),
        Err(error) => Err(error.into()),
    }
}
