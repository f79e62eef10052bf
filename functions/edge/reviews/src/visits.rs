//! Visits that shared links brought: counted by course, mark and day, with nothing of who came.
//!
//! A page that is opened by such a link tells it by a POST. Reading a course counts nothing: its answer is kept by whoever
//! is on the way.

use akademi_api::{Academy, Body, Caller, PathParam, Problem, QueryParams};
use akademi_domain::{
    ids::CourseId,
    time::{Day, Timestamp},
};
use akademi_edge_store::TenantDatabase;
use akademi_identity::{Origin, throttle};
use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::{
    Reviews,
    shares::{ShareMark, ShareSource},
    store,
};

/// How many visits of a mark are counted on a day: what comes beyond is no people, and writes nothing.
const MOST_A_DAY: i64 = 10_000;
/// The longest time that counts are told of, in days.
const MAX_DAYS: i32 = 366;
/// The time that they are told of unless said otherwise, in days.
const USUAL_DAYS: i32 = 30;

/// Tell of a visit by a shared link
///
/// The page does, once when it is opened. A mark that nobody has asked a link for counts nothing, and neither does who tells
/// of many.
#[utoipa::path(post, path = "/api/v1/catalog/courses/{slug}/visits", tag = "reviews", request_body = ShareMark,
    params(("slug" = String, Path, description = "The course's slug")),
    responses((status = 204, description = "It is known; whether it was counted is not told")))]
pub async fn count(
    State(reviews): State<Reviews>,
    academy: Academy,
    origin: Origin,
    PathParam(slug): PathParam<String>,
    Body(ShareMark { via }): Body<ShareMark>,
) -> Result<StatusCode, Problem> {
    let day = reviews.edge.ports.now().day_in_istanbul();
    let database = reviews.edge.tenant(academy.id);
    let found = store::find_visited_course(&database, &slug, via, day).await?;
    let found = found.ok_or_else(Problem::not_found)?;
    if found.is_made {
        let counted = Counted { course: found.course, source: via.name(), day, visits: found.visits };
        reviews.count(&database, &origin, counted).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// A visit of a link, and how many the day had before.
pub struct Counted {
    pub course: CourseId,
    /// The link's mark.
    pub source: &'static str,
    pub day: Day,
    pub visits: i64,
}

impl Reviews {
    /// Counts the visit, unless the day has had too many, or whoever makes it has.
    ///
    /// # Errors
    /// Of the store.
    pub async fn count(
        &self,
        database: &TenantDatabase<'_>,
        origin: &Origin,
        counted: Counted,
    ) -> Result<(), Problem> {
        let tries = self.throttles.address_tries(b"visit", origin);
        let is_counted = counted.visits < MOST_A_DAY
            && throttle::is_admitted(database, tries, self.edge.ports.now()).await?;
        if is_counted {
            database.batch(vec![store::count_visit(&counted, MOST_A_DAY)]).await?;
        }
        Ok(())
    }
}

/// The query of the counts.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Range {
    /// The first day; 29 days before the last one unless said otherwise.
    #[serde(default)]
    from: Option<Day>,
    /// The last day; today unless said otherwise. A range has 366 days at most.
    #[serde(default)]
    to: Option<Day>,
}

impl Range {
    /// The first and the last day.
    ///
    /// # Errors
    /// 422 for more than 366 days, or none.
    pub fn days(&self, now: Timestamp) -> Result<(Day, Day), Problem> {
        let to = self.to.unwrap_or_else(|| now.day_in_istanbul());
        let from = self.from.unwrap_or(to.plus(1 - USUAL_DAYS));
        if !(0..MAX_DAYS).contains(&to.days_since(from)) {
            return Err(Problem::field("from", "begins a range of 1 to 366 days"));
        }
        Ok((from, to))
    }
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct VisitCount {
    /// As clocks in Istanbul show it.
    pub day: Day,
    pub via: ShareSource,
    pub visits: i64,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct VisitCounts {
    course: CourseId,
    from: Day,
    to: Day,
    /// Of days and marks with a visit.
    data: Vec<VisitCount>,
}

/// Visits that a course's shared links brought, by day and mark
///
/// Whoever does not see to everybody's courses asks for those of their own.
#[utoipa::path(get, path = "/api/v1/shares/courses/{course_id}", tag = "reviews",
    params(("course_id" = CourseId, Path, description = "The course"), Range),
    responses((status = 200, description = "The counts", body = VisitCounts)))]
pub async fn list(
    State(reviews): State<Reviews>,
    caller: Caller,
    PathParam(course): PathParam<CourseId>,
    QueryParams(range): QueryParams<Range>,
) -> Result<Body<VisitCounts>, Problem> {
    let (from, to) = range.days(reviews.edge.ports.now())?;
    let database = reviews.edge.tenant(caller.tenant);
    if !store::may_see_course(&database, course, caller.courses_of()).await? {
        return Err(Problem::not_found());
    }
    let data = store::list_visits(&database, course, (from, to)).await?;
    Ok(Body(VisitCounts { course, from, to, data }))
}
