//! The router on a real PostgreSQL, called as `origin` calls it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod academy;
mod attaching;
mod audit;
mod clamd;
mod content;
mod courses;
mod hostile_imports;
mod import_world;
mod imports;
mod interrupted_imports;
mod kinds;
mod media;
mod pictures;
mod publishing;
mod real_course;
mod refusals;
mod rules;
mod scanning;
mod storage_use;
mod uploads;
mod versions;
mod video_settings;
