//! What one file may cost.

use serde::{Deserialize, Serialize};

/// What one file may be, and what transcoding it may use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Time on the wall, in milliseconds, from the start of the child process to its end.
    pub wall_ms: u64,
    /// Processor time of all threads, in seconds (RLIMIT_CPU).
    pub cpu_seconds: u64,
    /// Address space, in bytes (RLIMIT_AS); code, libraries and thread stacks count.
    pub memory_bytes: u64,
    /// Sum of the files that are written, in bytes.
    pub output_bytes: u64,
    /// Length of the source, in milliseconds.
    pub duration_ms: u64,
    /// Width and height of the source's pictures, in pixels, whichever is larger.
    pub side_pixels: u32,
    /// Width times height of the source's pictures.
    pub picture_pixels: u64,
    /// Threads of the decoder and of each encoder.
    pub threads: u16,
}

impl Default for Limits {
    /// Four hours of at most DCI 4K, within the fifteen minutes that a Lambda function may run.
    fn default() -> Self {
        Self {
            wall_ms: 14 * 60 * 1000,
            cpu_seconds: 6 * 14 * 60,
            memory_bytes: 3 << 30,
            output_bytes: 8 << 30,
            duration_ms: 4 * 60 * 60 * 1000,
            side_pixels: 4096,
            picture_pixels: 4096 * 2304,
            threads: 2,
        }
    }
}
