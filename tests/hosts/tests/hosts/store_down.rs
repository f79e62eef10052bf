//! A store that is down: 503 with `Retry-After`, and all is well when it is back.

use akademi_component_host::{Fault, Faults};
use akademi_edge_store::{Database, Edge, Rows, Statement, StoreError, rusqlite::SqliteFile};
use akademi_host_tests::{
    Academies, Engine, Learner, RunningEdge,
    engine::{edge_router, silent_ports},
    learners::enrol_learners,
};
use akademi_local::{
    api_client::{Answer, ApiClient},
    http_client::InProcess,
};
use futures::future::BoxFuture;
use http::header;
use rusqlite::TransactionBehavior;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use crate::asks::asks;

/// That each function's routes say that they are down, each in its own request.
async fn assert_all_down(academies: &Academies, learners: &[Learner], visitors: &[ApiClient; 2], why: &str) {
    for ask in asks(academies, learners) {
        let answer = ask.send(&ask.client(visitors, learners)).await.unwrap();
        assert_down(&answer, &format!("{why}: {}", ask.name));
    }
    // What is nobody's business to know of still needs the academy.
    for path in ["/.well-known/jwks.json", "/api/openapi.json", "/api/v1/authoring/courses"] {
        assert_down(&visitors[0].get(path).await.unwrap(), &format!("{why}: {path}"));
    }
    assert_eq!(visitors[0].get("/health/live").await.unwrap().status, 200);
}

fn assert_down(answer: &Answer, what: &str) {
    assert_eq!(answer.status, 503, "{what}: {answer:?}");
    assert_eq!(answer.headers[header::CONTENT_TYPE], "application/problem+json", "{what}");
    let seconds: u32 = answer.headers[header::RETRY_AFTER].to_str().unwrap().parse().unwrap();
    assert!((1..=10).contains(&seconds), "{what}: {seconds}");
    let problem = answer.json().unwrap();
    assert_eq!(problem["type"], "/problems/unavailable", "{what}");
    assert!(!problem.to_string().contains("disk"), "{what}: internals in {problem}");
}

async fn assert_all_well(academies: &Academies, learners: &[Learner], visitors: &[ApiClient; 2]) {
    for ask in asks(academies, learners) {
        let answer = ask.send(&ask.client(visitors, learners)).await.unwrap();
        assert_eq!(crate::storm::finding(academies, learners, &ask, &answer), None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn components_answer_503_while_their_store_is_down_and_recover_by_themselves() {
    if std::env::var_os("SPIN").is_some_and(|program| !program.is_empty()) {
        println!("skipped: a real Spin takes no faults");
        return;
    }
    let academies = Academies::new("http://127.0.0.1:9").unwrap();
    let faults = Faults::default();
    let edge = RunningEdge::start_spin(&academies.variables, academies.statements(), |options| {
        options.faults = faults.clone();
    })
    .await
    .unwrap();
    academies.publish(&edge).await.unwrap();
    let learners = enrol_learners(&academies, &edge, 1).await.unwrap();
    let visitors = [0, 1].map(|academy| academies.client(&edge, academy));
    let failing = |message: &str| Fault::Statement(message.into());
    for down in [
        // Open connections are of no use either.
        vec![Fault::Open("unable to open database file".into()), failing("disk I/O error")],
        vec![failing("disk I/O error")],
        vec![failing("database is locked")],
    ] {
        faults.set(down.clone());
        assert_all_down(&academies, &learners, &visitors, &format!("{down:?}")).await;
        faults.clear();
        assert_all_well(&academies, &learners, &visitors).await;
    }
    // A bug is none of these.
    faults.set([Fault::Statement("no such table: tenant".into())]);
    let broken = visitors[0].get("/api/v1/academy").await.unwrap();
    assert_eq!(broken.status, 500);
    assert_eq!(broken.json().unwrap()["type"], "/problems/internal");
    edge.stop().await.unwrap();
}

/// A database whose engine is there or not.
struct Breakable {
    engine: SqliteFile,
    is_down: AtomicBool,
}

impl Breakable {
    fn check(&self) -> Result<(), StoreError> {
        let down = StoreError::Unavailable("disk I/O error".into());
        if self.is_down.load(Ordering::Relaxed) { Err(down) } else { Ok(()) }
    }
}

impl Database for Breakable {
    fn query(&self, statement: Statement) -> BoxFuture<'_, Result<Rows, StoreError>> {
        Box::pin(async move {
            self.check()?;
            self.engine.query(statement).await
        })
    }

    fn batch(&self, statements: Vec<Statement>) -> BoxFuture<'_, Result<Vec<Rows>, StoreError>> {
        Box::pin(async move {
            self.check()?;
            self.engine.batch(statements).await
        })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_answers_503_while_its_store_is_down_and_recovers_by_itself() {
    let academies = Academies::new("http://127.0.0.1:9").unwrap();
    let edge = RunningEdge::start(Engine::Local, &academies.variables, academies.statements()).await.unwrap();
    academies.publish(&edge).await.unwrap();
    let learners = enrol_learners(&academies, &edge, 1).await.unwrap();
    let engine = SqliteFile::open(&edge.database).unwrap();
    let database = Arc::new(Breakable { engine, is_down: AtomicBool::new(true) });
    let store = Edge { ports: silent_ports(), database: database.clone() };
    let in_process = InProcess::new();
    in_process.connect(edge_router(&store, &academies.variables).unwrap());
    let visitors = [0, 1].map(|number| {
        let http: Arc<dyn akademi_api::ports::HttpClient> = in_process.clone();
        ApiClient::new(http, edge.base(academies.both[number].host))
    });
    assert_all_down(&academies, &learners, &visitors, "no engine").await;
    database.is_down.store(false, Ordering::Relaxed);
    assert_all_well(&academies, &learners, &visitors).await;
    edge.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_another_process_writes_to_for_long_refuses_writes_and_goes_on_answering_reads() {
    let academies = Academies::new("http://127.0.0.1:9").unwrap();
    let edge = RunningEdge::start(Engine::Local, &academies.variables, academies.statements()).await.unwrap();
    academies.publish(&edge).await.unwrap();
    let learners = enrol_learners(&academies, &edge, 1).await.unwrap();
    let visitors = [0, 1].map(|academy| academies.client(&edge, academy));
    let asks = asks(&academies, &learners);
    let send = async |name: &str| {
        let ask = asks.iter().find(|ask| ask.name == name).unwrap();
        ask.send(&ask.client(&visitors, &learners)).await.unwrap()
    };
    let mut other = rusqlite::Connection::open(&edge.database).unwrap();
    let held = other.transaction_with_behavior(TransactionBehavior::Immediate).unwrap();
    let (write, read) = futures::join!(send("heartbeat"), send("progress"));
    assert_down(&write, "heartbeat");
    assert_eq!(read.status, 200);
    held.rollback().unwrap();
    assert_eq!(send("heartbeat").await.status, 200);
    edge.stop().await.unwrap();
}
