//! Loading an application, starting it, stopping it.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
};
use wasmtime_wasi_http::handler::ProxyHandler;

use crate::{
    code,
    faults::Faults,
    instance::{Counts, Grants, Template, linker},
    log::{ComponentLog, Log},
    manifest::{Component, ManifestError, SpinManifest},
    outbound::{AllowedHost, AllowedHostError},
    routes::Routes,
    runtime_config::{RuntimeConfig, SqliteDatabase},
    server::{self, Application},
    sqlite::{self, Databases},
    variables::{VariableError, expand, resolve},
};

/// How an application is run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Values of the application's variables.
    pub variables: BTreeMap<String, String>,
    /// Database name → file. Each database that a component declares needs one; missing files are made.
    pub sqlite: BTreeMap<String, PathBuf>,
    /// Port 0 takes a free one.
    pub listen: SocketAddr,
    pub limits: Limits,
    /// Also write what components print to this process' stderr.
    pub echo: bool,
    /// Where compiled components are kept. By default a folder beside each component's file.
    pub code_cache: Option<PathBuf>,
    /// Whether no component reaches a private network, not even one that its manifest names.
    pub block_private_networks: bool,
    /// What goes wrong in the databases on purpose; a real Spin knows nothing of it.
    pub faults: Faults,
}

impl Options {
    /// Adds what an operator's runtime configuration says; a database that has a file keeps it.
    pub fn configure(&mut self, config: &RuntimeConfig) {
        self.block_private_networks = config.blocks_private_networks();
        for (name, SqliteDatabase::Spin { path }) in &config.sqlite_database {
            self.sqlite.entry(name.clone()).or_insert_with(|| path.clone());
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            variables: BTreeMap::new(),
            sqlite: BTreeMap::new(),
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            limits: Limits::default(),
            echo: false,
            code_cache: None,
            block_private_networks: false,
            faults: Faults::default(),
        }
    }
}

/// Limits of instances and bodies. Those of instances are by default what Spin 4.1 takes.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Requests that one instance serves at once.
    pub concurrent_requests: usize,
    /// Requests that one instance serves in its life.
    pub requests_per_instance: usize,
    /// Instances of one component at once. None is Spin's way: another one whenever all compute or are full. With a number,
    /// requests wait for a place; a real Spin cannot.
    pub instances: Option<usize>,
    /// How long an instance without a request is kept.
    pub idle_instance: Duration,
    /// Time to the response's head; `None` waits for ever.
    pub request_timeout: Option<Duration>,
    /// Bytes; larger requests get 413.
    pub max_request_body: usize,
    /// Bytes; larger responses are cut off.
    pub max_response_body: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            concurrent_requests: 16,
            requests_per_instance: 128,
            instances: None,
            idle_instance: Duration::from_secs(1),
            request_timeout: None,
            max_request_body: 16 << 20,
            max_response_body: 64 << 20,
        }
    }
}

