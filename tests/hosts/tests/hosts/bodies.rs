//! Bodies over the limit are refused before they have been read whole.

use akademi_host_tests::{Academies, Engine, RunningEdge};
use std::time::{Duration, Instant};
use tokio::{io::AsyncWriteExt, net::TcpSocket};

use crate::raw::{RawAnswer, exchange, read};

const GIGABYTE: usize = 1 << 30;
/// What a refused stream may have brought: the limit, and what lies in buffers of both ends.
const TAKEN_AT_MOST: usize = 24 << 20;
/// Routes whose bodies are JSON of at most 64 KiB, and at most 4 MiB where the other plane calls.
const ROUTES: [&str; 2] = ["/api/v1/auth/register", "/internal/feed"];

async fn start(engine: Engine) -> (Academies, RunningEdge) {
    let academies = Academies::new("http://127.0.0.1:9").unwrap();
    let edge = match engine {
        // Real Spin has no limit of its own: the functions' is what holds.
        Engine::Spin => RunningEdge::start_spin(&academies.variables, academies.statements(), |options| {
            options.limits.max_request_body = 2 * GIGABYTE;
        })
        .await
        .unwrap(),
        Engine::Local | Engine::Workerd => {
            RunningEdge::start(engine, &academies.variables, academies.statements()).await.unwrap()
        }
    };
    (academies, edge)
}

fn head(academies: &Academies, path: &str, framing: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\n{framing}\r\nconnection: close\r\n\r\n",
        academies.both[0].host
    )
}

/// Sends chunks until the server has answered or takes no more; its answer, and how many bytes it took.
async fn stream(edge: &RunningEdge, head: &str) -> (RawAnswer, usize) {
    let socket = TcpSocket::new_v4().unwrap();
    // So that what was written is about what was taken.
    socket.set_send_buffer_size(64 << 10).unwrap();
    let (mut reader, mut writer) = socket.connect(edge.address).await.unwrap().into_split();
    writer.write_all(head.as_bytes()).await.unwrap();
    let answered = tokio::spawn(async move { read(&mut reader).await });
    let chunk = [b"10000\r\n".as_slice(), &[b' '; 0x10000], b"\r\n"].concat();
    let mut taken = 0;
    while taken < GIGABYTE && !answered.is_finished() {
        let write = tokio::time::timeout(Duration::from_secs(2), writer.write_all(&chunk)).await;
        if !matches!(write, Ok(Ok(()))) {
            break;
        }
        taken += 0x10000;
    }
    (answered.await.unwrap(), taken)
}

#[allow(clippy::disallowed_methods, reason = "the test is about time that passes")]
async fn large_bodies_are_refused(engine: Engine) {
    let (academies, edge) = start(engine).await;
    for path in ROUTES {
        let started = Instant::now();
        let announced = head(&academies, path, &format!("content-length: {GIGABYTE}"));
        let answer = exchange(edge.address, &announced).await;
        let waited = started.elapsed();
        assert_eq!(answer.status, Some(413), "{path}: {answer:?}");
        assert!(waited < Duration::from_secs(20), "{path}: {waited:?}");

        let chunked = head(&academies, path, "transfer-encoding: chunked");
        let (answer, taken) = stream(&edge, &chunked).await;
        println!("{engine:?} {path}: answered after {waited:?}; took {taken} bytes of a stream");
        assert_eq!(answer.status, Some(413), "{path}: {answer:?}");
        assert!(taken < TAKEN_AT_MOST, "{path}: took {taken} bytes");
    }
    // It goes on answering.
    let answer = academies.client(&edge, 0).get("/api/v1/academy").await.unwrap();
    assert_eq!(answer.status, 200);
    edge.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_refuses_a_large_body_before_it_has_come() {
    large_bodies_are_refused(Engine::Local).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn components_refuse_a_large_body_before_it_has_come() {
    large_bodies_are_refused(Engine::Spin).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_refuses_a_large_body_before_it_has_come() {
    large_bodies_are_refused(Engine::Workerd).await;
}
