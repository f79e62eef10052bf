//! Courses, videos, shops and academies through a whole deployment, over HTTP only, on a real PostgreSQL and a real folder.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod course_in;
mod deployment;
mod mailbox;
mod player;
mod sold_elsewhere;
mod storage;
mod tenants;
mod upload_in;
