//! Real files of all kinds through the whole engine, looked at by another program; and the routes on a real PostgreSQL.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod allocations;
mod colors;
mod crops;
mod geometry;
mod hostile;
mod metadata;
mod oracle;
mod real_files;
mod routes;
mod sizes;
mod sources;
