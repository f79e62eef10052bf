//! When a learner has completed a course.

use serde::{Deserialize, Serialize};

use super::{CourseOutline, LessonKind, LessonOutline, ModuleOutline, Percent, Requirement};
use crate::quiz::Score;

/// How far one learner is in one lesson.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LessonState {
    /// The lesson was opened at least once.
    pub opened: bool,
    /// Of a video, or of a text that has to be read for a time: the distinct whole seconds watched.
    pub covered_seconds: u32,
    /// Of a video: its length in whole seconds; 0 while it is not known, and then nothing is covered.
    pub length_seconds: u32,
    /// Of a quiz: the best attempt.
    pub best_score: Option<Score>,
    /// Staff says that a live class was attended, or an assignment accepted.
    pub marked: bool,
}

/// How far one learner is in one course.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Completion {
    /// Of every module all that it requires is fulfilled, and the least score is reached; and something is required, since a
    /// certificate says that something was done.
    pub complete: bool,
    /// The fulfilled share of the required lessons, rounded down: 100 exactly if complete, so 99 while a score is missing.
    pub percent: u8,
    pub fulfilled_lessons: u32,
    pub required_lessons: u32,
}

impl Requirement {
    pub fn is_fulfilled_by(self, state: LessonState) -> bool {
        match self {
            Self::Opened => state.opened,
            Self::OpenedFor { seconds } => state.opened && state.covered_seconds >= seconds.seconds(),
            Self::Coverage { percent } => {
                state.length_seconds > 0
                    && u64::from(state.covered_seconds) * 100
                        >= u64::from(state.length_seconds) * u64::from(percent.get())
            }
            Self::Score { percent } => state.best_score.is_some_and(|score| score.reaches(percent)),
            Self::Attended | Self::Accepted => state.marked,
        }
    }
}

/// How much of a module is required, and how much of that is fulfilled, in lessons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModuleCompletion {
    pub fulfilled: u32,
    pub required: u32,
}

impl ModuleCompletion {
    /// Also of a module that requires nothing.
    pub const fn is_done(self) -> bool {
        self.fulfilled == self.required
    }
}

/// How far a learner is in a module whose lessons stand as `state_of` says.
pub fn module_completion(
    module: &ModuleOutline,
    state_of: &dyn Fn(&LessonOutline) -> LessonState,
) -> ModuleCompletion {
    let (mut required, mut fulfilled) = (0_u32, 0_u32);
    for lesson in module.lessons() {
        if let Some(requirement) = lesson.requirement {
            required += 1;
            fulfilled += u32::from(requirement.is_fulfilled_by(state_of(lesson)));
        }
    }
    let required = module.at_least.map_or(required, |enough| enough.min(required));
    ModuleCompletion { fulfilled: fulfilled.min(required), required }
}

/// Whether the mean share of points over the required quizzes is at least `minimum`; one that was not answered counts
/// nothing. Shares are rounded up to a millionth. Without such a quiz there is nothing to reach.
fn reaches_mean(
    course: &CourseOutline,
    minimum: Percent,
    state_of: &dyn Fn(&LessonOutline) -> LessonState,
) -> bool {
    let (mut quizzes, mut millionths) = (0_u64, 0_u64);
    let is_quiz = |lesson: &&LessonOutline| lesson.kind == LessonKind::Quiz && lesson.requirement.is_some();
    for quiz in course.lessons().filter(is_quiz) {
        quizzes += 1;
        if let Some(Score { points, max: max @ 1.. }) = state_of(quiz).best_score {
            millionths += (u64::from(points) * 1_000_000).div_ceil(u64::from(max));
        }
    }
    millionths * 100 >= quizzes * u64::from(minimum.get()) * 1_000_000
}

/// The completion of a course for a learner whose lessons stand as `state_of` says.
pub fn completion(course: &CourseOutline, state_of: &dyn Fn(&LessonOutline) -> LessonState) -> Completion {
    let (mut required, mut fulfilled) = (0_u32, 0_u32);
    for module in &course.modules {
        let module = module_completion(module, state_of);
        required += module.required;
        fulfilled += module.fulfilled;
    }
    let complete = required > 0
        && fulfilled == required
        && course.minimum_score.is_none_or(|minimum| reaches_mean(course, minimum, state_of));
    let share = (u64::from(fulfilled) * 100).checked_div(u64::from(required)).unwrap_or(0);
    let percent = if complete { 100 } else { u8::try_from(share).map_or(99, |share| share.min(99)) };
    Completion { complete, percent, fulfilled_lessons: fulfilled, required_lessons: required }
}

#[cfg(test)]
mod tests;
