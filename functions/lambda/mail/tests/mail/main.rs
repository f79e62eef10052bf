//! Mail as a real SMTP server gets it, on a real PostgreSQL.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod academy;
mod crossing;
mod isolation;
mod refusals;
mod sending;
mod smtp_server;
mod staff;

use akademi_lambda_store::testing::ports;
