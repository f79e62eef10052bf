//! Which hosts a component reaches.

use akademi_component_host::Limits;
use std::net::SocketAddr;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::application::App;

/// A server that tells each caller the Host header it got.
async fn upstream() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1000];
            let length = stream.read(&mut request).await.unwrap();
            let request = String::from_utf8_lossy(&request[..length]).to_lowercase();
            let host = request.lines().find_map(|line| line.strip_prefix("host: ")).unwrap().to_owned();
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{host}", host.len());
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    address
}

#[tokio::test]
async fn a_declared_host_is_reached_and_every_other_is_denied() {
    let (declared, undeclared) = (upstream().await, upstream().await);
    let port = declared.port().to_string();
    let hosts = "\"http://127.0.0.1:{{ upstream_port }}\", \"https://api.example.com\"";
    let app = App::with(hosts, Limits::default(), &[("upstream_port", &port)]).await;
    assert_eq!(app.post("/do/fetch", format!("http://{declared}/x")).await.1, format!("200 {declared}"));
    for url in [
        format!("http://{undeclared}/"),
        format!("https://{declared}/"),
        format!("http://localhost:{port}/"),
        "http://127.0.0.1/".to_owned(),
        "http://api.example.com/".to_owned(),
        "https://api.example.com:444/".to_owned(),
        "https://evil.api.example.com/".to_owned(),
        "https://api.example.com.evil.example/".to_owned(),
        "https://169.254.169.254/latest/meta-data".to_owned(),
    ] {
        let (status, told) = app.post("/do/fetch", url.clone()).await;
        assert_eq!((status, told.as_str()), (200, "ErrorCode::HttpRequestDenied"), "{url}");
    }
    // The grants of one component are not another's.
    let (_, told) = app.post("/other/fetch", format!("http://{declared}/")).await;
    assert_eq!(told, "ErrorCode::HttpRequestDenied");
    app.running.shutdown().await;
}

#[tokio::test]
async fn a_refusal_is_in_the_log() {
    let app = App::start().await;
    app.post("/do/fetch", "http://a.example/path").await;
    let log = app.running.log().text();
    assert!(log.contains("refused: http://a.example/path is not in allowed_outbound_hosts"), "{log}");
    app.running.shutdown().await;
}

#[tokio::test]
async fn a_wildcard_opens_no_private_network() {
    let server = upstream().await;
    let app = App::with("\"*://*:*\"", Limits::default(), &[]).await;
    for host in ["127.0.0.1", "localhost"] {
        let (_, told) = app.post("/do/fetch", format!("http://{host}:{}/", server.port())).await;
        assert_eq!(told, "ErrorCode::DestinationIpProhibited", "{host}");
    }
    app.running.shutdown().await;
    let app = App::with("\"*://*:*\", \"http://127.0.0.1:*\"", Limits::default(), &[]).await;
    assert_eq!(app.post("/do/fetch", format!("http://{server}/")).await.1, format!("200 {server}"));
    app.running.shutdown().await;
}

#[tokio::test]
async fn where_private_networks_are_blocked_not_even_a_named_host_lies_in_one() {
    let server = upstream().await;
    let named = format!("\"http://{server}\", \"http://localhost:{}\"", server.port());
    for (blocks, told) in [(true, "ErrorCode::DestinationIpProhibited"), (false, "200 ")] {
        let app = App::configured(&named, |options| options.block_private_networks = blocks).await;
        for host in ["127.0.0.1", "localhost"] {
            let (_, answer) = app.post("/do/fetch", format!("http://{host}:{}/", server.port())).await;
            assert!(answer.starts_with(told), "{host}: {answer}");
        }
        app.running.shutdown().await;
    }
}
