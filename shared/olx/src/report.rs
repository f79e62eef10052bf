//! What became of every block and every file of an archive.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The whole account of an import: each block of the course once, each file of the archive once.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ImportReport)]
pub struct Report {
    /// In the order of the course; blocks that nothing points to come last.
    pub blocks: Vec<BlockEntry>,
    /// By path.
    pub files: Vec<FileEntry>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ImportReportBlock)]
pub struct BlockEntry {
    /// Names the block in this archive and in every later export of the same course: `html/bc9000c4…`.
    pub source_key: String,
    /// The name of the OLX element: `chapter`, `html`, `problem`, `poll`…
    pub kind: String,
    pub title: Option<String>,
    pub outcome: BlockOutcome,
    /// What of an imported block was left out or changed, for a person.
    pub notes: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
#[schema(as = ImportReportBlockOutcome)]
pub enum BlockOutcome {
    Imported {
        became: Became,
    },
    /// Its OLX is kept, but no lesson shows it.
    KeptRaw {
        reason: String,
    },
    Skipped {
        reason: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Became {
    Course,
    Module,
    Section,
    /// A vertical: its blocks are lessons, its title is in theirs.
    LessonGroup,
    HtmlLesson,
    VideoLesson,
    QuizLesson,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ImportReportFile)]
pub struct FileEntry {
    /// Below the folder of `course.xml`.
    pub path: String,
    pub outcome: FileOutcome,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
#[schema(as = ImportReportFileOutcome)]
pub enum FileOutcome {
    /// Blocks were read from it.
    Source,
    /// It is an asset of the course.
    Asset,
    /// It is an asset and a document lesson.
    Document,
    /// The asset `asset` was made from it.
    Converted {
        asset: String,
    },
    Skipped {
        reason: String,
    },
}

/// How many blocks of one kind met which fate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ImportReportCounts)]
pub struct Counts {
    pub imported: u32,
    pub kept_raw: u32,
    pub skipped: u32,
}

impl Counts {
    pub const fn total(self) -> u32 {
        self.imported + self.kept_raw + self.skipped
    }
}

impl Report {
    /// The counts by kind of block.
    pub fn counts(&self) -> BTreeMap<&str, Counts> {
        let mut counts: BTreeMap<&str, Counts> = BTreeMap::new();
        for block in &self.blocks {
            let counts = counts.entry(&block.kind).or_default();
            match block.outcome {
                BlockOutcome::Imported { .. } => counts.imported += 1,
                BlockOutcome::KeptRaw { .. } => counts.kept_raw += 1,
                BlockOutcome::Skipped { .. } => counts.skipped += 1,
            }
        }
        counts
    }
}
