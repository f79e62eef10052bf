//! The adapters of providers against the sandbox, over HTTP.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod iyzico_sandbox;
mod paytr_sandbox;
mod shop;
