//! Registration, sign-in, passwords, second factors, people and roles through the routers, on a real SQLite file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod academies;
mod addresses;
mod attacks;
mod door;
mod passwords;
mod people;
mod people_names;
mod people_tables;
mod registration_consents;
mod registrations;
mod roles;
mod second_factors;
mod sessions;
mod throttles;
mod wakes;
mod world;
