//! The Lambda Runtime API (2018-06-01, "Using the Lambda runtime API for custom runtimes") as a test's own server, and
//! binaries that take their events from it; beside it [`gateway`], which puts them behind a port, [`queue`], which keeps the
//! messages that they send, and [`bucket`], which keeps their files.

mod binary;
pub mod bucket;
pub mod gateway;
pub mod queue;
mod server;

pub use binary::Binary;
pub use server::{InitError, Outcome, RuntimeApi};
