//! Personal data in a whole deployment: both planes on this machine, a real SQLite file and a real PostgreSQL.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod consents;
mod deletion;
mod dump;
mod erasure;
mod exports;
mod restores;
mod retention;
mod world;
