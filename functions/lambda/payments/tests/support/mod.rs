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
use akademi_payments::{
    paytr::{PayTr, PayTrConfig, Secret},
    provider::*,
};
use akademi_paytr_sandbox::{Behaviour, Config, Handle, Merchant, serve};
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

pub const KEY: &str = "demoMerchantKey1";
pub const SALT: &str = "demoMerchantSalt";

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
    pub callbacks: Vec<Result<Notification, CallbackRefused>>,
    /// Answers that are given instead of the right one, the last first.
    pub wrong_answers: Vec<(StatusCode, &'static str)>,
}

pub struct Setup {
    pub paytr: Arc<PayTr>,
    pub received: Arc<Mutex<Received>>,
    pub sandbox: SocketAddr,
    pub http: Http,
    _running: Handle,
}

#[derive(Clone)]
struct Shop {
    paytr: Arc<PayTr>,
    received: Arc<Mutex<Received>>,
}

async fn callback(State(shop): State<Shop>, headers: HeaderMap, body: Bytes) -> (StatusCode, &'static str) {
    let received_at = Timestamp::from_millis(0);
    let told = shop.paytr.verify_callback(&Callback { headers: &headers, body: &body, received_at });
    let verified = told.map(|told| match told {
        Told::Outcome(notification) => notification,
        other => panic!("{other:?}"),
    });
    let mut received = shop.received.lock().unwrap();
    received.hosts.push(headers[header::HOST].to_str().unwrap().to_owned());
    let answer = match (&verified, received.wrong_answers.pop()) {
        (Err(_), _) => (StatusCode::BAD_REQUEST, "refused"),
        (Ok(_), Some(wrong)) => wrong,
        (Ok(_), None) => (StatusCode::OK, shop.paytr.acknowledgement()),
    };
    received.callbacks.push(verified);
    answer
}

pub fn adapter(sandbox: SocketAddr, key: &str, salt: &str, limit: Duration) -> PayTr {
    let config = PayTrConfig {
        merchant_id: "100200".to_owned(),
        merchant_key: Secret::new(key),
        merchant_salt: Secret::new(salt),
        base_url: format!("http://{sandbox}").parse().unwrap(),
        test_mode: true,
        page_minutes: 30,
        private_buyer_address: Some("203.0.113.7".parse().unwrap()),
    };
    PayTr::new(config, Arc::new(Http::new(limit))).unwrap()
}

/// Callbacks that follow the browser wait a little, so that what came before its return can be told apart.
pub fn quick() -> Behaviour {
    Behaviour { delay_ms: 150, retry_ms: 20, ..Behaviour::default() }
}

pub async fn start(behaviour: Behaviour) -> Setup {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let merchant = Merchant {
        merchant_id: "100200".to_owned(),
        merchant_key: KEY.to_owned(),
        merchant_salt: SALT.to_owned(),
        callback_url: format!("http://odeme.localhost:{port}/callbacks/paytr/unguessable"),
    };
    let config = Config { merchants: vec![merchant], behaviour };
    let (sandbox, running) = serve("127.0.0.1:0".parse().unwrap(), config).await.unwrap();
    let paytr = Arc::new(adapter(sandbox, KEY, SALT, Duration::from_secs(5)));
    let received = Arc::new(Mutex::new(Received::default()));
    let shop = Shop { paytr: paytr.clone(), received: received.clone() };
    let router = Router::new().route("/callbacks/paytr/unguessable", post(callback)).with_state(shop);
    tokio::spawn(async move { axum::serve(listener, router).await });
    Setup { paytr, received, sandbox, http: Http::new(Duration::from_secs(5)), _running: running }
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

impl Setup {
    /// What a browser gets that opens the address.
    pub async fn open(&self, page: &Uri) -> (StatusCode, String) {
        let response = self.http.send(Request::get(page).body(Bytes::new()).unwrap()).await.unwrap();
        (response.status(), String::from_utf8(response.body().to_vec()).unwrap())
    }

    /// Presses a button of the page: the answer's status and where it leads.
    pub async fn press(&self, page: &Uri, form: &'static str) -> (StatusCode, String) {
        let request = Request::post(page)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Bytes::from_static(form.as_bytes()))
            .unwrap();
        let response = self.http.send(request).await.unwrap();
        let location =
            response.headers().get(header::LOCATION).map(|value| value.to_str().unwrap().to_owned());
        (response.status(), location.unwrap_or_default())
    }

    /// Begins a payment and presses the button; answers the attempt.
    pub async fn pay(&self, oid: &str, amount: i64) -> Reference {
        let payment = payment(oid, amount);
        let checkout = self.paytr.begin(&payment).await.unwrap();
        let (status, location) = self.press(&checkout.page, "sonuc=ode").await;
        assert_eq!((status.as_u16(), location.as_str()), (303, "http://umraniye.localhost/odeme/tamam"));
        payment.attempt
    }

    pub async fn set_behaviour(&self, json: serde_json::Value) {
        let request = Request::post(format!("http://{}/sandbox/behaviour", self.sandbox))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Bytes::from(json.to_string()))
            .unwrap();
        let response = self.http.send(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{:?}", response.body());
    }

    /// What the sandbox tells of its payments.
    pub async fn payments(&self) -> serde_json::Value {
        let page = format!("http://{}/sandbox/payments", self.sandbox).parse().unwrap();
        let mut answer: serde_json::Value = serde_json::from_str(&self.open(&page).await.1).unwrap();
        answer["payments"].take()
    }

    pub fn callbacks(&self) -> Vec<Result<Notification, CallbackRefused>> {
        self.received.lock().unwrap().callbacks.clone()
    }

    /// Waits until so many callbacks came, and a little longer for one too many.
    pub async fn callbacks_after(&self, count: usize) -> Vec<Result<Notification, CallbackRefused>> {
        for _ in 0..500 {
            if self.callbacks().len() >= count {
                tokio::time::sleep(Duration::from_millis(250)).await;
                return self.callbacks();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("only {} of {count} callbacks came", self.callbacks().len());
    }
}
