//! Invoices of orders on a real PostgreSQL, from the request to the integrator. A race test stands beside its twin: the same
//! race with the protection taken away, which must then go wrong.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod academy;
mod buyers;
mod delivering;
mod exchange_rates;
mod integrator;
mod isolation;
mod issuing;
mod notices;
mod own;
#[allow(dead_code, reason = "the tests of documents read more of them than those of issuing")]
#[path = "../../../../../shared/ubl/tests/invoices/reader.rs"]
mod reader;
mod returns;
mod staff;

use akademi_lambda_store::testing::ports;
