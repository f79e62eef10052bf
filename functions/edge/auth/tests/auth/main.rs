//! Registration, sign-in, passwords and second factors through the router, on a real SQLite file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod attacks;
mod passwords;
mod registrations;
mod second_factors;
mod sessions;
mod throttles;
mod world;
