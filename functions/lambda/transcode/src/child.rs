//! Transcoding in a process of its own, so that a hostile file harms nothing but that process.
//!
//! The function executes its own program again with the argument `--transcode-child`. The child's standard input is a
//! socket: the parent writes one line of JSON to it and then keeps it open, and when it closes, the parent is gone and the
//! child ends. A video in object storage is read over the same socket, range by range: the child itself can reach nothing.
//! The child writes lines of JSON to its standard output: progress, and at last a result or the error. What FFmpeg or a
//! library logs goes to standard error.
//!
//! The child has no environment (so no secret of the function) and is held by the kernel to its address space,
//! processor time and file size; the parent holds it to time on the wall, makes the plan itself of what the child says of
//! the video, and checks what it claims to have written.

mod claims;
mod entry;
mod supervisor;

use akademi_lambda_store::uploads::StoredFile;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

use crate::{Limits, Made, Plan, Probe, Progress, Task, TranscodeError};

pub use entry::main_if_child;

/// A child that is to be started for one video.
#[derive(Debug, Clone)]
pub struct Child {
    /// The program to execute: one whose `main` begins with [`main_if_child`]. None is this very program.
    pub program: Option<PathBuf>,
    pub video: Video,
    pub limits: Limits,
}

/// A video that somebody uploaded.
#[derive(Debug, Clone)]
pub enum Video {
    /// A file of this machine.
    File(PathBuf),
    /// A file in object storage.
    Stored(StoredFile),
}

/// What a video is, and what is to be made of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    pub plan: Plan,
    /// When the pictures end, in milliseconds, as the container states it; within the limit.
    pub end_ms: Option<u64>,
}

/// The first argument of a child process.
const MARKER: &str = "--transcode-child";

/// The line that the child reads.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    video: Reading,
    limits: Limits,
    work: Work,
}

/// How the child reads the video.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Reading {
    File(PathBuf),
    /// Over its standard input, of so many bytes.
    Ranges(u64),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Work {
    Survey,
    Make { task: Task, output: PathBuf },
}

/// A line that the child writes.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Report {
    Progress(Progress),
    Surveyed {
        probe: Probe,
        /// When the pictures end, as the container states it.
        end_ms: Option<u64>,
    },
    Made(Made),
    Failed(TranscodeError),
}
