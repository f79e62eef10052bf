//! The contract on each engine. On rusqlite each case is a test; the Wasm engines take seconds to start, so one
//! test asks all cases of each. The totals are printed per adapter.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod engine;
mod fixture;
mod native;
mod spin;
mod workerd;
