//! The router on a real PostgreSQL, called as `origin` calls it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod academy;
mod content;
mod courses;
mod openapi;
mod publishing;
mod real_course;
mod refusals;
