//! Who may call what, and what they are answered, as the table of routes and the API document say.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod fuzzing;
mod permissions;
mod world;
