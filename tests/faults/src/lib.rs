//! The proof for money: seeded random histories of many learners, run through the real functions on a real PostgreSQL and
//! a real SQLite, with crashes and losses at every step, and then the books are checked.
//!
//! # A history
//! Learners have baskets quoted at the edge and order them, repeat their requests, pay, decline or leave, at PayTR, at iyzico,
//! or at whichever of both takes orders then; the providers notify late, twice and out of order, others forge; iyzico looks at
//! some payments for fraud, and tells what it found or does not; orders expire; staff gives money back, and what came too late
//! or twice goes back by itself; the providers are asked what became of payments, and their reports are held against the books;
//! `sync` carries the feed. When nothing more is to begin, all faults end, everything comes to its end, and what must hold is
//! looked at.
//!
//! # Steps
//! One thread runs everything, and exactly one task goes on at a time: each waits before a statement of PostgreSQL
//! (between driver and server stands a proxy, so that nothing of the code under test knows of it), before a batch of SQLite
//! (the port `Database`) and before a call (the port `HttpClient`). The seed says who goes on and what goes wrong. A
//! statement that waits for a lock is told by the server itself, and then whoever holds the lock goes on; so nothing depends
//! on how fast anything is, and a seed gives the same history again, step by step.
//!
//! # Faults
//! A step can be cut off before or after it is done, for whoever asks (a lost connection, a lost reply) or together with
//! whoever asks (a crash, which leaves nothing but what is durable); a call can also arrive twice, or late; and anybody may
//! fall behind for a while, in the midst of a transaction too.
//!
//! # Real processes
//! [`kill_at_random`] has the same functions run as processes that share no clock and no scheduler, kills them and cuts their
//! connections to PostgreSQL at random moments, and looks at the same books.
// Tests alone use it: where it cannot go on, they have failed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod academy;
mod edge;
mod gate;
mod ground;
mod history;
mod invariants;
mod killing;
mod network;
mod ports;
mod prepared;
pub mod processes;
mod processor;
mod protection;
mod providers;
mod proxy;
mod random;
mod runs;
mod wire;
mod world;

pub use history::Report;
pub use invariants::Outcomes;
pub use killing::{Survived, kill_at_random};
pub use protection::{Part, Protection};
pub use providers::Provider;
pub use runs::{Totals, histories, history};
