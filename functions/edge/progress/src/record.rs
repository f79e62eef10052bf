//! Read, decide, write: the one road of every change to a learner's progress.

use akademi_api::{Caller, Problem};
use akademi_domain::{
    course::{
        LessonKind, LessonOutline, Requirement,
        completion::{LessonState, completion},
        opening::Opening,
    },
    ids::{CourseId, EnrolmentId, LessonId, SessionId, TenantId, UserId},
    quiz::Score,
    time::Timestamp,
    watch::{LearnerClock, LessonDuration, Positions, Refusal, RefusedSeconds, SecondSet, Watched},
};
use akademi_edge_store::{Edge, TenantDatabase, TenantStatement, append_event, replace_event};
use akademi_feed::EdgeEvent;

use crate::{
    openings::{find_any, find_open},
    remembered::Remembered,
    store,
};

/// A learner's requests that come at once make each other read again; this often at most.
const MAX_TRIES: usize = 8;

/// Which lesson of which course.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub course: CourseId,
    pub lesson: LessonId,
}

/// Whose progress is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Learner {
    pub tenant: TenantId,
    pub user: UserId,
    /// The learner's device; none where staff asks for them: then the lesson need not be open yet.
    pub session: Option<SessionId>,
}

impl From<&Caller> for Learner {
    /// Who asks for themselves.
    fn from(caller: &Caller) -> Self {
        Self { tenant: caller.tenant, user: caller.user, session: Some(caller.session) }
    }
}

/// What a learner has done with a lesson.
#[derive(Debug, Clone, Default)]
pub struct LessonProgress {
    pub watched: Watched,
    /// Where the learner was last, and when.
    pub position_seconds: u32,
    pub position_at: Timestamp,
    /// Where each device was last.
    pub positions: Positions,
    pub refused_seconds: i64,
    /// The reasons, as far as they are known.
    pub refusals: RefusedSeconds,
    pub opened_at: Option<Timestamp>,
    pub best_score: Option<Score>,
    pub attempts: i64,
    /// Since when staff says that a live class was attended, or an assignment accepted.
    pub marked_at: Option<Timestamp>,
    pub completed_at: Option<Timestamp>,
}

/// Where a learner stands, as one statement reads it.
pub struct Standing {
    pub kind: LessonKind,
    pub duration: Option<LessonDuration>,
    pub requirement: Option<Requirement>,
    /// What the lesson waits for.
    pub opens: Option<Opening>,
    pub enrolled_at: Timestamp,
    /// The lesson's, as JSON, where it was asked for.
    pub body: Option<String>,
    pub progress: LessonProgress,
    pub clock: LearnerClock,
    /// Moves with each of the learner's writes.
    pub clock_version: i64,
    pub enrolment: EnrolmentId,
    pub course_completed_at: Option<Timestamp>,
    /// The version that the lesson was read in.
    pub course_version: i64,
    /// Whether seconds count only where they were handed to the session.
    pub delivery_bound: bool,
    /// Of such a lesson, the seconds that were.
    pub delivered: Option<SecondSet>,
}

impl Standing {
    /// What fulfils this lesson; what is not required is done by the usual rule of its kind.
    pub fn rule(&self) -> Requirement {
        self.requirement.unwrap_or(Requirement::usual(self.kind))
    }
}

/// What a request changes.
pub struct Change {
    pub progress: LessonProgress,
    pub clock: LearnerClock,
    pub watched: Option<WatchedNow>,
    /// What is written in the same step.
    pub also: Vec<TenantStatement>,
}

/// What a request changes, or nothing where all of it is so already.
pub type Decision = Result<Option<Change>, Problem>;

impl Change {
    /// One that is not of watching.
    pub fn new(progress: LessonProgress, standing: &Standing) -> Self {
        Self { progress, clock: standing.clock.clone(), watched: None, also: Vec::new() }
    }
}

/// What came of a heartbeat, in seconds.
#[derive(Debug, Clone, Copy, Default)]
pub struct WatchedNow {
    pub gained: u32,
    pub refused: u32,
    pub refusal: Option<Refusal>,
}

/// What was written.
pub struct Recorded {
    pub watched: Option<WatchedNow>,
    pub progress: LessonProgress,
    pub course_completed: bool,
}

/// The road of every change to a learner's progress, with what this instance remembers of it.
#[derive(Clone)]
pub struct Recorder {
    edge: Edge,
    remembered: Remembered,
}

impl Recorder {
    pub fn new(edge: Edge) -> Self {
        Self { edge, remembered: Remembered::new() }
    }

