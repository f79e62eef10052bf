//! An academy whose orders are paid at iyzico: the browser's return and the webhook, in either order, and forged.

use akademi_api::{caller::ClientAddress, ports::HttpClient as _};
use akademi_payment_sandbox::{Behaviour, Config, Handle, serve};
use akademi_payments::{ConfigureError, iyzico::IyzicoConfig, paytr::Secret};
use axum::body::Body;
use bytes::Bytes;
use http::{Method, Request, header};
use serde_json::{Value, json};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::net::TcpListener;

use crate::academy::{Academy, course, learner, person, tenant};
use crate::answer::Answer;
use crate::ports::Provider;
use crate::sandbox::{Network, callbacks};

const API_KEY: &str = "sandbox-demoApiKey0001";
const SECRET_KEY: &str = "sandbox-demoSecretKey0001";

pub struct World {
    pub academy: Academy,
    sandbox: SocketAddr,
    /// The webhook's path.
    webhook: String,
    _running: Handle,
}

/// An order whose page is open.
pub struct Open {
    pub id: String,
    page: String,
    pub token: String,
}

pub async fn start(behaviour: Behaviour) -> World {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let config = Config { behaviour, ..Config::default() };
    let (sandbox, running) = serve("127.0.0.1:0".parse().unwrap(), config).await.unwrap();
    let base_url = format!("http://{sandbox}");
    let academy = Academy::with(Provider::new(), Arc::new(Network::new()), &base_url).await;
    let config = IyzicoConfig {
        api_key: API_KEY.to_owned(),
        secret_key: Secret::new(SECRET_KEY),
        base_url: base_url.parse().unwrap(),
        buyer_city: "İstanbul".to_owned(),
    };
    let webhook = academy.payments.configure(tenant(1), config).await.unwrap();
    academy.payments.take_orders_at(tenant(1), "iyzico").await.unwrap();
    let router = akademi_payments::callbacks(academy.payments.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let world = World { academy, sandbox, webhook, _running: running };
    let url = format!("http://platform.localhost:{port}{}", world.webhook);
    let merchant =
        json!({"merchant_id": "7", "api_key": API_KEY, "secret_key": SECRET_KEY, "webhook_url": url});
    world.steer("iyzico-merchants", &merchant).await;
    world
}

/// No webhook before the browser is back, and none for a long time after it.
pub fn late() -> Behaviour {
    Behaviour { copies: 1, before_return: 0, delay_ms: 600_000, ..Behaviour::default() }
}

/// One webhook before the browser is back.
fn early() -> Behaviour {
    Behaviour { copies: 1, ..Behaviour::default() }
}

impl World {
    pub async fn steer(&self, what: &str, body: &Value) {
        let request = Request::post(format!("http://{}/sandbox/{what}", self.sandbox))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Bytes::from(body.to_string()))
            .unwrap();
        assert!(Network::new().send(request).await.unwrap().status().is_success());
    }

    /// Orders course 1.
    pub async fn order(&self, n: u8) -> Open {
        let quote = self.academy.quote(learner(n), &[(1, 14990)], None);
        let made = self.academy.order(learner(n), "k", &quote).await;
        assert_eq!(made.status, 201, "{}", made.json());
        let page = made.json()["checkout"]["page"].as_str().unwrap().to_owned();
        let token = page.rsplit_once('/').unwrap().1.split_once('?').unwrap().0.to_owned();
        Open { id: made.json()["id"].as_str().unwrap().to_owned(), page, token }
    }

    /// What a browser does on the page.
    pub async fn press(&self, open: &Open, form: &'static str) {
        let request = Request::post(&open.page)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Bytes::from_static(form.as_bytes()))
            .unwrap();
        let page = Network::new().send(request).await.unwrap();
        let page = String::from_utf8(page.body().to_vec()).unwrap();
        let action = format!("http://umraniye.localhost:3000/api/v1/orders/{}/return", open.id);
        assert!(page.contains(&action) && page.contains(&open.token), "{page}");
    }

    /// The browser's return with this token; what the order's page is told.
    pub async fn come_back(&self, open: &Open, token: &str) -> String {
        let body = format!("token={token}");
        let answer = self.academy.visit(&format!("/api/v1/orders/{}/return", open.id), body).await;
        assert_eq!(answer.status, 303);
        let location = answer.headers[header::LOCATION].to_str().unwrap();
        let (page, returned) = location.split_once("?returned=").unwrap();
        assert_eq!(page, format!("/orders/{}", open.id));
        returned.to_owned()
    }

    async fn webhook(&self, body: &str, signature: &str, from: Option<&str>) -> Answer {
        let mut request = Request::post(&self.webhook)
            .header(header::CONTENT_TYPE, "application/json")
            .header("x-iyz-signature-v3", signature)
            .body(Body::from(body.to_owned()))
            .unwrap();
        if let Some(address) = from {
            request.extensions_mut().insert(ClientAddress(address.to_owned()));
        }
        self.academy.send(request).await
    }

    /// Waits until the order is paid, which a webhook may still be about.
    async fn is_paid(&self, n: u8, open: &Open) -> bool {
        for _ in 0..200 {
            if self.academy.state(n, &open.id).await == "paid" {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        false
    }

    async fn alarms(&self) -> Vec<String> {
        self.academy.texts("SELECT kind FROM payment_alarm ORDER BY kind").await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_browsers_return_settles_what_an_inquiry_proves() {
    let world = start(late()).await;
    let open = world.order(1).await;
    assert_eq!(world.come_back(&open, &open.token).await, "pending", "nobody has paid yet");
    assert_eq!(world.academy.state(1, &open.id).await, "pending");
    world.press(&open, "sonuc=ode").await;
    for _ in 0..2 {
        assert_eq!(world.come_back(&open, &open.token).await, "paid");
    }
    assert_eq!(world.academy.state(1, &open.id).await, "paid");
    assert_eq!(world.academy.granted(person(1)).await, [course(1)]);
    assert_eq!(world.academy.number("SELECT count(*) FROM ledger_transaction").await, 1);
    assert_eq!(
        world.academy.texts("SELECT account FROM ledger_entry WHERE amount > 0").await,
        ["provider:iyzico"]
    );
    assert!(world.alarms().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_settles_before_the_browser_is_back_and_the_two_pay_once() {
    let world = start(early()).await;
    let open = world.order(1).await;
    world.press(&open, "sonuc=ode").await;
    assert_eq!(world.academy.state(1, &open.id).await, "paid");
    assert_eq!(world.come_back(&open, &open.token).await, "paid");
    assert_eq!(world.academy.granted(person(1)).await, [course(1)]);
    assert_eq!(world.academy.number("SELECT count(*) FROM ledger_transaction").await, 1);
    assert_eq!(world.academy.texts("SELECT outcome FROM payment_callback").await, ["applied"]);
    assert_eq!(
        world.academy.number("SELECT count(*) FROM payment_callback WHERE length(signature) = 64").await,
        1,
        "kept as it came, signature and all"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn returns_and_webhooks_at_once_pay_once() {
    let world =
        start(Behaviour { copies: 4, simultaneous: true, before_return: 0, ..Behaviour::default() }).await;
    let open = world.order(1).await;
    world.press(&open, "sonuc=ode").await;
    let returns = futures::future::join_all((0..4).map(|_| world.come_back(&open, &open.token))).await;
    assert_eq!(returns, ["paid"; 4]);
    callbacks(&world.academy, 4).await;
    assert_eq!(world.academy.granted(person(1)).await, [course(1)]);
    assert_eq!(world.academy.number("SELECT count(*) FROM ledger_transaction").await, 1);
    assert!(world.alarms().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declined_payment_fails_the_order() {
    let world = start(late()).await;
    let open = world.order(1).await;
    world.press(&open, "sonuc=reddet&neden=10051").await;
    assert_eq!(world.come_back(&open, &open.token).await, "failed");
    assert_eq!(world.academy.state(1, &open.id).await, "failed");
    let failure = world.academy.texts("SELECT state || ' ' || failure_code FROM payment").await;
    assert_eq!(failure, ["failed 10051"]);
    assert!(world.academy.granted(person(1)).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_return_asks_nobody_and_changes_nothing() {
    let world = start(late()).await;
    let (mine, other) = (world.order(1).await, world.order(2).await);
    world.press(&other, "sonuc=ode").await;
    world
        .steer("behaviour", &json!({"faults": [{"endpoint": "inquiry", "kind": "error_before", "times": 1}]}))
        .await;
    for token in [other.token.as_str(), "", "x", &mine.id] {
        assert_eq!(world.come_back(&mine, token).await, "pending", "{token}");
    }
    assert_eq!(world.academy.state(1, &mine.id).await, "pending");
    assert_eq!(world.academy.state(2, &other.id).await, "pending");
    assert_eq!(world.come_back(&other, &other.token).await, "pending", "the first that asks meets the 500");
    assert_eq!(world.come_back(&other, &other.token).await, "paid");
    let large = format!("token={}", "x".repeat(17 * 1024));
    let path = format!("/api/v1/orders/{}/return", mine.id);
    assert_eq!(world.academy.visit(&path, large).await.status, 413);
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_webhooks_are_kept_and_change_nothing_until_an_honest_one_comes() {
    let behaviour = Behaviour { before_return: 0, corrupt_hash: 1, forge_amount: 1, retry_ms: 10, ..early() };
    let world = start(behaviour).await;
    let open = world.order(1).await;
    world.press(&open, "sonuc=ode").await;
    callbacks(&world.academy, 3).await;
    assert!(world.is_paid(1, &open).await);
    assert_eq!(world.alarms().await, ["wrong_signature", "wrong_signature"]);
    // The honest body under another signature is a forgery, and makes the honest one no less true.
    let body = world
        .academy
        .texts("SELECT convert_from(body, 'UTF8') FROM payment_callback WHERE verification = 'verified'")
        .await;
    assert_eq!(world.webhook(&body[0], &"0".repeat(64), None).await.status, 400);
    assert_eq!(
        world.academy.number("SELECT count(*) FROM payment_callback WHERE verification = 'verified'").await,
        1
    );
    assert_eq!(world.alarms().await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_too_little_raises_an_alarm_whoever_asked() {
    let world = start(Behaviour { misstated_total: Some(1), ..early() }).await;
    let open = world.order(1).await;
    world.press(&open, "sonuc=ode").await;
    assert_eq!(world.come_back(&open, &open.token).await, "pending");
    assert_eq!(world.academy.state(1, &open.id).await, "pending");
    assert_eq!(world.alarms().await, ["wrong_amount", "wrong_amount"], "of the webhook and of the return");
    assert_eq!(world.academy.number("SELECT count(*) FROM ledger_entry").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_could_not_be_asked_about_is_repeated_and_settles() {
    let behaviour = Behaviour { before_return: 0, retry_ms: 20, ..early() };
    let world = start(behaviour).await;
    let open = world.order(1).await;
    let fault = json!({"copies": 1, "before_return": 0, "retry_ms": 20,
                       "faults": [{"endpoint": "inquiry", "kind": "error_before", "times": 2}]});
    world.steer("behaviour", &fault).await;
    world.press(&open, "sonuc=ode").await;
    callbacks(&world.academy, 3).await;
    assert!(world.is_paid(1, &open).await);
    assert!(world.alarms().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn money_that_is_looked_at_for_fraud_pays_nothing_yet() {
    let world = start(early()).await;
    let open = world.order(1).await;
    world.press(&open, "sonuc=incele").await;
    assert_eq!(world.come_back(&open, &open.token).await, "pending");
    assert_eq!(world.academy.state(1, &open.id).await, "pending");
    assert_eq!(world.academy.texts("SELECT outcome FROM payment_callback").await, ["nothing"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_from_an_address_that_is_not_listed_changes_nothing() {
    let world = start(late()).await;
    let open = world.order(1).await;
    let networks = ["203.0.113.0/24".parse().unwrap(), "2001:db8::/32".parse().unwrap()];
    world.academy.payments.take_callbacks_from(tenant(1), "iyzico", &networks).await.unwrap();
    world.press(&open, "sonuc=ode").await;
    world.steer("behaviour", &json!({"copies": 1})).await;
    let second = world.order(2).await;
    world.press(&second, "sonuc=ode").await;
    callbacks(&world.academy, 1).await;
    assert_eq!(world.alarms().await, ["unlisted_address"], "the sandbox is not on the list");
    assert_eq!(world.academy.state(2, &second.id).await, "pending");
    let known = world.academy.texts("SELECT convert_from(body, 'UTF8') FROM payment_callback").await;
    let signature = world.academy.texts("SELECT signature FROM payment_callback").await;
    for (from, status) in [(None, 400), (Some("198.51.100.1"), 400), (Some("203.0.113.9"), 200)] {
        let answer = world.webhook(&known[0], &signature[0], from).await;
        assert_eq!(answer.status, status, "{from:?}");
    }
    assert_eq!(world.academy.state(2, &second.id).await, "paid");
    let verification = world.academy.texts("SELECT verification FROM payment_callback").await;
    assert_eq!(verification, ["verified"]);
    assert_eq!(world.come_back(&open, &open.token).await, "paid", "buyers come from anywhere");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_academy_says_who_takes_its_orders_and_begun_attempts_go_on_where_they_are() {
    let world = start(late()).await;
    let begun = world.order(1).await;
    world.academy.payments.take_orders_at(tenant(1), "paytr").await.unwrap();
    let quote = world.academy.quote(learner(2), &[(1, 14990)], None);
    let made = world.academy.order(learner(2), "k", &quote).await;
    // The sandbox knows no such merchant of PayTR's.
    assert_eq!(made.status, 503);
    let providers = world.academy.texts("SELECT provider FROM payment ORDER BY created_at, id").await;
    assert_eq!(providers, ["iyzico", "paytr"]);
    world.press(&begun, "sonuc=ode").await;
    assert_eq!(world.come_back(&begun, &begun.token).await, "paid");

    let nowhere = world.academy.payments.take_orders_at(tenant(1), "stripe").await;
    assert!(matches!(nowhere, Err(ConfigureError::NoAccount(name)) if name == "stripe"));
    let chosen = world.academy.texts("SELECT provider FROM payment_account WHERE takes_orders").await;
    assert_eq!(chosen, ["paytr"], "what cannot be chosen leaves the choice as it was");
    let path = format!("/api/v1/orders/{}/return", begun.id);
    let read = world.academy.call(learner(1), Method::GET, &path, None, None).await;
    assert_eq!(read.status, 405);
}
