//! Every host gives the same answers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use akademi_api::{
    config::Config,
    ports::{HttpClient, Unreachable},
};
use akademi_component_host::Options as SpinOptions;
use akademi_domain::time::Timestamp;
use akademi_edge_store::{Database, Edge, rusqlite::SqliteFile};
use akademi_lambda_store::{objects::Objects, testing::TestDatabase};
use akademi_local::{http_client::Network, lambda_plane::LambdaPlane, ports, server::Server};
use akademi_parity::{Deployment, Exchange, run, seed_statements};
use akademi_worker_host::{Options as WorkerOptions, WorkerHost};
use bytes::Bytes;
use futures::future::BoxFuture;
use std::{collections::BTreeMap, net::SocketAddr, path::Path, sync::Arc};

fn system_now() -> Timestamp {
    quiet_ports().now()
}

fn quiet_ports() -> akademi_api::Ports {
    ports::ports(Arc::new(ports::WriteLog::new(std::io::sink())))
}

const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// A deployment's Lambda plane, on a port and a database of its own.
struct Lambda {
    server: Server,
    _database: TestDatabase,
    _files: tempfile::TempDir,
}

impl Lambda {
    async fn start(deployment: &mut Deployment) -> Self {
        let database = TestDatabase::new().await.unwrap();
        deployment.variables.insert("edge_url".into(), "http://127.0.0.1:1".into());
        deployment.variables.insert("storage_url".into(), "http://127.0.0.1:1/storage".into());
        let lookup = |name: &str| deployment.variables.get(name).cloned();
        let files = tempfile::tempdir().unwrap();
        let objects = Objects::local(files.path()).unwrap();
        let postgres = database.postgres().clone();
        let plane =
            LambdaPlane::new(&quiet_ports(), postgres, Network::new(), objects, &Config::new(&lookup))
                .unwrap();
        let server = Server::start(plane.router.clone(), ANY_PORT).await.unwrap();
        deployment.variables.insert("lambda_url".into(), format!("http://{}", server.address));
        Self { server, _database: database, _files: files }
    }
}

async fn seed(file: &Path, deployment: &Deployment) {
    SqliteFile::open(file).unwrap().batch(seed_statements(deployment)).await.unwrap();
}

async fn record(deployment: &Deployment, address: SocketAddr, http: Arc<dyn HttpClient>) -> Vec<Exchange> {
    let base = |host: &str| format!("http://{host}:{}", address.port());
    run(deployment, http, base, &system_now).await.unwrap()
}

async fn local() -> Vec<Exchange> {
    let mut deployment = Deployment::new(system_now()).unwrap();
    let lambda = Lambda::start(&mut deployment).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("edge.sqlite");
    seed(&file, &deployment).await;
    let edge = Edge { ports: quiet_ports(), database: Arc::new(SqliteFile::open(&file).unwrap()) };
    let lookup = |name: &str| deployment.variables.get(name).cloned();
    let http: Arc<dyn HttpClient> = Network::new();
    let router = akademi_edge_functions::all(&edge, &http, &Config::new(&lookup)).unwrap();
    let server = Server::start(router, ANY_PORT).await.unwrap();
    let exchanges = record(&deployment, server.address, Arc::new(Insistent(Network::new()))).await;
    server.stop().await;
    lambda.server.stop().await;
    exchanges
}

async fn spin() -> Vec<Exchange> {
    let mut deployment = Deployment::new(system_now()).unwrap();
    let lambda = Lambda::start(&mut deployment).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("edge.sqlite");
    seed(&file, &deployment).await;
    let variables = edge_variables(&deployment);
    let options =
        SpinOptions { variables, sqlite: [("default".to_owned(), file)].into(), ..SpinOptions::default() };
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spin.toml");
    let running =
        akademi_component_host::serve(&manifest, options).await.expect("run `cargo xtask build --host spin`");
    let exchanges = record(&deployment, running.addr, Arc::new(Insistent(Network::new()))).await;
    let log = running.log().text();
    running.shutdown().await;
    lambda.server.stop().await;
    assert!(exchanges.iter().all(|exchange| exchange.status != 500), "{log}");
    exchanges
}

/// What the edge's manifests declare.
fn edge_variables(deployment: &Deployment) -> BTreeMap<String, String> {
    let wanted =
        ["edge_master_key", "lambda_url", "plane_root_keys", "token_public_keys", "token_signing_keys"];
    wanted.into_iter().map(|name| (name.to_owned(), deployment.variables[name].clone())).collect()
}

