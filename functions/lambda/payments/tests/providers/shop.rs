//! A shop with the adapter, a browser, and a sandbox between them, over real HTTP.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use akademi_domain::{
    ids::UserId,
    money::{Currency, Money},
    time::Timestamp,
};
use akademi_payment_sandbox::{Behaviour, Config, Handle, serve};
use akademi_payments::provider::*;
use axum::{Router, extract::State, routing::post};
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{HeaderMap, Request, Response, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use tokio::net::TcpListener;

/// A plain HTTP client with a time limit for each exchange.
pub struct Http {
    client: Client<HttpConnector, Full<Bytes>>,
    limit: Duration,
}

impl Http {
    pub fn new(limit: Duration) -> Self {
        Self { client: Client::builder(TokioExecutor::new()).build_http(), limit }
    }
}

impl HttpClient for Http {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, HttpError>> {
        let exchange = async {
            let response = self.client.request(request.map(Full::new)).await.map_err(|error| {
                let text = error.to_string();
                if error.is_connect() { HttpError::NotSent(text) } else { HttpError::NoAnswer(text) }
            })?;
            let (head, body) = response.into_parts();
            let body = body.collect().await.map_err(|error| HttpError::NoAnswer(error.to_string()))?;
            Ok(Response::from_parts(head, body.to_bytes()))
        };
        Box::pin(async move {
            let timed_out = || Err(HttpError::NoAnswer("timed out".to_owned()));
            tokio::time::timeout(self.limit, exchange).await.unwrap_or_else(|_| timed_out())
        })
    }
}

/// What the shop's callback address received, in order.
#[derive(Default)]
pub struct Received {
    pub hosts: Vec<String>,
    pub told: Vec<Result<Told, CallbackRefused>>,
    /// Answers that are given instead of the right one, the last first.
    pub wrong_answers: Vec<(StatusCode, &'static str)>,
}

pub struct Setup<P> {
    pub provider: Arc<P>,
    pub received: Arc<Mutex<Received>>,
    pub sandbox: SocketAddr,
    pub http: Http,
    _running: Handle,
}

#[derive(Clone)]
struct Shop {
    provider: Arc<dyn Provider>,
    received: Arc<Mutex<Received>>,
}

async fn callback(State(shop): State<Shop>, headers: HeaderMap, body: Bytes) -> (StatusCode, &'static str) {
    let received_at = Timestamp::from_millis(0);
    let told = shop.provider.verify_callback(&Callback { headers: &headers, body: &body, received_at });
    let mut received = shop.received.lock().unwrap();
    received.hosts.push(headers[header::HOST].to_str().unwrap().to_owned());
    let answer = match (&told, received.wrong_answers.pop()) {
        (Err(_), _) => (StatusCode::BAD_REQUEST, "refused"),
        (Ok(_), Some(wrong)) => wrong,
        (Ok(_), None) => (StatusCode::OK, shop.provider.acknowledgement()),
    };
    received.told.push(told);
    answer
}

/// Callbacks that follow the browser wait a little, so that what came before its return can be told apart.
pub fn quick() -> Behaviour {
    Behaviour { delay_ms: 150, retry_ms: 20, ..Behaviour::default() }
}

pub fn payment(oid: &str, amount: i64) -> PaymentRequest {
    PaymentRequest {
        attempt: oid.parse().unwrap(),
        amount: Money { amount, currency: Currency::TRY },
        buyer: Buyer {
            id: UserId::new(Timestamp::from_millis(0), [1; 10]),
            email: "ogrenci@example.com".to_owned(),
            name: "Şükrü Iğdır Çağlayangöl".to_owned(),
            address: "Ümraniye, İstanbul".to_owned(),
            phone: "05550000000".to_owned(),
            client_address: "127.0.0.1".parse().unwrap(),
            identity_number: None,
            billed_to: None,
        },
        basket: vec![BasketLine {
            name: "İklim <ve> Işık: Açık Ders".to_owned(),
            unit_price: amount,
            quantity: 1,
        }],
        success_url: Uri::from_static("http://umraniye.localhost/odeme/tamam"),
        failure_url: Uri::from_static("http://umraniye.localhost/odeme/olmadi"),
        return_url: Uri::from_static("http://umraniye.localhost/odeme/donus"),
        installments: Installments::Any,
        language: Language::Turkish,
    }
}

impl<P: Provider + 'static> Setup<P> {
    /// `config` of the sandbox by the shop's callback address, `adapter` by the sandbox's.
    pub async fn start(config: impl FnOnce(String) -> Config, adapter: impl FnOnce(SocketAddr) -> P) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let config = config(format!("http://odeme.localhost:{port}/callbacks/unguessable"));
        let (sandbox, running) = serve("127.0.0.1:0".parse().unwrap(), config).await.unwrap();
        let provider = Arc::new(adapter(sandbox));
        let received = Arc::new(Mutex::new(Received::default()));
        let shop = Shop { provider: provider.clone(), received: received.clone() };
        let router = Router::new().route("/callbacks/unguessable", post(callback)).with_state(shop);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { provider, received, sandbox, http: Http::new(Duration::from_secs(5)), _running: running }
    }
}

impl<P> Setup<P> {
    /// What a browser gets that opens the address.
    pub async fn open(&self, page: &Uri) -> (StatusCode, String) {
        let response = self.http.send(Request::get(page).body(Bytes::new()).unwrap()).await.unwrap();
        (response.status(), String::from_utf8(response.body().to_vec()).unwrap())
    }

    /// Presses a button of the page: the answer's status and where it leads.
    pub async fn press(&self, page: &Uri, form: &'static str) -> (StatusCode, String) {
        let response = self.submit(page, form).await;
        let location =
            response.headers().get(header::LOCATION).map(|value| value.to_str().unwrap().to_owned());
        (response.status(), location.unwrap_or_default())
    }

    /// Presses a button of the page: the page that follows.
    pub async fn post(&self, page: &Uri, form: &'static str) -> (StatusCode, String) {
        let response = self.submit(page, form).await;
        (response.status(), String::from_utf8(response.body().to_vec()).unwrap())
    }

    async fn submit(&self, page: &Uri, form: &'static str) -> Response<Bytes> {
        let request = Request::post(page)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Bytes::from_static(form.as_bytes()))
            .unwrap();
        self.http.send(request).await.unwrap()
    }

    pub async fn set_behaviour(&self, json: serde_json::Value) {
        let request = Request::post(format!("http://{}/sandbox/behaviour", self.sandbox))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Bytes::from(json.to_string()))
            .unwrap();
        let response = self.http.send(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{:?}", response.body());
    }

    /// What the sandbox tells of its payments, `payments` (of PayTR's) or `iyzico`.
    pub async fn payments(&self, of: &str) -> serde_json::Value {
        let page = format!("http://{}/sandbox/payments", self.sandbox).parse().unwrap();
        let mut answer: serde_json::Value = serde_json::from_str(&self.open(&page).await.1).unwrap();
        answer[of].take()
    }

    pub fn told(&self) -> Vec<Result<Told, CallbackRefused>> {
        self.received.lock().unwrap().told.clone()
    }

    /// Waits until so many callbacks came, and a little longer for one too many.
    pub async fn told_after(&self, count: usize) -> Vec<Result<Told, CallbackRefused>> {
        for _ in 0..3000 {
            if self.told().len() >= count {
                tokio::time::sleep(Duration::from_millis(250)).await;
                return self.told();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("only {} of {count} callbacks came", self.told().len());
    }
}
