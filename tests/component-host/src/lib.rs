//! A small host for Spin components: runs what a `spin.toml` declares, as Spin 4.1 does, for tests.
//!
//! The `spin` program is in no package registry, so the tests run the very components that are deployed on this
//! host instead. It is [wasmtime] with the WASI 0.2 and 0.3 interfaces, `spin:sqlite@3.1.0` on SQLite files and
//! `spin:variables@3.0.0`.
//!
//! ```no_run
//! # async fn example() -> Result<(), akademi_component_host::StartError> {
//! use akademi_component_host::{Options, serve};
//! let mut options = Options::default();
//! options.variables.insert("origin".into(), "http://127.0.0.1:4000".into());
//! options.sqlite.insert("default".into(), "edge.db".into());
//! let running = serve("spin.toml".as_ref(), options).await?;
//! println!("http://{}", running.addr);
//! running.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! The program `component-host --manifest spin.toml --variable k=v --sqlite default=edge.db` does the same.
//!
//! # What it does as Spin does
//! - Routes: the best match of exact, `:param` and `/...`, and the `spin-…` request headers. These are appended:
//!   a client's own `spin-client-addr` comes first, Spin's last.
//! - The request's Host becomes the authority of the guest's URI. WASI HTTP has no Host header.
//! - Instances: by default 16 requests at once and 128 in the life of one, gone after an idle second. A trap ends
//!   its instance, and with it all requests that run there, with an empty 500; the next requests get new ones.
//! - An outbound host, a database or a variable that the manifest does not grant to a component is refused; a
//!   required variable without a value keeps the application from starting.
//! - SQLite: see [`sqlite`](crate::Options::sqlite); four rows ahead of the reader, 128 MiB in one result, 256
//!   connections an instance, errors of a statement at the end of its rows.
//!
//! - Private networks: where the runtime configuration blocks them, no component gets there, by whichever name.
//!
//! # Where it is stricter
//! A manifest key, a value or a database file that nothing declares is an error. A host that only a wildcard
//! allows may not lie in a private network. Bodies are bounded, and streamed in both directions.
//!
//! # What it can do beside that
//! Databases fail, take time, or end an instance, as [`Faults`] says while the application runs.
//!
//! # What it leaves out
//! Triggers other than HTTP, requests of an application to itself, files, key-value stores, TLS and HTTP/2. A
//! guest that computes without end holds one thread of the runtime.

mod bindings;
mod code;
mod faults;
mod host;
mod instance;
mod log;
mod manifest;
mod outbound;
mod routes;
mod runtime_config;
mod server;
mod spin;
mod sqlite;
mod variables;

pub use faults::{Fault, Faults};
pub use host::{Host, Instances, Limits, Options, Running, StartError};
pub use log::{Line, Log, Source};
pub use manifest::{
    Application, Build, Command, Component, HttpTrigger, ManifestError, SpinManifest, Triggers, Variable,
};
pub use outbound::{AllowedHost, AllowedHostError};
pub use runtime_config::{
    BlockedNetwork, OutboundNetworking, RuntimeConfig, RuntimeConfigError, SqliteDatabase,
};
pub use spin::serve;
pub use variables::VariableError;
