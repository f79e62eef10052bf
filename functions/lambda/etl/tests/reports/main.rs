//! Runs and dashboards through the router, on a real PostgreSQL; progress comes through `sync`, as the edge tells it. A test of
//! isolation or of a race stands beside its twin: the same with the protection taken away, which must then go wrong.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod academies;
mod audit;
mod dashboards;
mod days;
mod edge;
mod isolation;
mod nightly;
mod requests;
mod statements;
