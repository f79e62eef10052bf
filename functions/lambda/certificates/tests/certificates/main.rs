//! Certificates as other programs see them: poppler's tools, a QR decoder, HTTP clients on a real PostgreSQL.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod academy;
mod audit;
mod isolation;
mod issuing;
mod listing;
mod logo;
mod page;
mod pdf;
mod printing;
mod revoking;

use akademi_lambda_store::testing::ports;
