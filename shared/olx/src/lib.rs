//! Import of a course in OLX, the export format of Open edX Studio (a `.tar.gz` of XML files).
//!
//! [`import`] is pure: bytes in, a course or one [`ImportError`] out, the same for the same archive. It makes
//! no ids and stores nothing. Each part carries its `source_key` (`problem/3e5a945f…`), which every later
//! export of the same course repeats.
//!
//! # What becomes what
//! | OLX | here |
//! | --- | --- |
//! | `chapter`, `sequential` | module, section |
//! | `vertical` | nothing of its own: each of its blocks is a lesson of the section, in order; the lesson's title is `Vertical: Block`, or the vertical's alone where the block has none or the same |
//! | `html` | HTML lesson, sanitised; its links and images are written as [`Reference`]s |
//! | `video` | video lesson: a YouTube id, or the static file that a source URL names |
//! | `problem` with answers that can be compared | quiz lesson and its answer key; see [`akademi_domain::quiz`] |
//! | a PDF that a block refers to | document lesson after the first lesson that does |
//! | SubRip subtitles | a WebVTT asset |
//! | `library_content`, `conditional`, … | their blocks are lessons; the choice among them is kept raw |
//! | every other block | kept raw: its OLX is in [`Imported::raw`] |
//! | other static files | assets, save pages, scripts and style sheets, which are not served |
//! | policies, drafts, tabs, updates | skipped |
//!
//! An HTML block of nothing but scripts and styles is a lesson as well, with [`Lesson::is_empty`] set: the
//! author decides whether it stays. The [`Report`] has each block and each file exactly once.
//!
//! # Serving the assets
//! The content type of an [`Asset`] comes from its content. SVG is among them and may hold scripts: serve
//! assets with `X-Content-Type-Options: nosniff` and `Content-Security-Policy: sandbox`.

mod archive;
mod assemble;
mod content_type;
mod error;
mod html;
mod problem;
mod report;
mod statics;
mod structure;
mod subtitles;
mod video;
mod xml;

use std::{collections::BTreeMap, io::Read};

use akademi_domain::{
    course::{Html, Language, LessonKind, Title, YoutubeId},
    quiz::{AnswerKey, Quiz},
};

pub use archive::Limits;
pub use content_type::content_type_of;
pub use error::ImportError;
pub use html::{InvalidHtml, Reference, resolve, sanitise};
pub use report::{Became, BlockEntry, BlockOutcome, Counts, FileEntry, FileOutcome, Report};
pub use subtitles::{NoCues, webvtt_from_srt};

/// A course as its archive has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    pub source_key: String,
    pub title: Title,
    pub language: Option<Language>,
    /// One or two sentences of plain text.
    pub summary: Option<String>,
    /// The page about the course; may be empty.
    pub description: Html,
    pub modules: Vec<Module>,
    /// By path, each path once.
    pub assets: Vec<Asset>,
    /// Blocks that no lesson shows.
    pub raw: Vec<RawBlock>,
    /// The `source_key` of the lesson that a [`Reference::Block`] leads to: the block itself, or the first
    /// lesson of a vertical, sequential or chapter. Blocks without a lesson are not in it.
    pub links: BTreeMap<String, String>,
    pub report: Report,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Module {
    pub source_key: String,
    pub title: Title,
    pub sections: Vec<Section>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    pub source_key: String,
    pub title: Title,
    pub lessons: Vec<Lesson>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Lesson {
    /// Of a document: `static/` and its path.
    pub source_key: String,
    pub title: Title,
    pub content: Content,
}

impl Lesson {
    /// An HTML lesson in which sanitising left nothing to see.
    pub const fn is_empty(&self) -> bool {
        matches!(&self.content, Content::Html(html) if html.is_empty())
    }
}

#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    Html(Html),
    Video(Video),
    /// The path of an asset.
    Document(String),
    Quiz {
        quiz: Quiz,
        key: AnswerKey,
    },
}

impl Content {
    pub const fn kind(&self) -> LessonKind {
        match self {
            Self::Html(_) => LessonKind::Html,
            Self::Video(_) => LessonKind::Video,
            Self::Document(_) => LessonKind::Document,
            Self::Quiz { .. } => LessonKind::Quiz,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Video {
    pub source: VideoSource,
    /// Where in the video the lesson begins, in seconds.
    pub start_seconds: Option<u32>,
    /// Where it ends, in seconds.
    pub end_seconds: Option<u32>,
    /// By language.
    pub subtitles: Vec<Subtitles>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VideoSource {
    Youtube(YoutubeId),
    /// The path of an asset.
    Asset(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subtitles {
    pub language: Language,
    /// The path of an asset that holds WebVTT.
    pub asset: String,
}

/// A file of the course.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    /// Below the archive's folder `static`; unique, never absolute, without `..`.
    pub path: String,
    /// Its media type (RFC 6838), by its content.
    pub content_type: &'static str,
    pub bytes: Vec<u8>,
}

/// A block as the archive had it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawBlock {
    pub source_key: String,
    pub kind: String,
    pub title: Option<String>,
    /// One XML element.
    pub olx: String,
}

/// Reads a `.tar.gz` of OLX. Takes memory for the unpacked archive ([`Limits::unpacked_bytes`]) and little more.
pub fn import(reader: impl Read, limits: &Limits) -> Result<Imported, ImportError> {
    assemble::course(archive::Archive::read(reader, limits)?)
}
