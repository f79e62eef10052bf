//! The routes as `origin` calls them.

mod crash;
mod making;
mod refusals;
mod serving;
mod sharing;
mod world;
