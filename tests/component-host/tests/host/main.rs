//! The component host, seen through a component that does what the tests ask for (`fixture`).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod application;
mod http;
mod instances;
mod outbound;
mod sqlite;
mod start;
