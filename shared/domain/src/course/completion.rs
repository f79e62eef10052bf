//! When a learner has completed a course.

use serde::{Deserialize, Serialize};

use super::{CourseOutline, Requirement};
use crate::{ids::LessonId, quiz::Score};

/// How far one learner is in one lesson.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LessonState {
    /// The lesson was opened at least once.
    pub opened: bool,
    /// Of a video: the distinct whole seconds watched.
    pub covered_seconds: u32,
    /// Of a video: its length in whole seconds; 0 while it is not known, and then nothing is covered.
    pub length_seconds: u32,
    /// Of a quiz: the best attempt.
    pub best_score: Option<Score>,
}

/// How far one learner is in one course.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Completion {
    /// Every required lesson is fulfilled, and there is at least one: a certificate says that something was done.
    pub complete: bool,
    /// The fulfilled share of the required lessons, rounded down: 100 exactly if complete.
    pub percent: u8,
    pub fulfilled_lessons: u32,
    pub required_lessons: u32,
}

impl Requirement {
    pub fn is_fulfilled_by(self, state: LessonState) -> bool {
        match self {
            Self::Opened => state.opened,
            Self::Coverage { percent } => {
                state.length_seconds > 0
                    && u64::from(state.covered_seconds) * 100
                        >= u64::from(state.length_seconds) * u64::from(percent.get())
            }
            Self::Score { percent } => state.best_score.is_some_and(|score| score.reaches(percent)),
        }
    }
}

/// The completion of a course for a learner whose lessons stand as `state_of` says.
pub fn completion(course: &CourseOutline, state_of: impl Fn(LessonId) -> LessonState) -> Completion {
    let mut required: u32 = 0;
    let mut fulfilled: u32 = 0;
    for lesson in course.lessons() {
        if let Some(requirement) = lesson.requirement {
            required += 1;
            fulfilled += u32::from(requirement.is_fulfilled_by(state_of(lesson.id)));
        }
    }
    let share = (u64::from(fulfilled) * 100).checked_div(u64::from(required)).unwrap_or(0);
    Completion {
        complete: required > 0 && fulfilled == required,
        percent: u8::try_from(share).unwrap_or(100),
        fulfilled_lessons: fulfilled,
        required_lessons: required,
    }
}
