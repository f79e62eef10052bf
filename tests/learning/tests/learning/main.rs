//! Learners who watch, read and answer, over the functions' own routes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod delivered;
mod marks;
mod openings;
mod positions;
mod quizzes;
mod refusals;
mod remembered;
mod staff;
mod versions;
mod world;
