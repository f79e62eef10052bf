//! The built Workers on real workerd with D1, over HTTP.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod academies;
mod client;
mod configuration;
mod lambda_plane;
mod office;
mod pages;
mod platform;
