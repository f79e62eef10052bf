//! A suspended academy is gone within a second, from whatever memory answered for it.

use akademi_edge_store::{Database, operations::suspend_academy, rusqlite::SqliteFile};
use akademi_host_tests::{Academies, Engine, RunningEdge, engine::silent_ports, learners::enrol_learners};
use akademi_local::api_client::{Answer, ApiClient};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};
use std::time::{Duration, Instant};

use crate::asks::{Ask, Asker, asks};

/// How a page is asked for: plainly, compressed, and by who has it already.
fn manners(etag: Option<&HeaderValue>) -> Vec<HeaderMap> {
    let mut manners = Vec::new();
    for known in std::iter::once(None).chain(etag.map(Some)) {
        for coding in ["identity", "gzip"] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(coding));
            headers.extend(known.map(|etag| (header::IF_NONE_MATCH, etag.clone())));
            manners.push(headers);
        }
    }
    manners
}

async fn get(client: &ApiClient, path: &str, headers: &HeaderMap) -> Answer {
    let headers: Vec<_> = headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    client.send(Method::GET, path, &headers, Bytes::new()).await.unwrap()
}

#[allow(clippy::disallowed_methods, reason = "the test is about time that passes")]
async fn is_gone_within_a_second(engine: Engine) {
    let academies = Academies::new("http://127.0.0.1:9").unwrap();
    let edge = RunningEdge::start(engine, &academies.variables, academies.statements()).await.unwrap();
    academies.publish(&edge).await.unwrap();
    let learners = enrol_learners(&academies, &edge, 1).await.unwrap();
    let (client, other) = (academies.client(&edge, 0), academies.client(&edge, 1));
    let is_page = |ask: &Ask, academy| ask.asker == Asker::Visitor(academy) && ask.status == 200;
    let asks = asks(&academies, &learners);
    let pages: Vec<_> = asks.iter().filter(|ask| is_page(ask, 0)).collect();
    assert_eq!(pages.len(), 6);

    // Until each is warm in every memory.
    let mut warm = Vec::new();
    for page in &pages {
        let first = get(&client, page.path(), &manners(None)[0]).await;
        let manners = manners(first.headers.get(header::ETAG));
        for _ in 0..3 {
            for manner in &manners {
                let answer = get(&client, page.path(), manner).await;
                let expected = if manner.contains_key(header::IF_NONE_MATCH) { 304 } else { 200 };
                assert_eq!(answer.status, expected, "{} {manner:?}", page.name);
            }
        }
        warm.push((*page, manners));
    }
    assert!(warm.iter().filter(|(_, manners)| manners.len() == 4).count() >= 4, "hardly a page has an ETag");

    let store = SqliteFile::open(&edge.database).unwrap();
    store.batch(suspend_academy(academies.both[0].id, silent_ports().now())).await.unwrap();
    let suspended = Instant::now();
    for (page, manners) in &warm {
        for manner in manners {
            loop {
                let asked = suspended.elapsed();
                let answer = get(&client, page.path(), manner).await;
                if answer.status == 404 {
                    let problem = String::from_utf8_lossy(&answer.body);
                    assert!(problem.contains("/problems/unknown-academy"), "{} {problem}", page.name);
                    break;
                }
                assert!(
                    asked < Duration::from_secs(1),
                    "{} {manner:?}: {} after {asked:?}",
                    page.name,
                    answer.status
                );
            }
        }
    }
    println!("gone after {:?}", suspended.elapsed());
    // Nothing comes back, and nobody else is gone.
    tokio::time::sleep(Duration::from_millis(1_100).saturating_sub(suspended.elapsed())).await;
    for (page, manners) in &warm {
        for manner in manners {
            assert_eq!(get(&client, page.path(), manner).await.status, 404, "{}", page.name);
        }
    }
    for page in asks.iter().filter(|ask| is_page(ask, 1)) {
        assert_eq!(get(&other, page.path(), &HeaderMap::new()).await.status, 200, "{}", page.name);
    }
    edge.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_academy_is_gone_from_a_process_within_a_second() {
    is_gone_within_a_second(Engine::Local).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_academy_is_gone_from_the_components_within_a_second() {
    is_gone_within_a_second(Engine::Spin).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_academy_is_gone_from_workerd_within_a_second() {
    is_gone_within_a_second(Engine::Workerd).await;
}
