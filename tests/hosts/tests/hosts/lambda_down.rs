//! The Lambda plane is down: what is forwarded to it ends in bounded time, and nothing else notices.

use akademi_host_tests::{Academies, Engine, RunningEdge, learners::enrol_learners};
use std::time::{Duration, Instant};
use tokio::net::TcpSocket;

use crate::{asks::asks, raw::exchange, storm::finding};

/// The longest that a host's client waits for the other plane is 15 s, and 10 s at the edge.
const BOUND: Duration = Duration::from_secs(25);
/// More connections than are opened here.
const BACKLOG: u32 = 1024;

#[allow(clippy::disallowed_methods, reason = "the test is about time that passes")]
async fn nobody_notices(engine: Engine) {
    // A port that nobody else can have, and that is refused until somebody listens there.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let lambda = socket.local_addr().unwrap();
    let academies = Academies::new(&format!("http://{lambda}")).unwrap();
    let edge = RunningEdge::start(engine, &academies.variables, academies.statements()).await.unwrap();
    academies.publish(&edge).await.unwrap();
    let learners = enrol_learners(&academies, &edge, 1).await.unwrap();
    let visitors = [0, 1].map(|academy| academies.client(&edge, academy));
    let orders = format!(
        "GET /api/v1/orders HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\nconnection: close\r\n\r\n",
        academies.both[0].host, learners[0].token
    );
    let forwarded = async || {
        let started = Instant::now();
        let answer = exchange(edge.address, &orders).await;
        assert_eq!(answer.status, Some(503), "{engine:?}: {answer:?}");
        assert!(answer.text.to_lowercase().contains("\nretry-after: "), "{engine:?}: {answer:?}");
        assert!(answer.text.contains("/problems/unavailable"), "{engine:?}: {answer:?}");
        started.elapsed()
    };
    let refused = forwarded().await;

    // Connections are taken and never answered.
    let _listener = socket.listen(BACKLOG).unwrap();
    let others = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let started = Instant::now();
        for ask in asks(&academies, &learners) {
            let answer = ask.send(&ask.client(&visitors, &learners)).await.unwrap();
            assert_eq!(finding(&academies, &learners, &ask, &answer), None, "{engine:?}");
        }
        // The same function's own routes, in the same instance.
        assert_eq!(visitors[0].get("/health/live").await.unwrap().status, 200, "{engine:?}");
        started.elapsed()
    };
    let (given_up, also_given_up, others) = futures::join!(forwarded(), forwarded(), others);
    println!(
        "{engine:?}: refused after {refused:?}, given up after {given_up:?}, the others took {others:?}"
    );
    assert!(given_up.max(also_given_up) < BOUND, "{engine:?}: {given_up:?}");
    assert!(refused < given_up && others < given_up, "{engine:?}: {refused:?}, {others:?}");
    if let Some(instances) = edge.spin().and_then(|spin| spin.instances("origin")) {
        assert_eq!(instances.failed, 0);
    }
    edge.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lambda_plane_that_refuses_or_never_answers_is_given_up_and_nobody_else_notices() {
    // Most of it is waiting.
    futures::join!(
        nobody_notices(Engine::Local),
        nobody_notices(Engine::Spin),
        nobody_notices(Engine::Workerd)
    );
}
