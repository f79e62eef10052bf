//! An HTTP client that answers by a script, and a payment, for the tests of the adapters.

use std::{
    future::Future,
    pin::pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
};

use akademi_domain::{
    ids::UserId,
    money::{Currency, Money},
    time::Timestamp,
};
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{HeaderMap, Request, Response, Uri};

use super::{BasketLine, Buyer, HttpClient, HttpError, Installments, Language, PaymentRequest};

pub const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

/// A request as it was sent.
#[derive(Debug, Clone)]
pub struct Sent {
    /// `POST https://…`
    pub line: String,
    pub headers: HeaderMap,
    pub body: String,
}

/// Gives its answers one after the other, the last for ever, and keeps what was sent.
pub struct Scripted {
    answers: Mutex<Vec<Result<(u16, String), HttpError>>>,
    sent: Mutex<Vec<Sent>>,
}

impl Scripted {
    pub fn new<T: Into<String>>(answers: impl IntoIterator<Item = Result<(u16, T), HttpError>>) -> Arc<Self> {
        let answers = answers.into_iter().map(|answer| answer.map(|(status, body)| (status, body.into())));
        Arc::new(Self { answers: Mutex::new(answers.collect()), sent: Mutex::default() })
    }

    pub fn sent(&self) -> Vec<Sent> {
        self.sent.lock().unwrap().clone()
    }

    pub fn last(&self) -> Sent {
        self.sent().pop().unwrap()
    }
}

impl HttpClient for Scripted {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, HttpError>> {
        let (parts, body) = request.into_parts();
        self.sent.lock().unwrap().push(Sent {
            line: format!("{} {}", parts.method, parts.uri),
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        });
        let mut answers = self.answers.lock().unwrap();
        let answer = if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() };
        let answer =
            answer.map(|(status, body)| Response::builder().status(status).body(Bytes::from(body)).unwrap());
        Box::pin(std::future::ready(answer))
    }
}

pub fn payment() -> PaymentRequest {
    PaymentRequest {
        attempt: "ORD20260001".parse().unwrap(),
        amount: Money { amount: 14990, currency: Currency::TRY },
        buyer: Buyer {
            id: UserId::new(NOW, [1; 10]),
            email: "ogrenci@example.com".to_owned(),
            name: "Şükrü Iğdır".to_owned(),
            address: "Ümraniye, İstanbul".to_owned(),
            phone: "05550000000".to_owned(),
            client_address: "203.0.113.7".parse().unwrap(),
            identity_number: None,
            billed_to: None,
        },
        basket: vec![BasketLine { name: "Rust Kursu".to_owned(), unit_price: 14990, quantity: 1 }],
        success_url: Uri::from_static("https://umraniye.example.com/odeme/tamam"),
        failure_url: Uri::from_static("https://umraniye.example.com/odeme/olmadi"),
        return_url: Uri::from_static("https://umraniye.example.com/odeme/donus"),
        installments: Installments::Any,
        language: Language::Turkish,
    }
}

/// The scripted client is ready at once, so one poll finishes any call.
pub fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("waits for something"),
    }
}
