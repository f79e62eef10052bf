//! Signing in elsewhere, on both planes of a local deployment.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod attacks;
mod browser;
mod configuration;
mod deletion;
mod edevlet;
mod facebook;
mod flow;
mod liar;
mod openid;
mod plane;
mod races;
mod tokens;
mod world;
