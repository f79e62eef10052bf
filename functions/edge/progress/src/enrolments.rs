//! Access to a course, given by staff. Orders give it through the feed.

use akademi_api::{Body, Caller, Problem};
use akademi_domain::{
    ids::{CourseId, EnrolmentId, UserId},
    time::Timestamp,
};
use akademi_edge_store::{StoreError, append_event};
use akademi_feed::EdgeEvent;
use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::{Progress, store};

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    person: UserId,
    course: CourseId,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct Enrolment {
    id: EnrolmentId,
    person: UserId,
    course: CourseId,
    created_at: Timestamp,
}

/// Give somebody access to a course
///
/// Who has it already keeps the enrolment that there is.
#[utoipa::path(post, path = "/api/v1/enrolments", tag = "learning", request_body = Grant,
    responses((status = 201, description = "Access was given", body = Enrolment),
              (status = 200, description = "There is access already", body = Enrolment)))]
pub async fn grant(
    State(progress): State<Progress>,
    caller: Caller,
    Body(Grant { person, course }): Body<Grant>,
) -> Result<(StatusCode, Body<Enrolment>), Problem> {
    let ports = &progress.edge.ports;
    let database = progress.edge.tenant(caller.tenant);
    let now = ports.now();
    let id = EnrolmentId::new(now, ports.random());
    let source = "staff";
    let enrolled = EdgeEvent::Enrolled { person, course, enrolment: id, source: source.into(), at: now };
    let mut batch = vec![store::insert_enrolment(person, course, id, source, now)];
    batch.extend(append_event(&enrolled, now));
    match database.batch_if(store::person_and_course_exist(person, course), batch).await {
        Ok(_) => Ok((StatusCode::CREATED, Body(Enrolment { id, person, course, created_at: now }))),
        Err(StoreError::Guard) => Err(Problem::not_found()),
        Err(error) if error.is_duplicate_of("enrolment") => {
            let found = store::find_enrolment(&database, person, course).await?;
            let (id, created_at) = found.ok_or_else(Problem::conflict)?;
            Ok((StatusCode::OK, Body(Enrolment { id, person, course, created_at })))
        }
        Err(error) => Err(error.into()),
    }
}
