//! Starting the edge on an engine.

use akademi_api::{
    Ports,
    config::Config,
    ports::{HttpClient, Log},
};
use akademi_component_host::{Options as SpinOptions, Running as RunningSpin};
use akademi_edge_store::{Database, Edge, Statement, rusqlite::SqliteFile};
use akademi_functions::{FUNCTIONS, Plane};
use akademi_local::{http_client::Network, ports::ports, secrets::Variables, server::Server};
use akademi_worker_host::{Options as WorkerOptions, Running as RunningWorker, WorkerHost};
use anyhow::Context;
use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};
use tempfile::TempDir;

/// Any free port of this machine.
pub const ANY_PORT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// What the edge runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// The functions natively, on rusqlite.
    Local,
    /// The components of `spin.toml` on the component host, or on the program that `SPIN` names.
    Spin,
    /// The Workers of the table of functions on workerd.
    Workerd,
}

/// An edge that answers.
pub struct RunningEdge {
    pub engine: Engine,
    pub address: SocketAddr,
    /// The SQLite file of its store.
    pub database: PathBuf,
    host: Host,
}

enum Host {
    Local { server: Server, log: Lines, _folder: TempDir },
    Spin { running: RunningSpin, _folder: TempDir },
    Workerd(RunningWorker),
}

impl RunningEdge {
    /// Starts the edge on `engine` with these of its variables, on a store that begins with `statements`.
    ///
    /// # Errors
    /// When it does not start; what it runs may not have been built.
    pub async fn start(
        engine: Engine,
        variables: &Variables,
        statements: Vec<Statement>,
    ) -> anyhow::Result<Self> {
        match engine {
            Engine::Local => Self::start_local(variables, statements).await,
            Engine::Spin => Self::start_spin(variables, statements, |_| {}).await,
            Engine::Workerd => Self::start_workerd(variables, statements).await,
        }
    }

    async fn start_local(variables: &Variables, statements: Vec<Statement>) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let database = folder.path().join("edge.sqlite");
        let store = Arc::new(seed(&database, statements).await?);
        let log = Lines::default();
        let edge = Edge { ports: ports(Arc::new(log.clone())), database: store };
        let router = edge_router(&edge, variables)?;
        let server = Server::start(router, ANY_PORT).await?;
        let address = server.address;
        Ok(Self {
            engine: Engine::Local,
            address,
            database,
            host: Host::Local { server, log, _folder: folder },
        })
    }

    /// As [`RunningEdge::start`] on [`Engine::Spin`], on a host that `configure` has changed.
    ///
    /// # Errors
    /// As [`RunningEdge::start`].
    pub async fn start_spin(
        variables: &Variables,
        statements: Vec<Statement>,
        configure: impl FnOnce(&mut SpinOptions),
    ) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let database = folder.path().join("edge.sqlite");
        seed(&database, statements).await?;
        let mut options = SpinOptions {
            variables: edge_variables(variables),
            sqlite: [("default".to_owned(), database.clone())].into(),
            ..SpinOptions::default()
        };
        configure(&mut options);
        let running = akademi_component_host::serve(&spin_manifest(), options)
            .await
            .context("run `cargo xtask build --host spin`")?;
        let address = running.addr;
        Ok(Self { engine: Engine::Spin, address, database, host: Host::Spin { running, _folder: folder } })
    }

    async fn start_workerd(variables: &Variables, statements: Vec<Statement>) -> anyhow::Result<Self> {
        let options = WorkerOptions { variables: edge_variables(variables), ..WorkerOptions::default() };
        // It installs, migrates and waits for another process.
        let host = tokio::task::spawn_blocking(move || WorkerHost::prepare(options)).await??;
        let database = host.database_path().to_owned();
        seed(&database, statements).await?;
        let running = tokio::task::spawn_blocking(move || host.start())
            .await?
            .context("run `cargo xtask build --host worker`")?;
        let address = running.base_url().trim_start_matches("http://").trim_end_matches('/').parse()?;
        Ok(Self { engine: Engine::Workerd, address, database, host: Host::Workerd(running) })
    }

    /// The address of an academy's host.
    pub fn base(&self, host: &str) -> String {
        format!("http://{host}:{}", self.address.port())
    }

    /// What the edge wrote so far.
    pub fn log(&self) -> String {
        match &self.host {
            Host::Local { log, .. } => log.text(),
            Host::Spin { running, .. } => running.log().text(),
            Host::Workerd(running) => running.log(),
        }
    }

    /// The component host, or the Spin in its place, if this is the engine.
    pub const fn spin(&self) -> Option<&RunningSpin> {
        match &self.host {
            Host::Spin { running, .. } => Some(running),
            Host::Local { .. } | Host::Workerd(_) => None,
        }
    }

    /// Ends it; what it wrote.
    ///
    /// # Errors
    /// When the thread that waits for the end cannot be had.
    pub async fn stop(self) -> anyhow::Result<String> {
        let log = self.log();
        match self.host {
            Host::Local { server, .. } => server.stop().await,
            Host::Spin { running, .. } => running.shutdown().await,
            Host::Workerd(running) => tokio::task::spawn_blocking(move || drop(running)).await?,
        }
        Ok(log)
    }
}

/// All functions of the edge as the local host runs them, with a network.
///
/// # Errors
/// When a variable is missing or wrong.
pub fn edge_router(edge: &Edge, variables: &Variables) -> anyhow::Result<axum::Router> {
    let lookup = |name: &str| variables.get(name).cloned();
    let http: Arc<dyn HttpClient> = Network::new();
    Ok(akademi_edge_functions::all(edge, &http, &Config::new(&lookup))?)
}

/// The ports of the local host, without a log.
pub fn silent_ports() -> Ports {
    ports(Arc::new(Lines::default()))
}

/// The workspace's `spin.toml`.
pub fn spin_manifest() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spin.toml")
}

/// Those of `variables` that the edge's functions read, which are those that its manifests declare.
pub fn edge_variables(variables: &Variables) -> BTreeMap<String, String> {
    let functions = FUNCTIONS.iter().filter(|function| function.plane == Plane::Edge);
    let wanted = functions.flat_map(|function| function.variables).map(|variable| variable.name);
    wanted.filter_map(|name| Some((name.to_owned(), variables.get(name)?.clone()))).collect()
}

/// The store in `file`, with all migrations and what `statements` put there.
async fn seed(file: &Path, statements: Vec<Statement>) -> anyhow::Result<SqliteFile> {
    let store = SqliteFile::open(file)?;
    store.batch(statements).await?;
    Ok(store)
}

/// A log in memory.
#[derive(Clone, Default)]
pub struct Lines(Arc<Mutex<String>>);

impl Lines {
    pub fn text(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Log for Lines {
    fn line(&self, json: &str) {
        let mut text = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        text.push_str(json);
        text.push('\n');
    }
}
