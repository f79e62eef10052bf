//! The parts of `akademi-bench`.

pub mod academy;
mod baselines;
mod client;
mod courses;
mod haste;
mod load;
pub mod pinning;
mod report;
pub mod routes;
pub mod run;
pub mod server;
mod store;