/// Why an application does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("{0}")]
    Manifest(#[from] ManifestError),
    #[error("{0}")]
    Variables(#[from] VariableError),
    #[error("component {component:?}: {error}")]
    AllowedHost { component: String, error: AllowedHostError },
    #[error("databases without a file: {}", .0.join(", "))]
    MissingDatabases(Vec<String>),
    #[error("database {0:?} has a file but no component declares it")]
    UndeclaredDatabase(String),
    #[error("database {name:?}: {error}")]
    Database { name: String, error: rusqlite::Error },
    #[error("component {component:?} from {path}: {message}")]
    Component { component: String, path: PathBuf, message: String },
    #[error("engine: {0}")]
    Engine(String),
    #[error("cannot listen on {address}: {error}")]
    Listen { address: SocketAddr, error: std::io::Error },
    #[error("spin: {0}")]
    Spin(String),
}

/// An application that was checked, compiled and linked.
pub struct Host {
    application: Application,
    listen: SocketAddr,
    log: Log,
    closing: watch::Sender<bool>,
    alive: mpsc::Sender<()>,
    gone: mpsc::Receiver<()>,
}

impl Host {
    /// Reads the manifest, checks that everything it declares has what it needs, and compiles its components.
    pub async fn load(manifest_path: &Path, options: Options) -> Result<Self, StartError> {
        let manifest = SpinManifest::read(manifest_path)?;
        let routes = Routes::new(&manifest.trigger.http)?;
        let variables = resolve(&manifest, &options.variables)?;
        check_databases(&manifest, &options.sqlite)?;

        let (log, listen) = (Log::new(options.echo), options.listen);
        let (closing, closes) = watch::channel(false);
        let (alive, gone) = mpsc::channel(1);
        let engine = code::engine().map_err(|error| StartError::Engine(format!("{error:#}")))?;
        let linker = linker(&engine).map_err(|error| StartError::Engine(format!("{error:#}")))?;
        let folder = manifest_path.parent().unwrap_or(Path::new("")).to_owned();
        let still_alive = alive.downgrade();
        // Compiling takes the processor for seconds, and SQLite blocks.
        let build = move || -> Result<_, StartError> {
            for (name, path) in &options.sqlite {
                sqlite::prepare_file(path)
                    .map_err(|error| StartError::Database { name: name.clone(), error })?;
            }
            let mut handlers = BTreeMap::new();
            for (id, declared) in &manifest.component {
                let path = folder.join(&declared.source);
                let beside = path.parent().unwrap_or(Path::new("")).join("component-host-code");
                let refuse = |error: wasmtime::Error| StartError::Component {
                    component: id.clone(),
                    path: path.clone(),
                    message: format!("{error:#}"),
                };
                let code = code::load(&engine, &path, options.code_cache.as_deref().unwrap_or(&beside))
                    .map_err(refuse)?;
                let template = Template::new(
                    &linker,
                    &code,
                    grants(id, declared, &variables, &options)?,
                    options.limits,
                    ComponentLog { log: log.clone(), component: id.as_str().into() },
                    closes.clone(),
                    still_alive.clone(),
                )
                .map_err(refuse)?;
                handlers.insert(id.clone(), ProxyHandler::new(template));
            }
            Ok((Application { routes, handlers, limits: options.limits }, log))
        };
        let built = tokio::task::spawn_blocking(build).await;
        let (application, log) = built.map_err(|error| StartError::Engine(error.to_string()))??;
        Ok(Self { application, listen, log, closing, alive, gone })
    }

    /// Serves the application over HTTP/1.1.
    pub async fn serve(self) -> Result<Running, StartError> {
        let refuse = |error| StartError::Listen { address: self.listen, error };
        let listener = TcpListener::bind(self.listen).await.map_err(refuse)?;
        let addr = listener.local_addr().map_err(refuse)?;
        let counts = self
            .application
            .handlers
            .iter()
            .map(|(id, handler)| (id.clone(), handler.state().counts.clone()))
            .collect();
        tokio::spawn(server::serve(
            listener,
            Arc::new(self.application),
            self.closing.subscribe(),
            self.alive.clone(),
        ));
        let stop = Stop::Host { closing: self.closing, alive: self.alive, gone: self.gone, counts };
        Ok(Running { addr, log: self.log, stop })
    }

    /// Loads and serves.
    pub async fn start(manifest_path: &Path, options: Options) -> Result<Running, StartError> {
        Self::load(manifest_path, options).await?.serve().await
    }

    /// Makes one instance of a component and drops it.
    ///
    /// # Errors
    /// The component is not in the manifest, or traps while it is made.
    pub async fn instantiate(&self, component: &str) -> Result<(), String> {
        let handler =
            self.application.handlers.get(component).ok_or_else(|| format!("no component {component:?}"))?;
        let template = handler.state();
        let mut store = template.store();
        let made = template.pre.instantiate_async(&mut store).await;
        made.map(drop).map_err(|error| format!("{error:#}"))
    }

    /// The interfaces that a component imports, such as `spin:sqlite/sqlite@3.1.0`; `None` if the manifest has
    /// no such component.
    pub fn imports(&self, component: &str) -> Option<Vec<String>> {
        let template = self.application.handlers.get(component)?.state();
        let kind = template.pre.instance_pre().component().component_type();
        Some(kind.imports(template.pre.engine()).map(|(name, _)| name.to_owned()).collect())
    }
}

fn check_databases(manifest: &SpinManifest, given: &BTreeMap<String, PathBuf>) -> Result<(), StartError> {
    let declared: BTreeSet<_> =
        manifest.component.values().flat_map(|component| &component.sqlite_databases).collect();
    if let Some(name) = given.keys().find(|name| !declared.contains(name)) {
        return Err(StartError::UndeclaredDatabase(name.clone()));
    }
    let missing: Vec<_> = declared.into_iter().filter(|name| !given.contains_key(*name)).cloned().collect();
    if missing.is_empty() { Ok(()) } else { Err(StartError::MissingDatabases(missing)) }
}

fn grants(
    id: &str,
    component: &Component,
    variables: &BTreeMap<String, String>,
    options: &Options,
) -> Result<Grants, StartError> {
    let allowed_hosts = component
        .allowed_outbound_hosts
        .iter()
        .map(|entry| {
            AllowedHost::parse(&expand(entry, variables)?)
                .map_err(|error| StartError::AllowedHost { component: id.to_owned(), error })
        })
        .collect::<Result<_, StartError>>()?;
    let visible = component
        .variables
        .iter()
        .map(|(name, template)| Ok((name.clone(), expand(template, variables)?)))
        .collect::<Result<BTreeMap<_, _>, VariableError>>()?;
    let files = options
        .sqlite
        .iter()
        .filter(|(name, _)| component.sqlite_databases.contains(*name))
        .map(|(name, path)| (name.clone(), path.clone()))
        .collect();
    Ok(Grants {
        allowed_hosts,
        block_private_networks: options.block_private_networks,
        databases: Databases { files: Arc::new(files), faults: options.faults.clone() },
        variables: Arc::new(visible),
        environment: component.environment.clone(),
    })
}

/// How many instances of a component there were since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instances {
    pub started: u64,
    /// Those that ended by a trap, a timeout or a shutdown in the midst of work.
    pub failed: u64,
}

