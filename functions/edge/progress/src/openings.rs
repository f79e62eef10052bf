//! Modules that wait for a date or for what comes before them.

use akademi_api::Problem;
use akademi_domain::{
    course::opening::{Closed, Opening},
    ids::{CourseId, UserId},
    time::Timestamp,
};
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
    must_be_open(database, person, place.course, standing.opens.as_ref(), standing.enrolled_at, now).await?;
    Ok(standing)
}

/// Whether what waits for `opens` is open to the learner.
///
/// # Errors
/// `lesson-closed`, which says until when.
pub async fn must_be_open(
    database: &TenantDatabase<'_>,
    person: UserId,
    course: CourseId,
    opens: Option<&Opening>,
    enrolled_at: Timestamp,
    now: Timestamp,
) -> Result<(), Problem> {
    let Some(opens) = opens else { return Ok(()) };
    let course =
        if opens.after.is_empty() { None } else { store::find_course(database, person, course).await? };
    let is_done = |module| course.as_ref().is_none_or(|course| course.is_done(module));
    let detail = match opens.closed(enrolled_at, now, is_done) {
        None => return Ok(()),
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
