//! A host that no academy has: 404 and no academy's data, however it is spelled.

use akademi_host_tests::{
    Academies, Engine, RunningEdge,
    academies::{COMMON_WORD, SLUG},
};
use futures::{StreamExt, stream};

use crate::raw::exchange;

/// Host headers that name what no academy has.
const UNKNOWN: [&[&str]; 7] = [
    &["nobody.localhost"],
    &["localhost"],
    &["127.0.0.1"],
    &["[::1]:3000"],
    &["www.umraniye.localhost"],
    &["umraniye.localhost.evil.example"],
    &["evil-umraniye.localhost"],
];
/// Host headers that name nothing, or more than one host with an unknown one first.
const MALFORMED: [&[&str]; 5] = [
    &["umraniye.localhost%00"],
    &["umraniye.localhost/"],
    &[""],
    &["nobody.localhost", "umraniye.localhost"],
    &[],
];

/// Every public route, with what it needs to be answered.
fn public_routes() -> Vec<(&'static str, String)> {
    let serial = "c0".repeat(16);
    vec![
        ("GET", "/api/v1/academy".into()),
        ("GET", "/api/v1/catalog/courses".into()),
        ("GET", format!("/api/v1/catalog/courses/{SLUG}")),
        ("GET", format!("/api/v1/catalog/search?q={COMMON_WORD}")),
        ("GET", format!("/api/v1/certificates/{serial}")),
        ("GET", format!("/verify/{serial}")),
        ("GET", "/.well-known/jwks.json".into()),
        ("GET", "/api/openapi.json".into()),
        ("GET", "/api/docs".into()),
        ("POST", "/api/v1/auth/register".into()),
        ("POST", "/api/v1/auth/login".into()),
        ("POST", "/api/v1/auth/refresh".into()),
    ]
}

fn request(method: &str, target: &str, hosts: &[&str]) -> String {
    let hosts: String = hosts.iter().map(|host| format!("host: {host}\r\n")).collect();
    let (kind, body) = match method {
        "POST" => ("content-type: application/json\r\ncontent-length: 2\r\n", "{}"),
        _ => ("", ""),
    };
    format!("{method} {target} HTTP/1.1\r\n{hosts}{kind}connection: close\r\n\r\n{body}")
}

async fn unknown_hosts_are_nobodys(engine: Engine) {
    let academies = Academies::new("http://127.0.0.1:9").unwrap();
    let edge = RunningEdge::start(engine, &academies.variables, academies.statements()).await.unwrap();
    academies.publish(&edge).await.unwrap();
    let [first, second] = academies.both;

    for spelled in
        ["UMRANIYE.LocalHost", "umraniye.localhost.", "umraniye.localhost:8443", "umraniye.localhost.:80"]
    {
        let answer = exchange(edge.address, &request("GET", "/api/v1/academy", &[spelled])).await;
        assert_eq!(answer.status, Some(200), "{spelled}: {answer:?}");
        assert!(
            answer.text.contains(first.mark) && !answer.text.contains(second.mark),
            "{spelled}: {answer:?}"
        );
    }

    let routes = public_routes();
    let all_to = |hosts: &[&'static [&'static str]], routes: &[(&'static str, String)]| {
        let pairs = hosts.iter().flat_map(|hosts| routes.iter().map(|route| (*hosts, route.clone())));
        pairs.collect::<Vec<_>>()
    };
    let mut asked = all_to(&UNKNOWN, &routes);
    asked.extend(all_to(&MALFORMED, &routes[..2]));
    let answers = stream::iter(asked).map(async |(hosts, (method, path))| {
        let answer = exchange(edge.address, &request(method, &path, hosts)).await;
        (format!("{method} {path} of {hosts:?}"), answer)
    });
    let answers: Vec<_> = answers.buffer_unordered(16).collect().await;
    for (what, answer) in &answers {
        for academy in academies.both {
            assert!(!answer.text.contains(academy.mark), "{what}: {answer:?}");
        }
        // What is no host at all does not get past miniflare, which has an error of its own for it.
        let is_refused = matches!(answer.status, Some(400 | 404))
            || engine == Engine::Workerd
                && answer.status == Some(500)
                && !answer.text.contains("problem+json");
        assert!(is_refused, "{what}: {answer:?}");
        if answer.status == Some(404) {
            assert!(answer.text.contains("/problems/unknown-academy"), "{what}: {answer:?}");
        }
    }
    let count = |status| answers.iter().filter(|(_, answer)| answer.status == Some(status)).count();
    println!("{engine:?}: of {} answers {} are 404, {} are 400", answers.len(), count(404), count(400));
    assert!(count(404) * 2 > answers.len(), "most are the functions' own answers");
    edge.stop().await.unwrap();
}

/// Requests that name two hosts: as what they name first, or not at all, and never as what they name second.
async fn two_hosts_are_never_the_second(engine: Engine) {
    let academies = Academies::new("http://127.0.0.1:9").unwrap();
    let edge = RunningEdge::start(engine, &academies.variables, academies.statements()).await.unwrap();
    let path = "/api/v1/academy";
    for (target, hosts) in [
        (path.to_owned(), &["umraniye.localhost", "kadikoy.localhost"][..]),
        (path.to_owned(), &["umraniye.localhost", "nobody.localhost"]),
        (format!("http://kadikoy.localhost{path}"), &["umraniye.localhost"]),
        (format!("http://nobody.localhost{path}"), &["umraniye.localhost"]),
    ] {
        let answer = exchange(edge.address, &request("GET", &target, hosts)).await;
        // Spin itself takes the first of several Host headers: the component sees no other.
        let is_told_first = engine == Engine::Spin && hosts.len() > 1;
        println!("{engine:?} {target} of {hosts:?}: {:?}", answer.status);
        assert_eq!(answer.status == Some(200), is_told_first, "{target} of {hosts:?}: {answer:?}");
        assert_eq!(answer.text.contains(academies.both[0].mark), is_told_first, "{answer:?}");
        assert!(!answer.text.contains(academies.both[1].mark), "{target} of {hosts:?}: {answer:?}");
    }
    edge.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_tells_nothing_to_a_host_that_no_academy_has() {
    unknown_hosts_are_nobodys(Engine::Local).await;
    two_hosts_are_never_the_second(Engine::Local).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn components_tell_nothing_to_a_host_that_no_academy_has() {
    unknown_hosts_are_nobodys(Engine::Spin).await;
    two_hosts_are_never_the_second(Engine::Spin).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_tells_nothing_to_a_host_that_no_academy_has() {
    unknown_hosts_are_nobodys(Engine::Workerd).await;
}
