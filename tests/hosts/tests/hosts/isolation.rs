//! Nothing of one academy or learner in the answers of another, on one instance that serves all of them at once.

use akademi_api::ports::HttpClient;
use akademi_component_host::Limits;
use akademi_edge_store::{Edge, rusqlite::SqliteFile};
use akademi_host_tests::{
    Academies, Engine, Learner, RunningEdge,
    engine::{edge_router, silent_ports},
    learners::enrol_learners,
};
use akademi_local::{api_client::ApiClient, http_client::InProcess};
use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    middleware::{Next, from_fn_with_state},
    response::Response,
};
use http::{Method, header};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use crate::storm::{Storm, seed, storm};

/// Where nobody listens.
const NOBODY: &str = "http://127.0.0.1:9";
const LEARNERS_PER_ACADEMY: u8 = 4;

async fn prepare(engine: Engine) -> (Academies, RunningEdge, Vec<Learner>) {
    let academies = Academies::new(NOBODY).unwrap();
    let statements = academies.statements();
    let edge = match engine {
        Engine::Spin => RunningEdge::start_spin(&academies.variables, statements, |options| {
            options.limits = Limits {
                concurrent_requests: 64,
                requests_per_instance: 100_000,
                instances: Some(1),
                idle_instance: Duration::from_secs(60),
                ..Limits::default()
            };
        })
        .await
        .unwrap(),
        Engine::Local | Engine::Workerd => {
            RunningEdge::start(engine, &academies.variables, statements).await.unwrap()
        }
    };
    academies.publish(&edge).await.unwrap();
    let learners = enrol_learners(&academies, &edge, LEARNERS_PER_ACADEMY).await.unwrap();
    (academies, edge, learners)
}

fn visitors(academies: &Academies, edge: &RunningEdge) -> [ApiClient; 2] {
    [0, 1].map(|academy| academies.client(edge, academy))
}

fn assert_calm(storm: &Storm, log: &str) {
    println!("{} answered, {} given up", storm.answered, storm.given_up);
    let findings = storm.findings.iter().take(5).cloned().collect::<Vec<_>>().join("\n");
    assert!(storm.findings.is_empty(), "{} findings\n{findings}\n{log}", storm.findings.len());
    assert!(storm.given_up > 0, "nothing was given up");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_requests_of_two_academies_in_one_process_hold_nothing_of_each_other() {
    let (academies, edge, learners) = prepare(Engine::Local).await;
    let storm = storm(&academies, &learners, &visitors(&academies, &edge), 1_000, seed()).await;
    let log = edge.stop().await.unwrap();
    assert_calm(&storm, &log);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_requests_of_two_academies_on_one_instance_hold_nothing_of_each_other() {
    let (academies, edge, learners) = prepare(Engine::Spin).await;
    let storm = storm(&academies, &learners, &visitors(&academies, &edge), 1_000, seed()).await;
    for component in ["registration", "catalog", "progress", "coupons", "verify"] {
        // A real Spin makes as many as it likes and does not tell.
        let Some(instances) = edge.spin().unwrap().instances(component) else { continue };
        assert_eq!((instances.started, instances.failed), (1, 0), "{component}");
    }
    let log = edge.stop().await.unwrap();
    assert_calm(&storm, &log);
}

#[tokio::test(flavor = "multi_thread")]
async fn three_hundred_requests_of_two_academies_in_one_isolate_hold_nothing_of_each_other() {
    let (academies, edge, learners) = prepare(Engine::Workerd).await;
    let storm = storm(&academies, &learners, &visitors(&academies, &edge), 300, seed()).await;
    let log = edge.stop().await.unwrap();
    assert_calm(&storm, &log);
}

/// What a careless cache tells answers apart by.
type KeyOf = fn(&Request) -> String;

/// Answers kept under the key that it gives.
type Kept = (KeyOf, Arc<Mutex<HashMap<String, (http::response::Parts, Bytes)>>>);

async fn careless(State((key, kept)): State<Kept>, request: Request, next: Next) -> Response {
    if request.method() != Method::GET {
        return next.run(request).await;
    }
    let key = key(&request);
    let found = kept.lock().unwrap().get(&key).cloned();
    if let Some((parts, body)) = found {
        return Response::from_parts(parts, Body::from(body));
    }
    let (parts, body) = next.run(request).await.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    kept.lock().unwrap().insert(key, (parts.clone(), body.clone()));
    Response::from_parts(parts, Body::from(body))
}

/// What the storm finds where a cache with this key stands before the edge.
async fn findings_behind(key: KeyOf) -> Vec<String> {
    let (academies, edge, learners) = prepare(Engine::Local).await;
    let store = Edge { ports: silent_ports(), database: Arc::new(SqliteFile::open(&edge.database).unwrap()) };
    let cache: Kept = (key, Arc::default());
    let router = edge_router(&store, &academies.variables).unwrap();
    let in_process = InProcess::new();
    in_process.connect(router.layer(from_fn_with_state(cache, careless)));
    let http: Arc<dyn HttpClient> = in_process;
    let visitors = [0, 1].map(|number| ApiClient::new(http.clone(), edge.base(academies.both[number].host)));
    let storm = storm(&academies, &learners, &visitors, 1_000, seed()).await;
    edge.stop().await.unwrap();
    storm.findings
}

fn host(request: &Request) -> &str {
    request.headers()[header::HOST].to_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cache_that_forgets_the_academy_is_found_out() {
    let findings = findings_behind(|request| request.uri().path_and_query().unwrap().to_string()).await;
    assert!(findings.iter().any(|finding| finding.starts_with("course of ")), "{findings:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cache_that_forgets_the_learner_is_found_out() {
    let findings = findings_behind(|request| format!("{} {}", host(request), request.uri())).await;
    for name in ["me", "sessions", "certificates", "progress"] {
        assert!(
            findings.iter().any(|finding| finding.starts_with(&format!("{name} of "))),
            "{name}: {findings:?}"
        );
    }
    assert!(!findings.iter().any(|finding| finding.contains("another academy's: ")), "{findings:?}");
}
