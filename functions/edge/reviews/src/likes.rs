//! Courses that people like.

use akademi_api::{
    Body, Caller, PathParam, Problem, QueryParams,
    paging::{Cursor, Page, PageParams},
};
use akademi_domain::{ids::CourseId, time::Timestamp};
use akademi_edge_store::StoreError;
use axum::extract::State;
use http::StatusCode;
use serde::Serialize;

use crate::{Reviews, store};

/// A course that somebody likes.
#[derive(Serialize, utoipa::ToSchema)]
pub struct LikedCourse {
    pub course: CourseId,
    pub slug: String,
    pub title: String,
    pub liked_at: Timestamp,
}

/// Like a course
///
/// A second time it changes nothing. Others see the count within a minute.
#[utoipa::path(put, path = "/api/v1/catalog/courses/{slug}/like", tag = "reviews",
    params(("slug" = String, Path, description = "The course's slug")),
    responses((status = 204, description = "You like it")))]
pub async fn like(
    State(reviews): State<Reviews>,
    caller: Caller,
    PathParam(slug): PathParam<String>,
) -> Result<StatusCode, Problem> {
    let place = (slug.as_str(), caller.user);
    let batch = vec![store::count_like(place), store::insert_like(place, reviews.edge.ports.now())];
    match reviews.edge.tenant(caller.tenant).batch_if(store::may_like(place), batch).await {
        Ok(_) => Ok(StatusCode::NO_CONTENT),
        Err(StoreError::Guard) => Err(Problem::not_found()),
        Err(error) => Err(error.into()),
    }
}

/// Like a course no longer
#[utoipa::path(delete, path = "/api/v1/catalog/courses/{slug}/like", tag = "reviews",
    params(("slug" = String, Path, description = "The course's slug")),
    responses((status = 204, description = "You do not like it")))]
pub async fn unlike(
    State(reviews): State<Reviews>,
    caller: Caller,
    PathParam(slug): PathParam<String>,
) -> Result<StatusCode, Problem> {
    let place = (slug.as_str(), caller.user);
    let batch = vec![store::uncount_like(place), store::delete_like(place)];
    match reviews.edge.tenant(caller.tenant).batch_if(store::has_course(&slug), batch).await {
        Ok(_) => Ok(StatusCode::NO_CONTENT),
        Err(StoreError::Guard) => Err(Problem::not_found()),
        Err(error) => Err(error.into()),
    }
}

/// Courses that one likes, the last liked first
///
/// Without those that the catalog has no more.
#[utoipa::path(get, path = "/api/v1/users/me/likes", tag = "reviews", params(PageParams),
    responses((status = 200, description = "A page of courses", body = Page<LikedCourse>)))]
pub async fn list(
    State(reviews): State<Reviews>,
    caller: Caller,
    QueryParams(page): QueryParams<PageParams>,
) -> Result<Body<Page<LikedCourse>>, Problem> {
    let after = page.cursor.as_deref().map(Cursor::decode_at).transpose()?;
    let database = reviews.edge.tenant(caller.tenant);
    let found = store::list_likes(&database, caller.user, after, page.limit.and_one()).await?;
    Ok(Body(Page::of(found, page.limit, |last| Cursor::at(last.liked_at, last.course))))
}
