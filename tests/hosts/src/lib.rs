//! The edge on each of its engines, and what tests put on it: two academies that are alike in everything but their words,
//! and learners of each.
//!
//! What an engine runs must have been built: `cargo xtask build --host spin`, `cargo xtask build --host worker`.

pub mod academies;
pub mod engine;
pub mod insistent;
pub mod learners;

pub use academies::{Academies, Academy};
pub use engine::{Engine, RunningEdge};
pub use learners::Learner;
