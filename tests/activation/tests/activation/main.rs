//! Activation codes on a real SQLite file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod batches;
mod guesses;
mod races;
mod redemptions;
mod store;
mod world;
