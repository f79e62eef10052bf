//! Learners who play videos, over the function's own routes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod handing_out;
mod playing;
mod world;
