//! A Lambda plane in a private network, which is reached where nobody blocks such networks and nowhere else.

use akademi_component_host::RuntimeConfig;
use akademi_host_tests::{
    Academies, RunningEdge,
    engine::{ANY_PORT, spin_manifest},
};
use axum::{Router, routing::get};
use serde_json::json;

/// What the edge says of a Lambda plane on this machine, and its log.
async fn readiness(blocks_private_networks: bool) -> (u16, String, String) {
    let health = Router::new().route("/internal/health", get(async || axum::Json(json!({}))));
    let lambda = akademi_local::server::Server::start(health, ANY_PORT).await.unwrap();
    let academies = Academies::new(&format!("http://{}", lambda.address)).unwrap();
    let edge = RunningEdge::start_spin(&academies.variables, academies.statements(), |options| {
        if blocks_private_networks {
            let config = RuntimeConfig::read(&spin_manifest().with_file_name("spin-runtime.toml")).unwrap();
            options.configure(&config);
        }
    })
    .await
    .unwrap();
    let answer = academies.client(&edge, 0).get("/health/ready").await.unwrap();
    let lambda_is = answer.json().unwrap()["lambda"].as_str().unwrap().to_owned();
    let log = edge.stop().await.unwrap();
    lambda.stop().await;
    (answer.status.as_u16(), lambda_is, log)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_repositorys_runtime_configuration_keeps_components_out_of_private_networks() {
    let (status, lambda, log) = readiness(true).await;
    assert_eq!((status, lambda.as_str()), (503, "down"));
    if std::env::var_os("SPIN").is_none_or(|program| program.is_empty()) {
        assert!(log.contains("lies in a private network"), "{log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_it_a_lambda_plane_that_the_manifest_names_is_reached() {
    let (status, lambda, log) = readiness(false).await;
    assert_eq!((status, lambda.as_str()), (200, "answers"), "{log}");
}
