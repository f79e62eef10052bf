//! The functions as processes of their own, with the machine's clock and randomness: what is killed. Each serves on the
//! socket that is its standard input.

use akademi_api::{Ports, config::Config, ports::Log};
use akademi_lambda_store::postgres::Postgres;
use akademi_payments::Payments;
use akademi_sync::{Sync, Trigger};
use std::{net::SocketAddr, os::fd::AsFd as _, path::PathBuf, sync::Arc, time::Duration};
use tokio::net::TcpListener;

use crate::{
    academy::{lookup, planes},
    edge::EdgePlane,
    gate::Gate,
    network::Network,
    ports::Wakes,
};

/// What the Lambda plane is told.
#[derive(clap::Args)]
pub struct Lambda {
    /// The URL of PostgreSQL
    #[arg(long)]
    pub database: String,
    #[arg(long)]
    pub edge: SocketAddr,
    #[arg(long)]
    pub providers: SocketAddr,
}

/// What the edge is told.
#[derive(clap::Args)]
pub struct Edge {
    #[arg(long)]
    pub file: PathBuf,
}

/// Connections of one process.
const POOL: u32 = 4;
/// Between two looks at what is due.
const PAUSE: Duration = Duration::from_millis(20);

struct NoLog;

impl Log for NoLog {
    fn line(&self, _: &str) {}
}

pub fn process_ports() -> Ports {
    akademi_process::ports::ports(Arc::new(NoLog))
}

/// Serves orders, refunds and callbacks, ends orders, resolves refunds and carries the feed, until it is killed.
///
/// # Errors
/// When it cannot begin, or cannot listen any more.
pub fn lambda(options: &Lambda) -> anyhow::Result<()> {
    runtime()?.block_on(async {
        let ports = process_ports();
        let postgres = Postgres::from_url(&options.database, POOL)?;
        let hosts = vec![
            ("edge.test", options.edge),
            ("www.paytr.com", options.providers),
            ("sandbox-api.iyzipay.com", options.providers),
        ];
        let http = Arc::new(Network::new(hosts));
        let config = Config::new(&lookup);
        let wakes = Arc::new(Wakes::default());
        let payments =
            Payments::new(ports.clone(), planes(), postgres.clone(), http.clone(), wakes, &config)?;
        let sync = Sync::new(ports.clone(), planes(), postgres, http, &config)?;
        let due = payments.clone();
        tokio::spawn(async move {
            loop {
                // Whatever breaks it off, the next one goes on.
                let _ = sync.handle(Trigger::Wake).await;
                let _ = due.expire_orders(ports.now()).await;
                let _ = due.resolve_refunds(ports.now()).await;
                tokio::time::sleep(PAUSE).await;
            }
        });
        Ok(axum::serve(inherited_socket()?, akademi_payments::router(payments)).await?)
    })
}

/// Serves quotes and the feed, until it is killed.
///
/// # Errors
/// As [`lambda`].
pub fn edge(options: &Edge) -> anyhow::Result<()> {
    runtime()?.block_on(async {
        let edge = EdgePlane::start(&options.file, &Gate::default(), &process_ports())?;
        Ok(axum::serve(inherited_socket()?, edge.router).await?)
    })
}

/// The standard input, where whoever began this process listens already.
fn inherited_socket() -> anyhow::Result<TcpListener> {
    let socket = std::net::TcpListener::from(std::io::stdin().as_fd().try_clone_to_owned()?);
    socket.set_nonblocking(true)?;
    Ok(TcpListener::from_std(socket)?)
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}
