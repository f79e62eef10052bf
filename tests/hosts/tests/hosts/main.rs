//! What every engine of the edge withstands: two academies' learners at once, traps, stores and planes that are down, bad
//! input, a suspension.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod asks;
mod bodies;
mod devices;
mod hosts_named;
mod isolation;
mod lambda_down;
mod private_networks;
mod raw;
mod store_down;
mod storm;
mod suspension;
mod traps;
mod variables;
