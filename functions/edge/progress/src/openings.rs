//! Modules that wait for a date or for what comes before them.

use akademi_api::Problem;
use akademi_domain::{course::opening::Closed, ids::UserId, time::Timestamp};
use akademi_edge_store::TenantDatabase;
use http::StatusCode;

use crate::{
    record::{Place, Standing},
    store,
};

/// Where the learner stands in a lesson that is open; with its body where it is wanted.
///
/// # Errors
/// `not-found` when the learner is not enrolled or the lesson is not of the course; `lesson-closed`, which says until when.
pub async fn find_open(
    database: &TenantDatabase<'_>,
    person: UserId,
    place: Place,
    with_body: bool,
    now: Timestamp,
) -> Result<Standing, Problem> {
    let standing = store::find_standing(database, person, place, with_body).await?;
    let standing = standing.ok_or_else(Problem::not_found)?;
    let Some(opens) = &standing.opens else { return Ok(standing) };
    let course = if opens.after.is_empty() {
        None
    } else {
        store::find_course(database, person, place.course).await?
    };
    let is_done = |module| course.as_ref().is_none_or(|course| course.is_done(module));
    let detail = match opens.closed(standing.enrolled_at, now, is_done) {
        None => return Ok(standing),
        Some(Closed::Until(date)) => format!("It opens at {date}."),
        Some(Closed::After(module)) => format!("What module {module} requires comes first."),
    };
    Err(Problem::new(StatusCode::FORBIDDEN, "lesson-closed", "This lesson is not open yet.")
        .with_detail(detail))
}

/// Where the learner stands in a lesson, open or not.
///
/// # Errors
/// `not-found` when the learner is not enrolled or the lesson is not of the course.
pub async fn find_any(
    database: &TenantDatabase<'_>,
    person: UserId,
    place: Place,
) -> Result<Standing, Problem> {
    store::find_standing(database, person, place, false).await?.ok_or_else(Problem::not_found)
}
