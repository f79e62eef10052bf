//! Passkeys, on both planes of a local deployment.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod attacks;
mod chromium;
mod flow;
mod races;
mod world;
