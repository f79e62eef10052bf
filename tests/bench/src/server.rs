//! The server that is measured: the edge functions as the local host runs them, and the baselines, on one core.

use akademi_api::{
    Ports,
    config::Config,
    ports::{HttpClient, Unreachable},
    token::TokenVerifier,
};
use akademi_domain::time::Timestamp;
use akademi_edge_store::{Edge, rusqlite::SqliteFile};
use akademi_process::{
    ports::{WriteLog, ports},
    secrets::{self, Variables},
    server::Server,
};
use anyhow::Context;
use axum::Router;
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};
use std::{
    ffi::OsString,
    fs::File,
    io::{BufRead, BufReader, Read, Write},
    net::Ipv4Addr,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::Arc,
};

use crate::{
    baselines,
    haste::hasten,
    load::Target,
    pinning::{Cores, Side},
};

/// What the server is told.
#[derive(clap::Args)]
pub struct Options {
    /// The academy's folder
    #[arg(long)]
    data: PathBuf,
    /// When the academy's faster clock started, in milliseconds since 1970; without it, time is everybody's
    #[arg(long)]
    clock_start: Option<i64>,
}

/// The measured functions call nobody.
struct Nobody;

impl HttpClient for Nobody {
    fn send(&self, _: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, Unreachable>> {
        Box::pin(async { Err(Unreachable("there is no other plane".into())) })
    }
}

/// The edge store in `folder` and its functions.
///
/// # Errors
/// When the store cannot be opened or a variable is missing.
pub fn edge(folder: &Path, ports: Ports, variables: &Variables) -> anyhow::Result<(Edge, Router)> {
    let database = SqliteFile::open(&folder.join("edge.sqlite")).context("opening the edge store")?;
    let edge = Edge { ports, database: Arc::new(database) };
    let lookup = |name: &str| variables.get(name).cloned();
    let nobody: Arc<dyn HttpClient> = Arc::new(Nobody);
    let functions = akademi_edge_functions::all(&edge, &nobody, &Config::new(&lookup))?;
    Ok((edge, functions))
}

/// Serves until the standard input ends; the first line of the standard output is the address.
///
/// # Errors
/// When the folder does not hold an academy or no port is free.
pub async fn serve(options: &Options) -> anyhow::Result<()> {
    let log = File::create(options.data.join("akademi.log"))?;
    let ports = ports(Arc::new(WriteLog::new(log)));
    let ports = match options.clock_start {
        Some(start) => hasten(ports, Timestamp::from_millis(start)),
        None => ports,
    };
    let variables = secrets::load_or_create(&options.data)?;
    let lookup = |name: &str| variables.get(name).cloned();
    let tokens =
        Config::new(&lookup).read(akademi_functions::TOKEN_PUBLIC_KEYS, TokenVerifier::from_config)?;
    let baselines = baselines::router(&options.data, &ports, tokens)?;
    let (_, functions) = edge(&options.data, ports, &variables)?;
    serve_router(functions.merge(baselines)).await
}

/// Serves a function that does nothing, in the same way.
///
/// # Errors
/// When no port is free.
pub async fn serve_empty() -> anyhow::Result<()> {
    serve_router(akademi_bench_empty::router()).await
}

async fn serve_router(router: Router) -> anyhow::Result<()> {
    let server = Server::start(router, (Ipv4Addr::LOCALHOST, 0).into()).await?;
    println!("{}", server.address);
    std::io::stdout().flush()?;
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    server.stop().await;
    Ok(())
}

/// A server in a process of its own.
pub struct Running {
    pub target: Target,
    process: Child,
    /// The server ends when this does, also if this process is killed.
    stdin: Option<ChildStdin>,
}

impl Running {
    /// Starts this program again as the server of the academy in `folder`, whose clock is faster since `clock_start`.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(folder: &Path, clock_start: Option<Timestamp>, cores: &Cores) -> anyhow::Result<Self> {
        let mut arguments = vec!["serve".into(), "--data".into(), folder.as_os_str().to_owned()];
        if let Some(start) = clock_start {
            arguments.extend(["--clock-start".into(), start.as_millis().to_string().into()]);
        }
        Self::start_with(&arguments, cores)
    }

    /// Starts this program again as the server of a function that does nothing.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_empty(cores: &Cores) -> anyhow::Result<Self> {
        Self::start_with(&["serve-empty".into()], cores)
    }

    fn start_with(arguments: &[OsString], cores: &Cores) -> anyhow::Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("starting the server")?;
        let stdin = process.stdin.take();
        let mut address = String::new();
        let stdout = process.stdout.take().context("the server has no output")?;
        BufReader::new(stdout).read_line(&mut address)?;
        let address = address.trim().parse().context("the server did not start")?;
        cores.move_process(process.id(), Side::Server)?;
        Ok(Self { target: Target { address, process: process.id() }, process, stdin })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.stdin.take());
        // It has ended already, or ends now.
        let _ = self.process.wait();
    }
}
