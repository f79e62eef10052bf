//! The log as staff reads it, through the router, on a real PostgreSQL.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod export;
mod list;
mod verifying;
mod world;
