//! How requests are shared out to instances, and how instances end.

use akademi_component_host::Limits;
use futures::future::join_all;
use std::time::Duration;
use tokio::{net::TcpStream, time::sleep};

use crate::application::App;

/// Sends `count` slow requests, each after the one before is being served, and gives for each how many others
/// its instance was serving then.
async fn companions(app: &App, count: usize) -> Vec<u64> {
    for sent in 1..=count {
        app.send_slow();
        app.logged("slow beside ", sent).await;
    }
    app.logged("slow beside ", count).await.iter().map(|number| number.parse().unwrap()).collect()
}

#[tokio::test]
async fn an_instance_serves_128_requests_in_its_life() {
    let app = App::start().await;
    let mut served = Vec::new();
    for _ in 0..300 {
        served.push(app.get("/do/served").await.1.parse::<u64>().unwrap());
    }
    let expected: Vec<u64> = (0..300).map(|number| number % 128 + 1).collect();
    assert_eq!(served, expected);
    if let Some(instances) = app.running.instances("fixture") {
        assert_eq!((instances.started, instances.failed), (3, 0));
    }
    app.running.shutdown().await;
}

#[tokio::test]
async fn an_instance_serves_sixteen_requests_at_once() {
    let app = App::start().await;
    let expected: Vec<u64> = (0..18).map(|number| number % 16).collect();
    assert_eq!(companions(&app, 18).await, expected);
    app.running.shutdown().await;
}

#[tokio::test]
async fn with_one_request_at_once_nobody_has_company() {
    let app = App::with_limits(Limits { concurrent_requests: 1, ..Limits::default() }).await;
    assert_eq!(companions(&app, 4).await, [0; 4]);
    app.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_instance_at_a_time_serves_whoever_waits() {
    let limits = Limits { instances: Some(1), concurrent_requests: 4, ..Limits::default() };
    let app = App::with_limits(limits).await;
    if app.running.instances("fixture").is_none() {
        println!("skipped: a real Spin does not limit instances");
        return;
    }
    let started = || app.running.instances("fixture").unwrap().started;
    let mut served: Vec<u64> =
        join_all((0..100).map(async |_| app.get("/do/served").await.1.parse().unwrap())).await;
    served.sort_unstable();
    assert_eq!(served, (1..=100).collect::<Vec<_>>());
    assert_eq!(started(), 1);
    // The next one comes when this one has ended.
    assert_eq!(app.get("/do/trap/x").await.0, 500);
    assert_eq!(app.get("/do/served").await, (200, "1".to_owned()));
    assert_eq!(started(), 2);
    app.running.shutdown().await;
}

#[tokio::test]
async fn a_slow_request_holds_up_nobody() {
    let app = App::start().await;
    app.send_slow();
    app.logged("slow beside ", 1).await;
    for number in 0..50 {
        assert_eq!(app.get("/do/served").await, (200, (number + 2).to_string()), "the same instance");
    }
    app.running.shutdown().await;
}

#[tokio::test]
async fn a_trap_is_an_empty_500_and_ends_its_instance_only() {
    let app = App::start().await;
    // Another component's instance is not the one that traps.
    assert_eq!(app.get("/other/served").await.1, "1");
    let in_the_same_instance = app.send_slow();
    app.logged("slow beside ", 1).await;
    assert_eq!(app.get("/do/trap/ouch").await, (500, String::new()));
    assert_eq!(app.get("/do/served").await, (200, "1".to_owned()), "a new instance");
    assert_eq!(app.get("/other/served").await.1, "2");
    let status = in_the_same_instance.await.unwrap().unwrap();
    assert_eq!(status, 500, "the request that shared the instance is lost with it");
    let log = app.running.log().text();
    assert!(log.contains("panicked at"), "{log}");
    assert!(log.contains("ouch"), "{log}");
    if let Some(instances) = app.running.instances("fixture") {
        assert_eq!((instances.started, instances.failed), (2, 1));
        assert!(log.contains("instance failed: "), "{log}");
    }
    app.running.shutdown().await;
}

#[tokio::test]
async fn traps_among_many_requests_do_not_stop_the_others() {
    let app = App::start().await;
    let answers = join_all((0..200).map(async |number| {
        // One after the other into the same instances, so that each trap finds company now and then.
        sleep(Duration::from_millis(number)).await;
        match number % 20 {
            0 => app.get("/do/trap/x").await.0,
            _ => app.get("/do/served").await.0,
        }
    }))
    .await;
    let lost = answers.iter().filter(|status| **status == 500).count();
    let served = answers.iter().filter(|status| **status == 200).count();
    assert_eq!(lost + served, 200);
    assert!((10..100).contains(&lost), "{lost} lost");
    assert_eq!(app.get("/do/served").await.0, 200);
    app.running.shutdown().await;
}

#[tokio::test]
async fn an_idle_instance_ends_after_its_time() {
    let limits = Limits { idle_instance: Duration::from_secs(1), ..Limits::default() };
    let app = App::with_limits(limits).await;
    assert_eq!(app.get("/do/served").await.1, "1");
    assert_eq!(app.get("/do/served").await.1, "2");
    sleep(Duration::from_millis(2500)).await;
    assert_eq!(app.get("/do/served").await.1, "1");
    app.running.shutdown().await;
}

#[tokio::test]
async fn a_request_over_its_time_is_a_500() {
    let limits = Limits { request_timeout: Some(Duration::from_secs(3)), ..Limits::default() };
    let app = App::with_limits(limits).await;
    assert_eq!(app.get("/do/slow/1").await.0, 200);
    assert_eq!(app.get("/do/slow/60000").await.0, 500);
    assert_eq!(app.get("/do/served").await.0, 200);
    app.running.shutdown().await;
}

#[tokio::test]
async fn shutdown_ends_what_is_under_way_and_frees_the_port() {
    let app = App::start().await;
    let address = app.running.addr;
    let request = app.send_slow();
    app.logged("slow beside ", 1).await;
    tokio::time::timeout(Duration::from_secs(20), app.running.shutdown()).await.unwrap();
    assert!(request.await.unwrap().is_err());
    assert!(TcpStream::connect(address).await.is_err());
}