async fn workerd() -> Vec<Exchange> {
    let mut deployment = Deployment::new(system_now()).unwrap();
    let lambda = Lambda::start(&mut deployment).await;
    let options = WorkerOptions { variables: edge_variables(&deployment), ..WorkerOptions::default() };
    // It installs, migrates and waits for another process.
    let host = tokio::task::spawn_blocking(move || WorkerHost::prepare(options)).await.unwrap().unwrap();
    seed(host.database_path(), &deployment).await;
    let running = tokio::task::spawn_blocking(move || host.start()).await.unwrap().unwrap();
    let address = running.base_url().trim_start_matches("http://").trim_end_matches('/').parse().unwrap();
    let exchanges = record(&deployment, address, Arc::new(Insistent(Network::new()))).await;
    let log = running.log();
    tokio::task::spawn_blocking(move || drop(running)).await.unwrap();
    lambda.server.stop().await;
    assert!(exchanges.iter().all(|exchange| exchange.status != 500), "{log}");
    exchanges
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

/// Compares request by request, so that a difference names its request.
fn assert_same(host: &str, expected: &[Exchange], found: &[Exchange]) {
    let mut differences = Vec::new();
    for (expected, found) in expected.iter().zip(found) {
        if expected != found {
            differences.push(format!("{}\n  local: {expected:?}\n  {host}: {found:?}", expected.name));
        }
    }
    assert!(differences.is_empty(), "{} differences\n{}", differences.len(), differences.join("\n\n"));
    assert_eq!(expected.len(), found.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_local_host_answers_as_the_list_expects() {
    let exchanges = local().await;
    println!("{} requests", exchanges.len());
    let status = |name: &str| exchanges.iter().find(|exchange| exchange.name == name).unwrap().status;
    for (name, wanted) in [
        ("live", 200),
        ("ready", 200),
        ("unknown host", 404),
        ("academy, unchanged", 304),
        ("OPTIONS", 204),
        ("unknown method", 405),
        ("feed, unsigned", 401),
        ("feed in", 200),
        ("feed in again", 200),
        ("feed in with a gap", 409),
        ("course", 200),
        ("another academy's course", 404),
        ("search in capitals", 200),
        ("search for no word", 422),
        ("register", 201),
        ("register again", 409),
        ("malformed JSON", 400),
        ("wrong media type", 415),
        ("1 MB body", 413),
        ("wrong password", 401),
        ("me, elsewhere", 401),
        ("heartbeat, not enrolled", 404),
        ("enrol oneself", 403),
        ("enrol", 201),
        ("enrol again", 200),
        ("heartbeat", 200),
        ("right answer", 200),
        ("certificate, before it is issued", 404),
        ("certificate", 200),
        ("another academy's certificate", 404),
        ("certificate page", 200),
        ("another academy's certificate page", 404),
        ("certificates", 200),
        ("certificates, not signed in", 401),
        ("certificate, revoked", 200),
        ("create a course", 201),
        ("create a course as a learner", 403),
        ("sign out", 204),
        ("rename after signing out", 401),
    ] {
        assert_eq!(status(name), wanted, "{name}");
    }
    let body = |name: &str| &exchanges.iter().find(|exchange| exchange.name == name).unwrap().body;
    assert!(body("search in capitals").contains("isigin-yolculugu"));
    assert!(body("search in a lesson").contains("Renkler"));
    assert!(!body("search elsewhere").contains("isigin"));
    assert!(body("heartbeat").contains("\"gained_seconds\":10"));
    assert!(body("heartbeat again").contains("\"gained_seconds\":0"));
    assert!(!body("quiz lesson").contains("one_of"), "no answer leaves the server");
    assert!(body("certificate").contains("\"holder\":\"Şükrü Iğdır Çağlayangöl\""));
    assert!(body("certificate page").contains("Şükrü Iğdır Çağlayangöl"));
    assert!(body("certificate page").contains("21 Kasım 2026"), "the day in Istanbul");
    assert!(body("certificate page, revoked").contains("Sertifika iptal edildi"));
}

#[tokio::test(flavor = "multi_thread")]
async fn spin_components_answer_as_the_local_host_does() {
    assert_same("spin", &local().await, &spin().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_worker_on_workerd_answers_as_the_local_host_does() {
    assert_same("workerd", &local().await, &workerd().await);
}
