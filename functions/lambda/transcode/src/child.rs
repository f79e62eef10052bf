//! Transcoding in a process of its own, so that a hostile file harms nothing but that process.
//!
//! The function executes its own program again with the argument `--transcode-child`. The parent writes one line of
//! JSON to the child's standard input and then keeps it open: when it closes, the parent is gone, and the child
//! ends. The child writes lines of JSON to its standard output: progress, and at last the manifest or the error.
//! What FFmpeg or a library logs goes to standard error.
//!
//! The child has no environment (so no secret of the function) and is held by the kernel to its address space,
//! processor time and file size; the parent holds it to time on the wall and checks what it claims to have written.

mod entry;
mod supervisor;

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

use crate::{Limits, Manifest, Progress, TranscodeError};

pub use entry::main_if_child;
pub use supervisor::run;

/// What the parent asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// The program to execute: one whose `main` begins with [`main_if_child`]. None is this very program.
    pub program: Option<PathBuf>,
    /// The video file.
    pub source: PathBuf,
    /// The folder for the result: absent or empty before, empty again after an error.
    pub output: PathBuf,
}

/// The first argument of a child process.
const MARKER: &str = "--transcode-child";

/// The line that the child reads.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    source: PathBuf,
    output: PathBuf,
    limits: Limits,
}

/// A line that the child writes.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Report {
    Progress(Progress),
    Done(Manifest),
    Failed(TranscodeError),
}
