//! What an import made, as its job keeps it.

use akademi_domain::{
    course::ModuleOutline,
    ids::{AssetId, CourseId, JobId},
};
use akademi_olx::{Counts, Report};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The longest report that is kept, in bytes of JSON: a job is answered in one piece of at most 4 MB.
const MAX_REPORT_BYTES: usize = 3_500_000;

/// What an import made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ImportResult {
    /// The new draft.
    pub course: CourseId,
    pub made: ImportCounts,
    /// By kind of block: what became of them. The sums are what the archive holds.
    pub blocks: BTreeMap<String, Counts>,
    /// The jobs that make the videos of the archive playable.
    pub transcodes: Vec<StartedTranscode>,
    /// Every block and every file; absent if that is too long to be kept.
    pub report: Option<Report>,
}

/// What the draft has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ImportCounts {
    pub modules: usize,
    pub sections: usize,
    pub lessons: usize,
    /// Files: images, documents, videos, subtitles.
    pub assets: usize,
    /// Blocks that are kept as they were and that no lesson shows.
    pub raw_blocks: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct StartedTranscode {
    pub asset: AssetId,
    pub job: JobId,
}

impl ImportCounts {
    pub fn new(structure: &[ModuleOutline], assets: usize, raw_blocks: usize) -> Self {
        let sections = || structure.iter().flat_map(|module| &module.sections);
        Self {
            modules: structure.len(),
            sections: sections().count(),
            lessons: sections().map(|section| section.lessons.len()).sum(),
            assets,
            raw_blocks,
        }
    }
}

impl ImportResult {
    /// # Errors
    /// When the report does not serialise.
    pub fn new(
        course: CourseId,
        made: ImportCounts,
        transcodes: Vec<StartedTranscode>,
        report: Report,
    ) -> Result<Self, serde_json::Error> {
        let blocks = report.counts().into_iter().map(|(kind, counts)| (kind.to_owned(), counts)).collect();
        let fits = serde_json::to_vec(&report)?.len() <= MAX_REPORT_BYTES;
        Ok(Self { course, made, blocks, transcodes, report: fits.then_some(report) })
    }
}
