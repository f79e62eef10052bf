//! The HTTP vocabulary that every function speaks, on either plane and on every host.
//!
//! A function is an [`axum::Router`] behind a [`gate::Gate`]: the gate finds the route's row in the table of
//! functions, resolves the academy, checks who is asking, logs one line and gives errors their form. Handlers
//! take [`caller::Caller`], [`caller::Academy`] and [`body::Body`] and answer `Result<_, Problem>`.

pub mod answers;
pub mod authorization;
pub mod body;
pub mod caller;
pub mod compression;
pub mod conditional;
pub mod config;
mod cors;
pub mod federation;
pub mod gate;
pub mod host_name;
pub mod idempotency;
pub mod keys;
pub mod links;
pub mod openapi;
pub mod paging;
pub mod passkey;
pub mod plane_client;
pub mod ports;
pub mod problem;
pub mod public_url;
pub mod quote;
pub mod rate_limit;
mod security_headers;
pub mod signed;
pub mod token;

pub use body::{Body, PathParam, QueryParams};
pub use caller::{Academy, Caller};
pub use gate::Gate;
pub use ports::Ports;
pub use problem::Problem;
