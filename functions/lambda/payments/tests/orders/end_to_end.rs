//! The whole way over HTTP: the sandbox's page, its button, its callbacks.

use akademi_api::ports::{HttpClient, Unreachable};
use akademi_payment_sandbox::{Behaviour, Config, Handle, serve};
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response, header};
use http_body_util::{BodyExt as _, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use std::{sync::Arc, time::Duration};
use tokio::net::TcpListener;

use crate::academy::{Academy, KEY, SALT, course, learner, person};
use crate::ports::Provider;

pub struct Network(Client<HttpConnector, Full<Bytes>>);

impl Network {
    pub fn new() -> Self {
        Self(Client::builder(TokioExecutor::new()).build_http())
    }
}

impl HttpClient for Network {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, Unreachable>> {
        Box::pin(async move {
            let unreachable = |error: &dyn std::fmt::Display| Unreachable(error.to_string());
            let response =
                self.0.request(request.map(Full::new)).await.map_err(|error| unreachable(&error))?;
            let (parts, body) = response.into_parts();
            let body = body.collect().await.map_err(|error| unreachable(&error))?;
            Ok(Response::from_parts(parts, body.to_bytes()))
        })
    }
}

/// An academy whose PayTR is the sandbox, which calls back over the network.
async fn start(behaviour: Behaviour) -> (Academy, Handle) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sandbox, running) =
        serve("127.0.0.1:0".parse().unwrap(), Config { behaviour, ..Config::default() }).await.unwrap();
    let academy =
        Academy::with(Provider::new(), Arc::new(Network::new()), &format!("http://{sandbox}")).await;
    let merchant = serde_json::json!({
        "merchant_id": "100200", "merchant_key": KEY, "merchant_salt": SALT,
        "callback_url": format!("http://platform.localhost:{port}{}", academy.callback),
    });
    let request = Request::post(format!("http://{sandbox}/sandbox/merchants"))
        .header(header::CONTENT_TYPE, "application/json")
        .body(Bytes::from(merchant.to_string()))
        .unwrap();
    assert_eq!(Network::new().send(request).await.unwrap().status(), 204);
    let router = akademi_payments::callbacks(academy.payments.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (academy, running)
}

/// Orders course 1 and presses a button of the page; the order and where the browser is sent.
async fn press(academy: &Academy, form: &'static str) -> (String, String) {
    let quote = academy.quote(learner(1), &[(1, 14990)], None);
    let made = academy.order(learner(1), "k", &quote).await.json();
    let page = made["checkout"]["page"].as_str().unwrap();
    let shown = Network::new().send(Request::get(page).body(Bytes::new()).unwrap()).await.unwrap();
    let shown = String::from_utf8(shown.body().to_vec()).unwrap();
    assert!(shown.contains("Işık 1") && shown.contains("149,90 TL"), "{shown}");
    let request = Request::post(page)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Bytes::from_static(form.as_bytes()))
        .unwrap();
    let answer = Network::new().send(request).await.unwrap();
    assert_eq!(answer.status(), 303);
    let location = answer.headers()[header::LOCATION].to_str().unwrap().to_owned();
    (made["id"].as_str().unwrap().to_owned(), location)
}

pub async fn callbacks(academy: &Academy, count: i64) {
    for _ in 0..500 {
        if academy.number("SELECT COALESCE(sum(times), 0)::bigint FROM payment_callback").await >= count {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{count} callbacks did not come");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_is_there_before_the_browser_is_back() {
    let (academy, _sandbox) = start(Behaviour { delay_ms: 20, ..Behaviour::default() }).await;
    let (id, location) = press(&academy, "sonuc=ode&taksit=0").await;
    assert_eq!(location, format!("http://umraniye.localhost:3000/orders/{id}?returned=paid"));
    assert_eq!(academy.state(1, &id).await, "paid");
    callbacks(&academy, 3).await;
    assert_eq!(academy.granted(person(1)).await, [course(1)]);
    assert_eq!(academy.number("SELECT count(*) FROM ledger_transaction").await, 1);
    assert_eq!(academy.number("SELECT count(*) FROM payment_alarm").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_that_was_lost_and_forged_first_arrives_in_the_end() {
    let behaviour = Behaviour {
        before_return: 0,
        drop_first: 1,
        corrupt_hash: 1,
        forge_amount: 1,
        retry_ms: 10,
        ..Behaviour::default()
    };
    let (academy, _sandbox) = start(behaviour).await;
    let (id, _) = press(&academy, "sonuc=ode&taksit=0").await;
    callbacks(&academy, 5).await;
    assert_eq!(academy.state(1, &id).await, "paid");
    assert_eq!(academy.granted(person(1)).await, [course(1)]);
    assert_eq!(academy.texts("SELECT kind FROM payment_alarm").await, ["wrong_signature", "wrong_signature"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declined_payment_fails_the_order() {
    let (academy, _sandbox) = start(Behaviour { delay_ms: 20, ..Behaviour::default() }).await;
    let (id, location) = press(&academy, "sonuc=reddet&neden=2").await;
    assert!(location.ends_with("returned=failed"), "{location}");
    callbacks(&academy, 3).await;
    assert_eq!(academy.state(1, &id).await, "failed");
    assert_eq!(academy.texts("SELECT state || ' ' || failure_code FROM payment").await, ["failed 2"]);
    assert!(academy.granted(person(1)).await.is_empty());
}
