//! The Workers of the table of functions, built and run on workerd, the engine of Cloudflare Workers, for tests.
//!
//! ```no_run
//! # fn main() -> anyhow::Result<()> {
//! use akademi_worker_host::{Options, WorkerHost, build};
//! build()?;
//! let host = WorkerHost::prepare(Options::default())?;
//! host.seed("INSERT INTO domain …")?;
//! let running = host.start()?;
//! println!("{}", running.base_url());
//! # Ok(())
//! # }
//! ```
//!
//! - [`build`] compiles each Worker's crate, writes its JavaScript with wasm-bindgen (linked as a library, so that its
//!   version is the one in `Cargo.lock`), optimises it with wasm-opt, and puts all into `build/worker`.
//!   What did not change is not built again. The program `build-worker` does the same.
//!   [`bundle`] makes a Worker of another crate's module, for [`Options::worker`].
//! - [`WorkerHost`] makes a D1 database with `wrangler d1 migrations apply` and serves it as `wrangler dev --local` does,
//!   with wrangler's reading of the configurations and its miniflare, all Workers on one workerd: no account, no network,
//!   nothing outside its own folder. The second workerd that `wrangler dev` puts in front is left out: it takes HTTP as
//!   Cloudflare does not, and loses a request now and then.
//! - The JavaScript tools (wrangler with workerd, binaryen, and a Node new enough for them) are those of
//!   `package-lock.json`. They are installed once, by `npm ci` without install scripts, into `npm` of the folder
//!   that `AKADEMI_TOOLS` names, or else into `target/tools`.
//!
//! # What differs from Cloudflare
//! There is one isolate of each Worker, no limit on CPU time or memory applies, and `cf-connecting-ip` is what the
//! client sends, where Cloudflare puts its own value. A request's Host header is the academy's host, as it is there.

mod build;
mod component;
mod config;
mod database;
mod host;
mod pages;
mod process;
mod tools;

pub use build::{Built, build, bundle};
pub use component::optimise_component;
pub use host::{Options, Running, WorkerHost};
pub use pages::{bundled_player, player};
pub use process::{Group, Output};
pub use tools::Tools;

use std::path::{Path, PathBuf};

/// The workspace's folder.
fn workspace() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}
