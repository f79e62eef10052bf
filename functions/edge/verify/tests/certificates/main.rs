//! Certificates through the router, on a SQLite file that the feed filled.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod check;
mod own;
mod page;
mod read_copy;
mod setup;
