//! The player's reports of what was watched (design §10).

use akademi_api::{Academy, Body, Caller, Problem, problem::ProblemDocument};
use akademi_domain::{
    course::LessonKind,
    ids::{CourseId, LessonId, PlaybackId},
    watch::{Claim, LessonDuration, Refusal, Reported, Rules, SecondSet, credit},
};
use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::{
    Progress,
    record::{Change, Learner, Place, Standing, WatchedNow},
};

/// How far ahead of the clock seconds count: a player beats every 10 s.
const SLACK_SECONDS: u32 = 15;

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Heartbeat {
    course: CourseId,
    lesson: LessonId,
    /// This run of the player: made by the player when it opens, the same in all its heartbeats.
    playback: PlaybackId,
    /// Played media time as `[from, to]` in seconds, at most 64. An interval that goes on where an earlier
    /// one ended begins at the whole second in which that ended. Empty in the first heartbeat, which a player
    /// sends as it opens.
    #[schema(max_items = 64)]
    intervals: Vec<(f64, f64)>,
    /// Where the player stands, in seconds of media time.
    position: f64,
    /// The player's rate; 1 is normal speed.
    rate: f64,
    /// How long ago the last of this was played, in seconds: for heartbeats that waited for a connection.
    #[serde(default)]
    late_seconds: f64,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct HeartbeatResult {
    /// Seconds of the lesson that count as watched.
    watched_seconds: u32,
    /// How many of them this heartbeat added.
    gained_seconds: u32,
    /// How many new seconds of this heartbeat do not count.
    refused_seconds: u32,
    /// Why they do not.
    refusal: Option<Refusal>,
    /// Where to resume, in whole seconds.
    position_seconds: u32,
    lesson_completed: bool,
    course_completed: bool,
}

/// Report what was watched
///
/// Of a video, or of a text that has to be read for a time. May be sent late, twice or out of order: seconds that
/// are known change nothing, and new seconds count only as fast as the clock allows.
#[utoipa::path(post, path = "/api/v1/progress/heartbeats", tag = "progress", request_body = Heartbeat,
    responses((status = 200, description = "What counts now", body = HeartbeatResult),
              (status = 403, description = "The lesson is not open yet", body = ProblemDocument, content_type = "application/problem+json"),
              (status = 409, description = "The lesson is no video, or one of unknown length, and nothing to be read for a time", body = ProblemDocument, content_type = "application/problem+json")))]
pub async fn heartbeat(
    State(progress): State<Progress>,
    academy: Academy,
    caller: Caller,
    Body(heartbeat): Body<Heartbeat>,
) -> Result<Body<HeartbeatResult>, Problem> {
    let place = Place { course: heartbeat.course, lesson: heartbeat.lesson };
    let reported = Reported {
        playback: heartbeat.playback,
        intervals: &heartbeat.intervals,
        position: heartbeat.position,
        rate: heartbeat.rate,
        late_seconds: heartbeat.late_seconds,
    };
    let rules = |percent| Rules::new(percent, SLACK_SECONDS).map_err(Problem::broken);
    let (videos, texts) = (rules(academy.profile.watch_rate_percent)?, rules(100)?);
    let recorded = progress
        .recorder
        .record(Learner::from(&caller), place, &|standing, now| {
            let claim =
                Claim::parse(&reported, duration(standing)?).map_err(|error| Problem::field("", error))?;
            let (claim, undelivered) = match &standing.delivered {
                Some(delivered) => claim.delivered(delivered),
                None => (claim, SecondSet::EMPTY),
            };
            let undelivered = undelivered.difference(&standing.progress.watched).seconds();
            let rules = if standing.kind == LessonKind::Video { &videos } else { &texts };
            let credit = credit(&standing.clock, &standing.progress.watched, &claim, rules, now);
            let mut progress = standing.progress.clone();
            progress.watched = credit.watched;
            progress.refused_seconds += i64::from(credit.refused_seconds) + i64::from(undelivered);
            progress.refusals = progress.refusals.with(Refusal::NotDelivered, undelivered);
            if let Some(reason) = credit.refusal {
                progress.refusals = progress.refusals.with(reason, credit.refused_seconds);
            }
            progress.opened_at.get_or_insert(now);
            progress.positions.moved(caller.session, credit.position_seconds, credit.played_at);
            if credit.played_at >= progress.position_at {
                progress.position_seconds = credit.position_seconds;
                progress.position_at = credit.played_at;
            }
            let watched = WatchedNow {
                gained: credit.gained,
                refused: credit.refused_seconds + undelivered,
                refusal: credit.refusal.or((undelivered > 0).then_some(Refusal::NotDelivered)),
            };
            Ok(Some(Change { progress, clock: credit.clock, watched: Some(watched), also: Vec::new() }))
        })
        .await?;
    let now = recorded.watched.unwrap_or_default();
    Ok(Body(HeartbeatResult {
        watched_seconds: recorded.progress.watched.seconds(),
        gained_seconds: now.gained,
        refused_seconds: now.refused,
        refusal: now.refusal,
        position_seconds: recorded.progress.position_seconds,
        lesson_completed: recorded.progress.completed_at.is_some(),
        course_completed: recorded.course_completed,
    }))
}

fn duration(standing: &Standing) -> Result<LessonDuration, Problem> {
    standing
        .duration
        .ok_or_else(|| Problem::new(StatusCode::CONFLICT, "nothing-to-watch", "This lesson has no length."))
}
