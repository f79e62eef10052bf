//! The binaries as Lambda runs them: processes that take events from a Runtime API, on a PostgreSQL of their own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod api_gateway;
mod batches;
mod events;
mod http_api;
mod links;
mod mails;
mod objects;
mod orders;
mod schedules;
mod starting;
mod storage;
mod uploads;
mod world;
