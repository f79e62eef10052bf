//! Why an archive is refused.

/// The one reason for which an archive is refused as a whole. The message is for the person who sent it and
/// names the file; nothing of the archive has been kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    #[error("this is not a .tar.gz archive")]
    NotAnArchive,
    #[error("the archive is cut off: its end is missing")]
    Truncated,
    #[error("the archive is damaged: {0}")]
    Damaged(String),
    #[error("{path:?} points outside the archive")]
    UnsafePath { path: String },
    #[error("{path:?} is a {kind}; a course holds files and folders only")]
    NotAFile { path: String, kind: &'static str },
    #[error("{path:?} stands in the archive twice")]
    DuplicateEntry { path: String },
    #[error("the name {start:?}… is longer than {limit} bytes")]
    NameTooLong { start: String, limit: usize },
    #[error("{path:?} is larger than {limit} bytes")]
    FileTooLarge { path: String, limit: u64 },
    #[error("the archive unpacks to more than {limit} bytes")]
    TooLarge { limit: u64 },
    #[error("the archive holds more than {limit} entries")]
    TooManyEntries { limit: usize },
    #[error("the archive unpacks to more than {limit} times its size")]
    CompressionBomb { limit: u64 },
    #[error("the archive holds no course.xml")]
    NoCourse,
    #[error("{needed_by:?} needs {path:?}, which is not in the archive")]
    MissingFile { path: String, needed_by: String },
    #[error("{path:?} is not UTF-8 text")]
    NotUtf8 { path: String },
    #[error("{path:?} is not well-formed XML: {reason}")]
    BadXml { path: String, reason: String },
    #[error("{path:?} declares a document type; entities and DTDs are not accepted")]
    DocumentType { path: String },
    #[error("{path:?} nests its blocks too deeply")]
    TooDeep { path: String },
}

impl ImportError {
    /// A stable name for programs.
    pub const fn slug(&self) -> &'static str {
        match self {
            Self::NotAnArchive => "not-an-archive",
            Self::Truncated => "truncated-archive",
            Self::Damaged(_) => "damaged-archive",
            Self::UnsafePath { .. } => "unsafe-path",
            Self::NotAFile { .. } => "not-a-file",
            Self::DuplicateEntry { .. } => "duplicate-entry",
            Self::NameTooLong { .. } => "name-too-long",
            Self::FileTooLarge { .. } => "file-too-large",
            Self::TooLarge { .. } => "archive-too-large",
            Self::TooManyEntries { .. } => "too-many-entries",
            Self::CompressionBomb { .. } => "compression-bomb",
            Self::NoCourse => "no-course",
            Self::MissingFile { .. } => "missing-file",
            Self::NotUtf8 { .. } => "not-utf-8",
            Self::BadXml { .. } => "bad-xml",
            Self::DocumentType { .. } => "document-type",
            Self::TooDeep { .. } => "too-deep",
        }
    }
}
