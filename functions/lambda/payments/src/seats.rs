//! How many people may buy a course.

use akademi_api::{Body, Caller, PathParam, Problem, problem::ProblemDocument, signed::CallContext};
use akademi_domain::ids::CourseId;
use akademi_feed::LambdaEvent;
use akademi_lambda_store::{
    audit::{Action, Actor, Write},
    feed,
};
use axum::{Extension, extract::State};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{Payments, PaymentsError, error::conflict, holds::seats_of, store};

const MAX_SEATS: i64 = 1_000_000_000;

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSeats {
    /// How many people may buy the course; `null` for as many as want.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    capacity: Option<i64>,
}

/// A course's seats.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Seats {
    pub course: CourseId,
    /// `null` for as many as want.
    pub capacity: Option<i64>,
    /// Of orders that wait for money.
    pub held: i64,
    /// Of paid orders, without those that were given back.
    pub taken: i64,
}

impl Seats {
    fn are_left(&self) -> bool {
        self.capacity.is_none_or(|capacity| self.held + self.taken < capacity)
    }
}

/// Limit the seats of a course
///
/// From now on; those that were bought or ordered before count. A refund of the course gives its seat back. A course with
/// limited seats is had by an order alone, not by a code.
#[utoipa::path(put, path = "/api/v1/commerce/courses/{course_id}/seats", tag = "commerce",
    params(("course_id" = CourseId, Path, description = "The course")), request_body = NewSeats,
    responses((status = 200, description = "The seats as they are now", body = Seats),
              (status = 409, description = "The course has no price, or more seats are taken", body = ProblemDocument, content_type = "application/problem+json")))]
pub async fn set(
    State(payments): State<Payments>,
    caller: Caller,
    Extension(call): Extension<CallContext>,
    PathParam(course): PathParam<CourseId>,
    Body(new): Body<NewSeats>,
) -> Result<Body<Seats>, PaymentsError> {
    if new.capacity.is_some_and(|capacity| !(0..=MAX_SEATS).contains(&capacity)) {
        return Err(Problem::field("capacity", format!("must be from 0 to {MAX_SEATS}")).into());
    }
    let now = payments.ports.now();
    let mut tx = payments.postgres.tenant(caller.tenant).await?;
    if !store::may_price(&mut tx, course, caller.courses_of()).await? {
        return Err(Problem::not_found().into());
    }
    if !store::lock_price(&mut tx, course).await? {
        return Err(conflict("course-without-price", "Set a price for the course first.").into());
    }
    let before = store::find_seats(&mut tx, course).await?;
    if before.is_none() {
        store::lock_orders_of(&mut tx, course).await?;
        store::open_budget(&mut tx, seats_of(course), None).await?;
        store::count_seats(&mut tx, course, now).await?;
    }
    store::set_ceiling(&mut tx, seats_of(course), new.capacity).await?;
    let after = seats(course, store::find_seats(&mut tx, course).await?);
    let (limited, available) = (after.capacity.is_some(), after.are_left());
    feed::append(&mut tx, &LambdaEvent::SeatsSet { course, limited, available, at: now }, now).await?;
    let set = Write {
        action: Action::SeatsSet,
        target: format!("course:{course}"),
        before: json!({ "capacity": seats(course, before).capacity }),
        after: json!({ "capacity": after.capacity }),
    };
    payments.auditor.record(&mut tx, Actor::new(&caller, &call), set).await?;
    tx.commit().await?;
    payments.wake.wake();
    Ok(Body(after))
}

/// The seats of a course
#[utoipa::path(get, path = "/api/v1/commerce/courses/{course_id}/seats", tag = "commerce",
    params(("course_id" = CourseId, Path, description = "The course")),
    responses((status = 200, description = "The seats", body = Seats)))]
pub async fn show(
    State(payments): State<Payments>,
    caller: Caller,
    PathParam(course): PathParam<CourseId>,
) -> Result<Body<Seats>, PaymentsError> {
    let mut tx = payments.postgres.tenant(caller.tenant).await?;
    if !store::may_price(&mut tx, course, caller.courses_of()).await? {
        return Err(Problem::not_found().into());
    }
    let found = store::find_seats(&mut tx, course).await?;
    tx.commit().await?;
    Ok(Body(seats(course, found)))
}

/// Nobody has counted those of a course that was never limited.
fn seats(course: CourseId, found: Option<store::SeatsBudget>) -> Seats {
    let store::SeatsBudget { capacity, held, taken } = found.unwrap_or_default();
    Seats { course, capacity, held, taken }
}
