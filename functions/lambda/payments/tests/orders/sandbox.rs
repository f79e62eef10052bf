//! An academy whose PayTR is the sandbox, over real HTTP.

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
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::net::TcpListener;

use crate::academy::{Academy, KEY, SALT};
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
pub async fn start(behaviour: Behaviour) -> (Academy, Handle) {
    let (academy, running, _) = start_at(behaviour).await;
    (academy, running)
}

/// The same, and where the sandbox listens.
pub async fn start_at(behaviour: Behaviour) -> (Academy, Handle, SocketAddr) {
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
    (academy, running, sandbox)
}

/// Presses a button of a payment page that shows `price`; where the browser is sent.
pub async fn press(page: &str, price: &str, form: &'static str) -> String {
    let shown = Network::new().send(Request::get(page).body(Bytes::new()).unwrap()).await.unwrap();
    let shown = String::from_utf8(shown.body().to_vec()).unwrap();
    assert!(shown.contains("Işık 1") && shown.contains(price), "{shown}");
    let request = Request::post(page)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Bytes::from_static(form.as_bytes()))
        .unwrap();
    let answer = Network::new().send(request).await.unwrap();
    assert_eq!(answer.status(), 303);
    answer.headers()[header::LOCATION].to_str().unwrap().to_owned()
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