/// An application that serves requests until [`shutdown`](Self::shutdown) or drop.
pub struct Running {
    /// Where it listens.
    pub addr: SocketAddr,
    pub(crate) log: Log,
    pub(crate) stop: Stop,
}

pub(crate) enum Stop {
    Host {
        closing: watch::Sender<bool>,
        alive: mpsc::Sender<()>,
        gone: mpsc::Receiver<()>,
        counts: BTreeMap<String, Arc<Counts>>,
    },
    Spin(crate::spin::Process),
}

impl Running {
    /// What components printed, and what the host refused or saw fail.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// `None` for a component that is not in the manifest, and on a real Spin, which does not tell.
    pub fn instances(&self, component: &str) -> Option<Instances> {
        let Stop::Host { counts, .. } = &self.stop else {
            return None;
        };
        let counts = counts.get(component)?;
        Some(Instances {
            started: counts.started.load(Ordering::Relaxed),
            failed: counts.failed.load(Ordering::Relaxed),
        })
    }

    /// Ends connections and instances and waits until all of them are gone, so that files can be removed.
    pub async fn shutdown(self) {
        match self.stop {
            Stop::Host { closing, alive, mut gone, .. } => {
                closing.send_replace(true);
                drop(alive);
                while gone.recv().await.is_some() {}
            }
            Stop::Spin(process) => process.stop().await,
        }
    }
}
