//! A trap in the midst of a request, in the real components: of the guest's code nothing is known to trap, so the host ends
//! the instance where a bug would. A Worker offers no such place; its answer to a panic is wasm-bindgen's new instance.

use akademi_component_host::{Fault, Faults};
use akademi_host_tests::{
    Academies, Learner, RunningEdge,
    academies::{COURSE, TEXT},
    learners::enrol_learners,
};
use akademi_local::api_client::{Answer, ApiClient};
use futures::{FutureExt, future::join_all};
use serde_json::json;
use std::{path::Path, time::Duration};

use crate::{
    asks::{Ask, Asker, asks},
    storm::finding,
};

/// Until somebody shares an instance with the trap.
const MOST_ROUNDS: usize = 10;

/// An application whose databases are in the test's hands; `None` on a real Spin, which lets nobody break it.
async fn prepare() -> Option<(Academies, RunningEdge, Vec<Learner>, Faults)> {
    if std::env::var_os("SPIN").is_some_and(|program| !program.is_empty()) {
        println!("skipped: a real Spin takes no faults");
        return None;
    }
    let academies = Academies::new("http://127.0.0.1:9").unwrap();
    let faults = Faults::default();
    let edge = RunningEdge::start_spin(&academies.variables, academies.statements(), |options| {
        options.faults = faults.clone();
        options.limits.instances = Some(1);
    })
    .await
    .unwrap();
    academies.publish(&edge).await.unwrap();
    let learners = enrol_learners(&academies, &edge, 2).await.unwrap();
    Some((academies, edge, learners, faults))
}

fn as_learner(academies: &Academies, edge: &RunningEdge, learner: &Learner) -> ApiClient {
    academies.client(edge, learner.academy).signed_in(&learner.token)
}

async fn open_lesson(client: &ApiClient) -> anyhow::Result<Answer> {
    let path = format!("/api/v1/learning/courses/{COURSE}/lessons/{TEXT}/opening");
    client.post(&path, &json!({})).await
}

/// How many rows of the store a condition finds.
fn count(database: &Path, from: &str) -> i64 {
    let connection = rusqlite::Connection::open(database).unwrap();
    connection.query_row(&format!("SELECT count(*) FROM {from}"), [], |row| row.get(0)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_trapped_midway_left_nothing_and_goes_through_afterwards() {
    let Some((academies, edge, learners, faults)) = prepare().await else { return };
    let client = as_learner(&academies, &edge, &learners[0]);
    let opened = format!("progress WHERE lesson_id = '{TEXT}'");
    let events = count(&edge.database, "feed_event");
    let before = edge.spin().unwrap().instances("progress").unwrap();

    // The last statements of the batch: progress and clock are written by then.
    faults.set([Fault::Trap("INSERT INTO feed_event".into())]);
    let lost = open_lesson(&client).await.unwrap();
    assert_eq!((lost.status.as_u16(), lost.body.len()), (500, 0));
    faults.clear();
    assert_eq!(count(&edge.database, &opened), 0);
    assert_eq!(count(&edge.database, "feed_event"), events);
    assert_eq!(count(&edge.database, "guard"), 0);

    let answer = open_lesson(&client).await.unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(count(&edge.database, &opened), 1);
    let after = edge.spin().unwrap().instances("progress").unwrap();
    assert_eq!((after.started - before.started, after.failed - before.failed), (1, 1));
    edge.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_shares_an_instance_with_a_trap_gets_their_own_answer_or_none() {
    let Some((academies, edge, learners, faults)) = prepare().await else { return };
    let visitors = [0, 1].map(|academy| academies.client(&edge, academy));
    let is_others = |ask: &Ask| ask.name == "progress" && ask.asker != Asker::Learner(3);
    let asks: Vec<_> = asks(&academies, &learners).into_iter().filter(is_others).collect();
    let ask_all = || {
        join_all(
            asks.iter()
                .cycle()
                .take(12)
                .map(async |ask| (ask, ask.send(&ask.client(&visitors, &learners)).await.unwrap())),
        )
    };
    // The others are in the midst of reading when the trap comes.
    let slow = |learner: &Learner| Fault::Delay(learner.id.to_string(), Duration::from_millis(800));
    let (others, trapping) = learners.split_at(3);
    let stranger = as_learner(&academies, &edge, &trapping[0]);
    let mut lost = 0;
    // Where the machine has much else to do, they may not have begun to read.
    for _ in 0..MOST_ROUNDS {
        faults.set(others.iter().map(slow).chain([Fault::Trap("INSERT INTO feed_event".into())]));
        let trapped = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            open_lesson(&stranger).await.unwrap().status.as_u16()
        };
        let (answers, trapped) = futures::join!(ask_all(), trapped.boxed());
        faults.clear();
        assert_eq!(trapped, 500);
        for (ask, answer) in &answers {
            if answer.status == 500 && answer.body.is_empty() {
                lost += 1;
                continue;
            }
            assert_eq!(finding(&academies, &learners, ask, answer), None);
        }
        if lost > 0 {
            break;
        }
    }
    println!("{lost} requests went with the instance");
    assert!(lost > 0, "nobody shared the instance");

    for (ask, answer) in ask_all().await {
        assert_eq!(finding(&academies, &learners, ask, &answer), None);
    }
    let log = edge.stop().await.unwrap();
    assert!(log.contains("instance failed: "), "{log}");
}
