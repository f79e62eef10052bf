//! Redeeming a code.

use akademi_api::{Body, Caller, Problem, problem::ProblemDocument};
use akademi_domain::{
    activation_code::ActivationCode,
    ids::{CourseId, EnrolmentId},
    throttle::Delays,
    time::Timestamp,
};
use akademi_edge_store::{StoreError, grant_enrolment};
use akademi_identity::{
    Origin,
    throttle::{self, Attempt, Counter},
};
use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    Activation,
    codes::Place,
    store::{self, Standing, Use},
};

/// How often a code is looked at again because somebody else has just used it.
const TRIES: usize = 4;

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Redemption {
    /// In either case, with spaces and dashes anywhere.
    #[schema(value_type = String, max_length = 100, example = "BAHAR-7K4M-9XQ2-TRD6-HWPE")]
    code: ActivationCode,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct Redeemed {
    /// What the code gives; each is open to the learner.
    courses: Vec<RedeemedCourse>,
    /// When this person redeemed it first.
    redeemed_at: Timestamp,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct RedeemedCourse {
    id: CourseId,
    slug: String,
    title: String,
}

/// What becomes of a code that somebody sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Use,
    /// This person has used it already.
    UsedThen(Timestamp),
    NotYet,
    NoLonger,
    UsedUp,
    /// One of its courses has so many seats and no more: only orders take them.
    HasSeats,
}

fn outcome(standing: &Standing, now: Timestamp) -> Outcome {
    let batch = &standing.batch;
    match standing.used_at {
        Some(at) => Outcome::UsedThen(at),
        None if batch.revoked_at.is_some() || batch.ends_at <= now => Outcome::NoLonger,
        None if now < batch.starts_at => Outcome::NotYet,
        None if standing.has_seats => Outcome::HasSeats,
        None if standing.uses >= i64::from(batch.uses_per_code) => Outcome::UsedUp,
        None => Outcome::Use,
    }
}

/// By what attempts are counted: whoever asks, and from where.
fn counters(activation: &Activation, caller: &Caller, origin: &Origin) -> [Counter; 2] {
    let person = Counter {
        key: activation.throttles.key(&[b"activation code", caller.user.as_uuid().as_bytes()]),
        delays: Delays::CODE,
        is_trusting: false,
        is_exact: true,
    };
    [person, activation.throttles.address_tries(b"activation codes", origin)]
}

/// Redeem an activation code
///
/// Its courses are open at once. Redeeming it again answers the same and uses nothing up. Whoever sends many that are none
/// waits longer each time.
#[utoipa::path(post, path = "/api/v1/activation-codes/redemptions", tag = "activation codes", request_body = Redemption,
    responses((status = 200, description = "What the code gives", body = Redeemed),
              (status = 409, description = "The code is not good yet, is good no longer, is used up, or gives a course that has limited seats by now", body = ProblemDocument, content_type = "application/problem+json"),
              (status = 429, description = "Too many attempts", body = ProblemDocument, content_type = "application/problem+json")))]
pub async fn redeem(
    State(activation): State<Activation>,
    caller: Caller,
    origin: Origin,
    Body(Redemption { code }): Body<Redemption>,
) -> Result<Body<Redeemed>, Problem> {
    let now = activation.edge.ports.now();
    let database = activation.edge.tenant(caller.tenant);
    let attempt = throttle::admit(&database, &counters(&activation, &caller, &origin), now).await?;
    let place = activation.codes.place(caller.tenant, &code).ok_or_else(unknown_code)?;
    for _ in 0..TRIES {
        let standing = store::find_standing(&database, place, caller.user).await?;
        let standing = standing
            .filter(|standing| {
                let batch = &standing.batch;
                place.code <= batch.count
                    && activation.codes.code(caller.tenant, &batch.key, place.code) == code
            })
            .ok_or_else(unknown_code)?;
        let redeemed_at = match outcome(&standing, now) {
            Outcome::UsedThen(at) => {
                database.batch(attempt.succeeded()).await?;
                at
            }
            Outcome::Use => {
                match use_code(&activation, &caller, &origin, &attempt, &standing, place, now).await {
                    Ok(()) => now,
                    Err(UseError::ChangedSince) => continue,
                    Err(UseError::Other(problem)) => return Err(problem),
                }
            }
            // Whoever holds a code of ours was given it, and may know how it stands; one cannot be guessed.
            Outcome::NotYet => return Err(refused("code-not-yet-valid", "This code is not good yet.")),
            Outcome::NoLonger => return Err(refused("code-no-longer-valid", "This code is good no longer.")),
            Outcome::HasSeats => {
                let detail = "A course of this code has limited seats by now: it is had by an order alone.";
                return Err(refused("code-for-limited-seats", detail));
            }
            Outcome::UsedUp => {
                return Err(refused("code-used-up", "This code has been redeemed as often as it may be."));
            }
        };
        let courses = store::list_courses(&database, standing.batch.key.id).await?;
        let courses = courses
            .into_iter()
            .map(|course| RedeemedCourse { id: course.id, slug: course.slug, title: course.title })
            .collect();
        return Ok(Body(Redeemed { courses, redeemed_at }));
    }
    Err(Problem::unavailable().retry_after(1))
}

enum UseError {
    /// The code does not stand as it was read.
    ChangedSince,
    Other(Problem),
}

impl From<Problem> for UseError {
    fn from(problem: Problem) -> Self {
        Self::Other(problem)
    }
}

/// The use, the enrolments and what the other plane hears of them, in one step or not at all.
async fn use_code(
    activation: &Activation,
    caller: &Caller,
    origin: &Origin,
    attempt: &Attempt,
    standing: &Standing,
    place: Place,
    now: Timestamp,
) -> Result<(), UseError> {
    let (ports, id) = (&activation.edge.ports, standing.batch.key.id);
    let new = Use { batch: id, code: place.code, person: caller.user, at: now };
    let mut batch = attempt.succeeded();
    batch.extend(store::use_code(new));
    for course in &standing.batch.courses {
        let enrolment = EnrolmentId::new(now, ports.random());
        batch.extend(grant_enrolment(caller.user, *course, enrolment, "code", now));
    }
    let change = json!({ "after": { "code": place.code } });
    batch.extend(activation.audited(caller, origin, "activation_code.redeemed", id, change).await?);
    let database = activation.edge.tenant(caller.tenant);
    match database.batch_if(store::may_be_used(new), batch).await {
        Ok(_) => Ok(()),
        Err(StoreError::Guard) => Err(UseError::ChangedSince),
        Err(error) => Err(UseError::Other(error.into())),
    }
}

/// No academy has made it, or another one has.
fn unknown_code() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "unknown-code",
        "No such code was handed out here: compare it with what you were given.",
    )
}

fn refused(slug: &'static str, detail: &'static str) -> Problem {
    Problem::new(StatusCode::CONFLICT, slug, detail)
}
