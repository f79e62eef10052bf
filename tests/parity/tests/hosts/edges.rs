//! The edge on its engines, each with a Lambda plane and stores of its own.

use akademi_domain::time::Timestamp;
use akademi_host_tests::{Engine, RunningEdge, engine::silent_ports, insistent::Insistent};
use akademi_parity::{Deployment, Doors, Exchange, run, seed_statements};

use crate::lambda_plane::LambdaHost;

fn system_now() -> Timestamp {
    silent_ports().now()
}

fn deployment() -> Deployment {
    Deployment::new(system_now()).unwrap()
}

/// The reference: both planes in this process.
pub async fn local() -> Vec<Exchange> {
    on(Engine::Local).await
}

pub async fn spin() -> Vec<Exchange> {
    on(Engine::Spin).await
}

pub async fn workerd() -> Vec<Exchange> {
    on(Engine::Workerd).await
}

async fn on(engine: Engine) -> Vec<Exchange> {
    let mut deployment = deployment();
    let plane = LambdaHost::in_process(&mut deployment).await;
    record(engine, &deployment, plane).await
}

/// The edge as on the local host, in front of the binaries that run on AWS Lambda.
pub async fn lambda() -> Vec<Exchange> {
    let mut deployment = deployment();
    let plane = LambdaHost::binaries(&mut deployment).await;
    record(Engine::Local, &deployment, plane).await
}

async fn record(engine: Engine, deployment: &Deployment, plane: LambdaHost) -> Vec<Exchange> {
    let edge = RunningEdge::start(engine, &deployment.variables, seed_statements(deployment).unwrap())
        .await
        .unwrap();
    let academy = |host: &str| edge.base(host);
    let platform = deployment.variables["lambda_url"].clone();
    let doors = Doors { http: Insistent::new(), academy: &academy, platform };
    let exchanges = run(deployment, doors, &system_now).await.unwrap_or_else(|error| panic!("{error:?}"));
    let log = edge.stop().await.unwrap();
    plane.stop().await;
    // For whoever looks for the cause of a difference.
    for line in log.lines().filter(|line| line.contains("\"status\":500") || line.contains("panicked")) {
        println!("{line}");
    }
    exchanges
}
