//! Requests and responses, and what a guest sees of the outside.

use akademi_component_host::{Limits, Source};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::application::App;

#[tokio::test]
async fn paths_go_to_their_routes_component_and_others_get_404() {
    let app = App::start().await;
    let (status, seen) = app.get("/do/echo?q=%C4%B1&x=1").await;
    assert_eq!(status, 200);
    let address = app.running.addr;
    assert!(seen.starts_with(&format!("GET http://{address}/do/echo?q=%C4%B1&x=1\n")), "{seen}");
    for header in [
        "spin-path-info: /echo".to_owned(),
        "spin-matched-route: /do/...".to_owned(),
        "spin-component-route: /do".to_owned(),
        format!("spin-full-url: http://{address}/do/echo?q=%C4%B1&x=1"),
    ] {
        assert!(seen.contains(&header), "{header}\n{seen}");
    }
    // More specific, and another component: it has no variables.
    assert_eq!(app.get("/do/people/ada").await, (200, String::new()));
    assert_eq!(app.get("/other/variable/token").await, (200, "Error::Undefined(\"token\")".to_owned()));
    for path in ["/", "/elsewhere", "/doing", "/.well-known/spin/other"] {
        assert_eq!(app.get(path).await, (404, String::new()), "{path}");
    }
    assert_eq!(app.get("/.well-known/spin/health").await.0, 200);
    app.running.shutdown().await;
}

#[tokio::test]
async fn the_host_header_reaches_the_guest_unchanged_as_its_uris_authority() {
    let app = App::start().await;
    for host in ["Umraniye.localhost:3000", "kadikoy.localhost", "127.0.0.1"] {
        let request = http::Request::get(app.url("/do/echo")).header("host", host).body(Full::default());
        let (status, seen) = app.send(request.unwrap()).await;
        assert_eq!(status, 200);
        assert!(seen.starts_with(&format!("GET http://{host}/do/echo\n")), "{seen}");
        assert!(!seen.contains("\nhost:"), "{seen}");
    }
    app.running.shutdown().await;
}

#[tokio::test]
async fn a_request_without_a_host_is_refused() {
    let app = App::start().await;
    for request in ["GET /do/echo HTTP/1.1\r\n\r\n", "GET /do/echo HTTP/1.1\r\nhost: a b\r\n\r\n"] {
        let mut stream = TcpStream::connect(app.running.addr).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 400", "{request}");
    }
    app.running.shutdown().await;
}

#[tokio::test]
async fn a_clients_own_spin_header_comes_before_spins() {
    let app = App::start().await;
    let request = http::Request::get(app.url("/do/echo")).header("spin-client-addr", "6.6.6.6:6");
    let (_, seen) = app.send(request.body(Full::default()).unwrap()).await;
    let addresses: Vec<_> = seen.lines().filter(|line| line.starts_with("spin-client-addr")).collect();
    assert_eq!(addresses.len(), 2, "{seen}");
    assert_eq!(addresses[0], "spin-client-addr: 6.6.6.6:6");
    assert!(addresses[1].starts_with("spin-client-addr: 127.0.0.1:"), "{seen}");
    app.running.shutdown().await;
}

#[tokio::test]
async fn bodies_go_through_whole_in_both_directions() {
    let app = App::start().await;
    assert_eq!(app.post("/do/length", "").await, (200, "0".to_owned()));
    assert_eq!(app.post("/do/length", vec![7; 5_000_000]).await, (200, "5000000".to_owned()));
    let (status, body) = app.get("/do/bytes/5000000").await;
    assert_eq!((status, body.len()), (200, 5_000_000));
    app.running.shutdown().await;
}

#[tokio::test]
async fn bodies_over_their_limit_are_refused_announced_or_not() {
    let limits = Limits { max_request_body: 1000, max_response_body: 1000, ..Limits::default() };
    let app = App::with_limits(limits).await;
    assert_eq!(app.post("/do/length", vec![7; 1000]).await, (200, "1000".to_owned()));
    assert_eq!(app.post("/do/length", vec![7; 1001]).await, (413, String::new()));

    // In chunks, without a length, the guest sees how its body ends.
    let chunks = (0..11).map(|_| Ok::<_, std::io::Error>(http_body::Frame::data(Bytes::from(vec![7; 100]))));
    let body = StreamBody::new(futures::stream::iter(chunks));
    let client = Client::builder(TokioExecutor::new()).build_http();
    let response =
        client.request(http::Request::post(app.url("/do/length")).body(body).unwrap()).await.unwrap();
    assert_eq!(response.status(), 400);
    let told = response.into_body().collect().await.unwrap().to_bytes();
    assert!(String::from_utf8_lossy(&told).contains("HttpRequestBodySize"), "{told:?}");

    assert_eq!(app.get("/do/bytes/1000").await.0, 200);
    // The connection ends, before or after the head of the response.
    let cut_off = match app.client.get(app.url("/do/bytes/1001").parse().unwrap()).await {
        Ok(response) => response.into_body().collect().await.is_err(),
        Err(_) => true,
    };
    assert!(cut_off);
    app.running.shutdown().await;
}

#[tokio::test]
async fn a_component_sees_its_own_variables_and_environment_only() {
    let app = App::with("", Limits::default(), &[("greeting", "merhaba")]).await;
    for (name, expected) in [
        ("message", "merhaba, world"),
        ("token", "s3cret"),
        // Of the application, but not of the component.
        ("greeting", "Error::Undefined(\"greeting\")"),
        ("NoName", "Error::InvalidName(\"NoName\")"),
    ] {
        assert_eq!(app.get(&format!("/do/variable/{name}")).await, (200, expected.to_owned()), "{name}");
    }
    assert_eq!(app.get("/do/environment/PLACE").await.1, "Ümraniye");
    assert_eq!(app.get("/other/environment/PLACE").await.1, "");
    assert_eq!(app.get("/do/environment/PATH").await.1, "");
    app.running.shutdown().await;
}

#[tokio::test]
async fn a_component_has_no_files_and_no_sockets() {
    let app = App::start().await;
    assert_eq!(app.get("/do/files").await, (200, "none".to_owned()));
    let (_, told) = app.get(&format!("/do/connect/{}", app.running.addr)).await;
    assert_ne!(told, "connected");
    app.running.shutdown().await;
}

#[tokio::test]
async fn what_a_component_prints_is_in_the_log() {
    let app = App::start().await;
    app.get("/do/print/first").await;
    app.get("/other/print/second").await;
    let log = app.running.log().clone();
    app.running.shutdown().await;
    let lines: Vec<_> =
        log.lines().into_iter().map(|line| (line.component, line.source, line.text)).collect();
    for expected in [
        ("fixture", Source::Stdout, "out first"),
        ("fixture", Source::Stderr, "err first"),
        ("other", Source::Stdout, "out second"),
        ("other", Source::Stderr, "err second"),
    ] {
        let expected = (expected.0.to_owned(), expected.1, expected.2.to_owned());
        assert!(lines.contains(&expected), "{expected:?} in {lines:?}");
    }
    assert!(log.text().contains("out first\n"));
}
