//! The edge on its engines, each with a Lambda plane and stores of its own.

use akademi_api::{
    config::Config,
    ports::{HttpClient, Unreachable},
};
use akademi_component_host::Options as SpinOptions;
use akademi_domain::time::Timestamp;
use akademi_edge_store::{Database, Edge, rusqlite::SqliteFile};
use akademi_local::{http_client::Network, ports, server::Server};
use akademi_parity::{Deployment, Doors, Exchange, run, seed_statements};
use akademi_worker_host::{Options as WorkerOptions, WorkerHost};
use bytes::Bytes;
use futures::future::BoxFuture;
use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::Path,
    sync::Arc,
};

use crate::lambda_plane::LambdaHost;

pub const ANY_PORT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

pub fn quiet_ports() -> akademi_api::Ports {
    ports::ports(Arc::new(ports::WriteLog::new(std::io::sink())))
}

fn system_now() -> Timestamp {
    quiet_ports().now()
}

fn deployment() -> Deployment {
    Deployment::new(system_now()).unwrap()
}

async fn seed(file: &Path, deployment: &Deployment) {
    SqliteFile::open(file).unwrap().batch(seed_statements(deployment)).await.unwrap();
}

async fn record(deployment: &Deployment, edge: SocketAddr) -> Vec<Exchange> {
    let academy = |host: &str| format!("http://{host}:{}", edge.port());
    let platform = deployment.variables["lambda_url"].clone();
    let doors = Doors { http: Arc::new(Insistent(Network::new())), academy: &academy, platform };
    run(deployment, doors, &system_now).await.unwrap_or_else(|error| panic!("{error:?}"))
}

/// The reference: both planes in this process.
pub async fn local() -> Vec<Exchange> {
    let mut deployment = deployment();
    let plane = LambdaHost::in_process(&mut deployment).await;
    let exchanges = on_axum(&deployment).await;
    plane.stop().await;
    exchanges
}

/// The edge as on the local host, in front of the binaries that run on AWS Lambda.
pub async fn lambda() -> Vec<Exchange> {
    let mut deployment = deployment();
    let plane = LambdaHost::binaries(&mut deployment).await;
    let exchanges = on_axum(&deployment).await;
    plane.stop().await;
    exchanges
}

async fn on_axum(deployment: &Deployment) -> Vec<Exchange> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("edge.sqlite");
    seed(&file, deployment).await;
    let edge = Edge { ports: quiet_ports(), database: Arc::new(SqliteFile::open(&file).unwrap()) };
    let lookup = |name: &str| deployment.variables.get(name).cloned();
    let http: Arc<dyn HttpClient> = Network::new();
    let router = akademi_edge_functions::all(&edge, &http, &Config::new(&lookup)).unwrap();
    let server = Server::start(router, ANY_PORT).await.unwrap();
    let exchanges = record(deployment, server.address).await;
    server.stop().await;
    exchanges
}

pub async fn spin() -> Vec<Exchange> {
    let mut deployment = deployment();
    let plane = LambdaHost::in_process(&mut deployment).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("edge.sqlite");
    seed(&file, &deployment).await;
    let variables = edge_variables(&deployment);
    let options =
        SpinOptions { variables, sqlite: [("default".to_owned(), file)].into(), ..SpinOptions::default() };
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spin.toml");
    let running =
        akademi_component_host::serve(&manifest, options).await.expect("run `cargo xtask build --host spin`");
    let exchanges = record(&deployment, running.addr).await;
    let log = running.log().text();
    running.shutdown().await;
    plane.stop().await;
    print_causes(&log);
    exchanges
}

pub async fn workerd() -> Vec<Exchange> {
    let mut deployment = deployment();
    let plane = LambdaHost::in_process(&mut deployment).await;
    let options = WorkerOptions { variables: edge_variables(&deployment), ..WorkerOptions::default() };
    // It installs, migrates and waits for another process.
    let host = tokio::task::spawn_blocking(move || WorkerHost::prepare(options)).await.unwrap().unwrap();
    seed(host.database_path(), &deployment).await;
    let running = tokio::task::spawn_blocking(move || host.start()).await.unwrap().unwrap();
    let address = running.base_url().trim_start_matches("http://").trim_end_matches('/').parse().unwrap();
    let exchanges = record(&deployment, address).await;
    let log = running.log();
    tokio::task::spawn_blocking(move || drop(running)).await.unwrap();
    plane.stop().await;
    print_causes(&log);
    exchanges
}

/// What the log says of broken answers, for whoever looks for the cause of a difference.
fn print_causes(log: &str) {
    for line in log.lines().filter(|line| line.contains("\"status\":500") || line.contains("panicked")) {
        println!("{line}");
    }
}

/// What the edge's manifests declare.
fn edge_variables(deployment: &Deployment) -> BTreeMap<String, String> {
    let wanted =
        ["edge_master_key", "lambda_url", "plane_root_keys", "token_public_keys", "token_signing_keys"];
    wanted.into_iter().map(|name| (name.to_owned(), deployment.variables[name].clone())).collect()
}

/// A client that sends again where a refusal of an unread body ended the connection before its answer was read.
/// `wrangler dev` puts a proxy before workerd that gives such a connection up with a 503 of its own, which asks to send
/// again; Cloudflare has no such proxy.
struct Insistent(Arc<Network>);

impl HttpClient for Insistent {
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, Unreachable>> {
        Box::pin(async move {
            let mut last = Unreachable("wrangler's proxy does not let the request through".into());
            for _ in 0..20 {
                match self.0.send(request.clone()).await {
                    Ok(answer) if answer.body().starts_with(b"Your worker restarted mid-request") => {}
                    Ok(answer) => return Ok(answer),
                    Err(error) => last = error,
                }
            }
            Err(last)
        })
    }
}
