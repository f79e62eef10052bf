//! The Lambda Runtime API (2018-06-01, "Using the Lambda runtime API for custom runtimes") as a test's own server, and
//! binaries that take their events from it; beside it [`queue`], which keeps the messages that they send, and [`bucket`], which
//! keeps their files.

mod binary;
pub mod bucket;
pub mod queue;
mod server;

pub use binary::Binary;
pub use server::{InitError, Outcome, RuntimeApi};
