//! What a lesson is and holds.

use serde::{Deserialize, Serialize};

use super::{Html, Language, YoutubeId};
use crate::{ids::AssetId, quiz::Quiz, time::Timestamp};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LessonKind {
    Video,
    Html,
    Document,
    Quiz,
    Live,
    Assignment,
}

impl LessonKind {
    pub const ALL: [Self; 6] =
        [Self::Video, Self::Html, Self::Document, Self::Quiz, Self::Live, Self::Assignment];

    /// As JSON writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Video => "video",
            Self::Html => "html",
            Self::Document => "document",
            Self::Quiz => "quiz",
            Self::Live => "live",
            Self::Assignment => "assignment",
        }
    }
}

/// What somebody enrolled gets of a lesson.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum LessonBody {
    Video {
        source: VideoSource,
        /// Where in the video the lesson begins, in seconds; absent for its start.
        start_seconds: Option<u32>,
        /// Where it ends, in seconds; absent for the video's end.
        end_seconds: Option<u32>,
        subtitles: Vec<Subtitles>,
        /// Whether seconds count only where they were handed to the learner's session; of a file of the academy.
        #[serde(default, skip_serializing_if = "is_false")]
        delivery_bound: bool,
    },
    Html {
        html: Html,
    },
    Document {
        asset: AssetId,
        /// The name under which it is saved.
        file_name: String,
        /// Its media type (RFC 6838), as found from its content.
        content_type: String,
    },
    Quiz {
        quiz: Quiz,
    },
    /// A class that meets at a time.
    Live {
        description: Html,
        starts_at: Timestamp,
        /// At most [`LessonBody::MAX_LIVE_MINUTES`].
        #[schema(minimum = 1, maximum = 1440)]
        duration_minutes: u32,
        /// So many may take part; absent without a limit.
        #[schema(minimum = 1)]
        seats: Option<u32>,
    },
    /// Work that learners hand in and staff accepts.
    Assignment {
        instructions: Html,
        /// Until when it is handed in; absent for any time.
        due_at: Option<Timestamp>,
        /// At most [`LessonBody::MAX_POINTS`].
        #[schema(minimum = 1, maximum = 10_000)]
        max_points: u32,
        submission: SubmissionForm,
    },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

impl LessonBody {
    /// The longest live class, in minutes: a day.
    pub const MAX_LIVE_MINUTES: u32 = 24 * 60;
    /// Most points of an assignment.
    pub const MAX_POINTS: u32 = 10_000;

    pub const fn kind(&self) -> LessonKind {
        match self {
            Self::Video { .. } => LessonKind::Video,
            Self::Html { .. } => LessonKind::Html,
            Self::Document { .. } => LessonKind::Document,
            Self::Quiz { .. } => LessonKind::Quiz,
            Self::Live { .. } => LessonKind::Live,
            Self::Assignment { .. } => LessonKind::Assignment,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "from", rename_all = "snake_case", deny_unknown_fields)]
pub enum VideoSource {
    /// A file of the academy, or what was transcoded from it.
    Asset {
        asset: AssetId,
    },
    Youtube {
        id: YoutubeId,
    },
}

/// Subtitles of a video as a WebVTT file of the academy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Subtitles {
    pub language: Language,
    pub asset: AssetId,
}

/// What of an assignment is handed in: a text, files, or both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubmissionForm {
    pub text: bool,
    /// Absent where no file is taken.
    pub files: Option<SubmittedFiles>,
}

/// Which files an assignment takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubmittedFiles {
    /// So many at most; no more than [`SubmittedFiles::MAX`].
    #[schema(minimum = 1, maximum = 20)]
    pub at_most: u32,
    /// The media types that they may have (RFC 6838), each once: those of [`crate::upload::FileKind::Document`] or
    /// [`crate::upload::FileKind::Image`].
    pub content_types: Vec<String>,
}

impl SubmittedFiles {
    /// Most files of one submission.
    pub const MAX: u32 = 20;
}
