//! The Worker's HTTP client, on a stand-in for the Lambda plane.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    thread,
    time::{Duration, Instant},
};

use crate::client::{UMRANIYE, get, start, variables};

#[test]
#[allow(clippy::disallowed_methods, reason = "the test is about time that passes")]
fn the_lambda_plane_is_reached_and_waited_for_no_longer_than_ten_seconds() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut variables = variables();
    variables.insert("lambda_url".into(), format!("http://{}", listener.local_addr().unwrap()));
    let running = start(variables);
    let ready = || get(&running, UMRANIYE, "/health/ready").send();

    let stand_in = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut line = String::new();
        BufReader::new(&stream).read_line(&mut line).unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}").unwrap();
        drop(stream);
        // From now on connections are taken and never answered.
        (line, listener)
    });
    assert_eq!(ready().expect(200)["lambda"], "answers");
    let (line, _listener) = stand_in.join().unwrap();
    assert_eq!(line, "GET /internal/health HTTP/1.1\r\n");

    let started = Instant::now();
    assert_eq!(ready().expect(503)["lambda"], "down");
    let waited = started.elapsed();
    println!("gave up after {waited:.1?}");
    assert!((Duration::from_secs(9)..Duration::from_secs(20)).contains(&waited), "{waited:.1?}");
}
