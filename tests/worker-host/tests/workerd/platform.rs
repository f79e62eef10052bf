//! What Cloudflare does for the Worker: its cache, its compression, its rate limit.

use akademi_worker_host::{Options, WorkerHost, build};
use flate2::read::GzDecoder;
use rusqlite::Connection;
use serde_json::{Value, json};
use std::{io::Read, path::Path};

use crate::client::{ACADEMIES, UMRANIYE, get, post, post_nothing, start, variables};

const COURSE: &str = "
INSERT INTO course (tenant_id, id, slug, version, title, summary, outline, lesson_count, duration_seconds, published_at)
VALUES ('01890000-0000-7000-8000-000000000001', '01890000-0000-7000-8000-0000000000c1', 'isik', 1, 'Işık', '', '{}', 0, 0, 5)";

/// The title of the one course in the list, as a Worker that was just started tells it.
fn title(persist_dir: &Path, change: &str) -> String {
    let options =
        Options { variables: variables(), persist_dir: Some(persist_dir.to_owned()), ..Options::default() };
    let host = WorkerHost::prepare(options).unwrap();
    Connection::open(host.database_path()).unwrap().execute_batch(change).unwrap();
    let running = host.start().unwrap();
    let list = get(&running, UMRANIYE, "/api/v1/catalog/courses").send();
    assert_eq!(list.text("cache-control"), "public, max-age=0, s-maxage=1, must-revalidate");
    list.expect(200)["data"][0]["title"].as_str().unwrap().to_owned()
}

#[test]
fn public_answers_are_in_cloudflares_cache_under_the_academys_generation() {
    build().unwrap();
    let persist_dir = tempfile::tempdir().unwrap();
    assert_eq!(title(persist_dir.path(), &format!("{ACADEMIES}; {COURSE}")), "Işık");
    // Behind everybody's back, so that only a cache can still know the old title.
    assert_eq!(
        title(persist_dir.path(), "UPDATE course SET title = 'Gölge'"),
        "Işık",
        "another isolate found it"
    );
    assert_eq!(title(persist_dir.path(), "UPDATE tenant SET generation = generation + 1"), "Gölge");
}

#[test]
fn the_runtime_compresses_what_the_headers_announce_and_the_platform_limits_password_attempts() {
    let running = start(variables());
    // miniflare compresses for whoever does not say that it must not.
    let plain =
        get(&running, UMRANIYE, "/api/openapi.json").header("accept-encoding", "identity").send_for_bytes();
    assert!(!plain.headers.contains_key("content-encoding"));
    let decode: [(&str, Decode); 2] = [("gzip", gunzip), ("br", unbrotli)];
    for (coding, decode) in decode {
        let request = get(&running, UMRANIYE, "/api/openapi.json").header("accept-encoding", coding);
        let compressed = request.send_for_bytes();
        assert_eq!(compressed.headers["content-encoding"], coding);
        assert_eq!(compressed.headers["vary"], "accept-encoding, host");
        assert!(decode(&compressed.body) == plain.body, "{coding}");
        println!("{coding}: {} of {} bytes", compressed.body.len(), plain.body.len());
    }

    let attempt = || post_nothing(&running, UMRANIYE, "/api/v1/auth/login").send();
    let mut allowed = 0;
    let refused = loop {
        let answer = attempt();
        if answer.status == 429 {
            break answer;
        }
        assert_eq!(answer.expect(415)["type"], "/problems/unsupported-media-type");
        allowed += 1;
        assert!(allowed <= 200, "nobody is ever refused");
    };
    assert_eq!(allowed, 100);
    assert_eq!(refused.text("retry-after"), "60");
    assert_eq!(refused.text("ratelimit-policy"), "\"passwords\";q=100;w=60");
    assert_eq!(refused.expect(429)["type"], "/problems/too-many-requests");
    let refresh: Value =
        post(&running, UMRANIYE, "/api/v1/auth/refresh", json!({ "refresh_token": "x" })).send().body;
    assert_eq!(refresh["type"], "/problems/token-invalid", "other routes are not limited");
}

type Decode = fn(&[u8]) -> Vec<u8>;

fn gunzip(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    GzDecoder::new(bytes).read_to_end(&mut plain).unwrap();
    plain
}

fn unbrotli(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    brotli::Decompressor::new(bytes, 4096).read_to_end(&mut plain).unwrap();
    plain
}
