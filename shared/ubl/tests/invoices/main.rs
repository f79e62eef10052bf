//! Documents of invoices against the rules of UBL-TR.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod golden;
mod properties;
mod reader;
mod refusals;
mod rules;
mod samples;