    /// Reads where the learner stands in a lesson, asks `decide`, and writes the answer with its consequences
    /// (lesson done, course done) and the feed's events in one atomic step; nothing where it answers nothing.
    ///
    /// # Errors
    /// `not-found` when the learner is not enrolled or the lesson is not of the course; `lesson-closed`; whatever `decide`
    /// refuses with; `conflict` when too many of the learner's requests came at once.
    pub async fn record(
        &self,
        learner: Learner,
        place: Place,
        decide: &(dyn Fn(&Standing, Timestamp) -> Decision + Sync),
    ) -> Result<Recorded, Problem> {
        let database = self.edge.tenant(learner.tenant);
        for _ in 0..MAX_TRIES {
            let now = self.edge.ports.now();
            // What is remembered was open to the learner.
            let remembered = learner.session.and_then(|_| self.remembered.take(learner, place, now));
            let is_remembered = remembered.is_some();
            let mut standing = match remembered {
                Some(standing) => standing,
                None if learner.session.is_none() => find_any(&database, learner.user, place).await?,
                None => find_open(&database, learner.user, place, false, now).await?,
            };
            if let Some(session) = learner.session.filter(|_| standing.delivery_bound) {
                let delivered = store::delivered_seconds(&database, learner.user, session, place.lesson);
                standing.delivered = Some(delivered.await?);
            }
            let mut change = match decide(&standing, now) {
                // It may be refused, or found done, for what is no longer so.
                Err(_) | Ok(None) if is_remembered => continue,
                Ok(None) => {
                    return Ok(Recorded {
                        watched: None,
                        progress: standing.progress,
                        course_completed: standing.course_completed_at.is_some(),
                    });
                }
                Ok(Some(change)) => change,
                Err(problem) => return Err(problem),
            };
            let is_fulfilled =
                standing.rule().is_fulfilled_by(lesson_state(&change.progress, standing.duration));
            let newly_done = is_fulfilled && change.progress.completed_at.is_none();
            if newly_done {
                change.progress.completed_at = Some(now);
            }

            let mut batch = vec![
                store::move_clock(learner.user, place.course, &change.clock, &standing),
                store::save_progress(learner.user, place, &change.progress, now),
            ];
            batch.append(&mut change.also);
            batch.extend(progress_event(learner, place, &change.progress, standing.duration, now));
            // A better score may be what the course waits for.
            let moves_course = newly_done || change.progress.best_score != standing.progress.best_score;
            let completes_course = moves_course
                && standing.course_completed_at.is_none()
                && course_is_complete(&database, learner, place, &change.progress, standing.duration).await?;
            if completes_course {
                let completed = EdgeEvent::CourseCompleted {
                    person: learner.user,
                    course: place.course,
                    enrolment: standing.enrolment,
                    at: now,
                };
                batch.push(store::complete_enrolment(learner.user, place.course, now));
                batch.extend(append_event(&completed, now));
            }

            match database.batch(batch).await {
                Ok(_) => {
                    let course_completed_at =
                        standing.course_completed_at.or(completes_course.then_some(now));
                    let after = Standing {
                        progress: change.progress.clone(),
                        clock: change.clock,
                        clock_version: standing.clock_version + 1,
                        course_completed_at,
                        ..standing
                    };
                    if learner.session.is_some() {
                        self.remembered.keep(learner, place, now, after);
                    }
                    return Ok(Recorded {
                        watched: change.watched,
                        progress: change.progress,
                        course_completed: course_completed_at.is_some(),
                    });
                }
                Err(error) if store::has_moved_since(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Problem::conflict())
    }
}

/// How far a lesson is, as the rules of completion see it.
pub fn lesson_state(progress: &LessonProgress, duration: Option<LessonDuration>) -> LessonState {
    LessonState {
        opened: progress.opened_at.is_some(),
        covered_seconds: progress.watched.seconds(),
        length_seconds: duration.map_or(0, LessonDuration::seconds),
        best_score: progress.best_score,
        marked: progress.marked_at.is_some(),
    }
}

/// Whether the course is complete once this lesson stands as `progress` says.
async fn course_is_complete(
    database: &TenantDatabase<'_>,
    learner: Learner,
    place: Place,
    progress: &LessonProgress,
    duration: Option<LessonDuration>,
) -> Result<bool, Problem> {
    let Some(course) = store::find_course(database, learner.user, place.course).await? else {
        return Ok(false);
    };
    let state_of = |lesson: &LessonOutline| {
        if lesson.id == place.lesson { lesson_state(progress, duration) } else { course.state_of(lesson) }
    };
    Ok(completion(&course.outline, &state_of).complete)
}

fn progress_event(
    learner: Learner,
    place: Place,
    progress: &LessonProgress,
    duration: Option<LessonDuration>,
    now: Timestamp,
) -> [TenantStatement; 2] {
    let event = EdgeEvent::ProgressSaved {
        person: learner.user,
        course: place.course,
        lesson: place.lesson,
        seconds: progress.watched.seconds().into(),
        coverage_permille: duration.map_or(0, |duration| progress.watched.coverage(duration) / 10),
        refused_seconds: progress.refused_seconds,
        score: progress.best_score,
        completed_at: progress.completed_at,
        updated_at: now,
    };
    let key = format!("progress/{}/{}/{}", learner.tenant, learner.user, place.lesson);
    replace_event(&event, key, now)
}
