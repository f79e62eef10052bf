//! A whole deployment on this machine.

use akademi_api::{Ports, config::Config, ports::Log};
use akademi_edge_store::{Edge, rusqlite::SqliteFile};
use akademi_lambda_store::postgres::Postgres;
use anyhow::Context;
use axum::Router;
use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};
use tokio::task::JoinHandle;

use crate::{
    http_client::InProcess,
    lambda_plane::LambdaPlane,
    ports::ports,
    secrets::{self, Variables},
    server::Server,
};

/// What a deployment needs to be told.
pub struct Options {
    /// Where the edge store and the secrets are kept.
    pub data: PathBuf,
    pub listen: SocketAddr,
    /// PostgreSQL, migrated.
    pub postgres: Postgres,
    pub log: Arc<dyn Log>,
    /// How often `sync` looks at the edge without being woken.
    pub sync_interval: Duration,
}

/// A deployment that runs.
pub struct Local {
    pub edge: Edge,
    pub lambda: LambdaPlane,
    pub variables: Variables,
    pub address: SocketAddr,
    /// Everything that the port answers, for callers in the same process.
    pub router: Router,
    server: Server,
    sync: JoinHandle<()>,
    expiry: JoinHandle<()>,
}

impl Local {
    /// Opens the stores, migrates the edge's, joins the planes and serves them on one port.
    ///
    /// # Errors
    /// When the folder, a store or the port cannot be had.
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        std::fs::create_dir_all(&options.data).with_context(|| format!("making {}", options.data.display()))?;
        let mut variables = secrets::load_or_create(&options.data)?;
        // Hosts that nobody resolves: both planes are this process.
        variables.insert("lambda_url".into(), "http://lambda.internal".into());
        variables.insert("edge_url".into(), "http://edge.internal".into());
        let lookup = |name: &str| variables.get(name).cloned();
        let config = Config::new(&lookup);
        let ports = ports(options.log);

        let edge = open_edge(&options.data, ports.clone())?;
        let (to_edge, to_lambda) = (InProcess::new(), InProcess::new());
        let lambda = LambdaPlane::new(&ports, options.postgres, to_edge.clone(), &config)?;
        to_lambda.connect(lambda.router.clone());
        let to_lambda: Arc<dyn akademi_api::ports::HttpClient> = to_lambda;
        let router = akademi_edge_functions::all(&edge, &to_lambda, &config)?;
        to_edge.connect(router.clone());
        // The platform's host is this port too.
        let router = router.merge(lambda.callbacks.clone());

        let server = Server::start(router.clone(), options.listen)
            .await
            .with_context(|| format!("listening on {}", options.listen))?;
        let sync = lambda.run_sync(ports.clone(), options.sync_interval);
        let expiry = lambda.run_expiry(ports);
        Ok(Self { edge, lambda, variables, address: server.address, router, server, sync, expiry })
    }

    /// Ends requests, sync and the server.
    pub async fn stop(self) {
        self.server.stop().await;
        for job in [self.sync, self.expiry] {
            job.abort();
            // It ends at its next await, or has ended already.
            let _ = job.await;
        }
    }
}

/// The edge store in `data`.
///
/// # Errors
/// When it cannot be opened or migrated.
pub fn open_edge(data: &std::path::Path, ports: Ports) -> anyhow::Result<Edge> {
    let database = SqliteFile::open(&data.join("edge.sqlite")).context("opening the edge store")?;
    Ok(Edge { ports, database: Arc::new(database) })
}
