//! Prices, coupons, orders and callbacks through the router, on a real PostgreSQL. A race test stands beside its twin:
//! the same race with the protection taken away, which must then go wrong.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod academy;
mod accounts;
mod answer;
mod asking;
mod audit;
mod books;
mod broken_nights;
mod bundles;
mod callbacks;
mod commerce;
mod end_to_end;
mod expiry;
mod invoice_details;
mod iyzico;
mod iyzico_reports;
mod ledger;
mod nights;
mod nights_at_once;
mod ordering;
mod paytr_callback;
mod ports;
mod reconciliation;
mod refunds;
mod sandbox;
mod seats;
mod sold_elsewhere;
mod uses;
