//! Reviews, likes and shares through the router, on a SQLite file that the feed filled.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod approvals;
mod clicks;
mod costs;
mod figures;
mod isolation;
mod likes;
mod moderation;
mod races;
mod reviews;
mod shares;
mod world;
