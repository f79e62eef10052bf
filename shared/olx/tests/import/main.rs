//! Imports of whole archives.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod archives;
mod blocks;
mod hostile;
mod problems;
mod real_course;
mod real_quizzes;
