//! The engine on real files, generated files and hostile files, read back with the `ffprobe` program.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod academy;
mod child_process;
mod encrypted;
mod hostile_files;
mod jobs;
mod last_part;
mod long_videos;
mod made_sources;
mod oracle;
mod parts;
mod real_sources;
mod sound;
mod stills;
mod uploaded;
