//! What fulfils a lesson that a course requires.

use serde::{Deserialize, Serialize};

use super::{LessonKind, Percent};
use crate::watch::LessonDuration;

/// What fulfils a required lesson.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "rule", rename_all = "snake_case", deny_unknown_fields)]
pub enum Requirement {
    /// At least this share of a video's seconds was watched.
    Coverage { percent: Percent },
    /// The lesson was opened.
    Opened,
    /// The lesson was opened and read for so many seconds, which the player of a text reports as one of a video does.
    OpenedFor { seconds: LessonDuration },
    /// At least this share of a quiz's points was reached in one attempt.
    Score { percent: Percent },
    /// Staff says that the learner attended a live class.
    Attended,
    /// Staff has accepted what the learner handed in for an assignment.
    Accepted,
}

impl Requirement {
    /// The rule of a required lesson for which its author chose none: 90 % of a video, half of a quiz's
    /// points, attending a live class, an accepted assignment, opening anything else.
    pub const fn usual(kind: LessonKind) -> Self {
        match kind {
            LessonKind::Video => Self::Coverage { percent: Percent(90) },
            LessonKind::Quiz => Self::Score { percent: Percent(50) },
            LessonKind::Live => Self::Attended,
            LessonKind::Assignment => Self::Accepted,
            LessonKind::Html | LessonKind::Document => Self::Opened,
        }
    }

    /// How long a lesson is that lasts as long as it has to be read.
    pub const fn reading_time(self) -> Option<LessonDuration> {
        match self {
            Self::OpenedFor { seconds } => Some(seconds),
            Self::Coverage { .. } | Self::Opened | Self::Score { .. } | Self::Attended | Self::Accepted => {
                None
            }
        }
    }

    /// Whether a lesson of this kind can fulfil it at all.
    pub const fn fits(self, kind: LessonKind) -> bool {
        match self {
            Self::Coverage { .. } => matches!(kind, LessonKind::Video),
            Self::Score { .. } => matches!(kind, LessonKind::Quiz),
            Self::OpenedFor { .. } => matches!(kind, LessonKind::Html | LessonKind::Document),
            Self::Attended => matches!(kind, LessonKind::Live),
            Self::Accepted => matches!(kind, LessonKind::Assignment),
            Self::Opened => true,
        }
    }
}
