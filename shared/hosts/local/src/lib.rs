//! Both planes in one process: the edge on a SQLite file, the Lambda plane on a private PostgreSQL, joined by the
//! same signed calls and the same feed as in production, only without a network between them.
//!
//! [`Local::start`](crate::local::Local::start) is what `cargo xtask dev` and the tests run.

pub mod api_client;
mod byte_range;
mod compression;
pub mod course_import;
pub mod demo;
pub mod http_client;
pub mod lambda_plane;
pub mod local;
pub mod mailbox;
pub mod newcomers;
pub mod payment_sandbox;
pub mod ports;
mod rate_limit;
pub mod storage;
pub mod workers;

pub use akademi_process::{secrets, server};
