//! Carts through the router, on a SQLite file that the feed filled.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod coupons;
mod guests;
mod merging;
mod prices;
mod world;
