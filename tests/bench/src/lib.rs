//! The parts of `akademi-bench`.

pub mod academy;
mod baselines;
mod client;
mod courses;
mod engines;
pub mod feed;
mod haste;
pub mod hosts;
mod load;
pub mod orders;
pub mod pinning;
mod processes;
mod report;
pub mod routes;
pub mod run;
pub mod server;
mod store;
mod table;
pub mod trust;
