//! Prices, coupons, orders and callbacks through the router, on a real PostgreSQL. A race test stands beside its twin:
//! the same race with the protection taken away, which must then go wrong.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod academy;
mod answer;
mod audit;
mod bundles;
mod callbacks;
mod commerce;
mod end_to_end;
mod expiry;
mod ledger;
mod ordering;
mod ports;
mod uses;
