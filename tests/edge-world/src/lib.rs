//! What tests of edge functions stand on: a store in a folder, a clock that they move, what is logged, and stores in which
//! requests meet.
// Tests alone use it: where it cannot go on, they have failed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod clock;
mod log;
mod racing;
mod store;
mod watched;

pub use clock::MovedClock;
pub use log::Kept;
pub use racing::Meeting;
pub use store::{Store, contains};
pub use watched::Watched;
