//! The way to the shop that sells a course instead: counted by course and day, with nothing of who goes there.

use akademi_api::{Academy, Body, Caller, PathParam, Problem, QueryParams};
use akademi_domain::{ids::CourseId, time::Day};
use akademi_identity::Origin;
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use serde::Serialize;

use crate::{
    Reviews, store,
    visits::{Counted, Range},
};

/// What a browser fetches before anybody clicks (Fetch Standard, `Sec-Purpose`).
const SEC_PURPOSE: HeaderName = HeaderName::from_static("sec-purpose");

/// Go to the shop that sells a course
///
/// The browser is sent to the address that staff has set, and tells the shop nothing of where it comes from. It counts a click;
/// many from one address count as a few, and what a browser fetches in advance as none.
#[utoipa::path(get, path = "/api/v1/catalog/courses/{slug}/go", tag = "reviews",
    params(("slug" = String, Path, description = "The course's slug")),
    responses((status = 303, description = "The shop's page")))]
pub async fn go(
    State(reviews): State<Reviews>,
    academy: Academy,
    origin: Origin,
    method: Method,
    headers: HeaderMap,
    PathParam(slug): PathParam<String>,
) -> Result<Response, Problem> {
    let day = reviews.edge.ports.now().day_in_istanbul();
    let database = reviews.edge.tenant(academy.id);
    let shop = store::find_shop(&database, &slug, day).await?.ok_or_else(Problem::not_found)?;
    let is_clicked = method == Method::GET && !headers.contains_key(SEC_PURPOSE);
    if is_clicked {
        let counted =
            Counted { course: shop.course, source: store::SOLD_ELSEWHERE, day, visits: shop.clicks };
        reviews.count(&database, &origin, counted).await?;
    }
    let headers = [
        (header::LOCATION, HeaderValue::try_from(shop.url).map_err(Problem::broken)?),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    Ok((StatusCode::SEE_OTHER, headers).into_response())
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct ClickCount {
    /// As clocks in Istanbul show it.
    pub day: Day,
    pub clicks: i64,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct ClickCounts {
    course: CourseId,
    from: Day,
    to: Day,
    /// Of days with a click.
    data: Vec<ClickCount>,
}

/// How many went to the shop that sells a course, by day
///
/// Whoever does not see to everybody's courses asks for those of their own.
#[utoipa::path(get, path = "/api/v1/clicks/courses/{course_id}", tag = "reviews",
    params(("course_id" = CourseId, Path, description = "The course"), Range),
    responses((status = 200, description = "The counts", body = ClickCounts)))]
pub async fn list(
    State(reviews): State<Reviews>,
    caller: Caller,
    PathParam(course): PathParam<CourseId>,
    QueryParams(range): QueryParams<Range>,
) -> Result<Body<ClickCounts>, Problem> {
    let (from, to) = range.days(reviews.edge.ports.now())?;
    let database = reviews.edge.tenant(caller.tenant);
    if !store::may_see_course(&database, course, caller.courses_of()).await? {
        return Err(Problem::not_found());
    }
    let data = store::list_clicks(&database, course, (from, to)).await?;
    Ok(Body(ClickCounts { course, from, to, data }))
}
