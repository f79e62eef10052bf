//! The cases, by subject. Each is a function over the port that says what it saw if it was not what it should be.

pub mod abandoned;
pub mod batches;
pub mod busy;
pub mod errors;
pub mod guard;
pub mod limits;
pub mod races;
pub mod reads;
pub mod search;
pub mod values;
