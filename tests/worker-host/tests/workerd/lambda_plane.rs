//! The Worker's HTTP client, on a stand-in for the Lambda plane.

use akademi_api::{Caller, token::TokenSigner};
use akademi_domain::{
    ids::{SessionId, UserId},
    permission::{Permission, Permissions},
    time::Timestamp,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use crate::client::{UMRANIYE, get, start, variables};

#[test]
#[allow(clippy::disallowed_methods, reason = "the test is about time that passes")]
fn the_lambda_plane_learns_who_asks_and_is_waited_for_no_longer_than_ten_seconds() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut variables = variables();
    variables.insert("lambda_url".into(), format!("http://{}", listener.local_addr().unwrap()));
    let token = instructor(&variables["token_signing_keys"]);
    let running = start(variables);
    let stand_in = thread::spawn(move || {
        let requests = [answer(&listener), answer(&listener)];
        // From now on connections are taken and never answered.
        (requests, listener)
    });

    let ready = || get(&running, UMRANIYE, "/health/ready").send();
    assert_eq!(ready().expect(200)["lambda"], "answers");
    let courses = get(&running, UMRANIYE, "/api/v1/authoring/courses?limit=2").bearer(&token);
    assert_eq!(courses.header("cf-connecting-ip", "192.0.2.1").send().expect(200), json!({}));

    let ([health, courses], _listener) = stand_in.join().unwrap();
    assert_eq!(health[0], "GET /internal/health HTTP/1.1");
    assert_eq!(courses[0], "GET /api/v1/authoring/courses?limit=2 HTTP/1.1");
    assert!(!courses.iter().any(|line| line.contains(&token)), "{courses:?}");
    let context = &claims(&courses)["context"];
    assert_eq!((&context["host"], &context["client"]), (&json!(UMRANIYE), &json!("192.0.2.1")));

    let started = Instant::now();
    assert_eq!(ready().expect(503)["lambda"], "down");
    let waited = started.elapsed();
    println!("gave up after {waited:.1?}");
    assert!((Duration::from_secs(9)..Duration::from_secs(20)).contains(&waited), "{waited:.1?}");
}

/// The access token of somebody who may read what is being written.
#[allow(clippy::disallowed_methods, reason = "the Worker checks the token by the real clock")]
fn instructor(signing_keys: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let now = Timestamp::from_millis(now.as_millis().try_into().unwrap());
    let caller = Caller {
        tenant: "01890000-0000-7000-8000-000000000001".parse().unwrap(),
        user: UserId::new(now, [1; 10]),
        session: SessionId::new(now, [2; 10]),
        permissions: Permissions::from_bits(0).with(Permission::CoursesWrite),
    };
    TokenSigner::from_config(signing_keys).unwrap().sign(&caller, now, [3; 16]).unwrap()
}

/// Answers one request with an empty object; the lines of its head.
fn answer(listener: &TcpListener) -> Vec<String> {
    let (mut stream, _) = listener.accept().unwrap();
    let lines =
        BufReader::new(&stream).lines().map(Result::unwrap).take_while(|line| !line.is_empty()).collect();
    let head =
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n";
    stream.write_all(format!("{head}{{}}").as_bytes()).unwrap();
    lines
}

/// What the signed header of a call says.
fn claims(head: &[String]) -> Value {
    let call = head.iter().find(|line| line.to_lowercase().starts_with("akademi-call: ")).unwrap();
    let claims = call.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap()
}
