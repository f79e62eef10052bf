//! The Lambda plane's URL: what is sent to it becomes an event of API Gateway, and its answer an HTTP response.

use akademi_api::{
    plane_client::{PlaneCall, PlaneClient},
    ports::{HttpClient, Unreachable},
    signed::{CallCaller, CallContext, Purpose},
};
use akademi_domain::{
    ids::SessionId,
    permission::{Permission, Permissions},
    time::Timestamp,
};
use akademi_runtime_api::RuntimeApi;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, header};
use serde_json::Value;

use crate::{
    events,
    world::{REQUEST_SECONDS, Running, World, person, tenant},
};

pub struct Gateway<'a>(pub &'a RuntimeApi);

impl Gateway<'_> {
    pub async fn exchange(&self, request: Request<Bytes>) -> anyhow::Result<Response<Bytes>> {
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
        let body = Some(request.body().as_ref()).filter(|body| !body.is_empty());
        let event = events::http(request.method().as_str(), target, request.headers(), body);
        let answer = self.0.invoke(event, REQUEST_SECONDS).await?.response()?;
        Ok(response(&answer))
    }
}

/// The answer as API Gateway forms it.
fn response(answer: &Value) -> Response<Bytes> {
    let body = answer["body"].as_str().unwrap_or_default();
    let body = match answer["isBase64Encoded"].as_bool() {
        Some(true) => STANDARD.decode(body).unwrap().into(),
        _ => Bytes::copy_from_slice(body.as_bytes()),
    };
    let status = u16::try_from(answer["statusCode"].as_u64().unwrap()).unwrap();
    let mut response = Response::builder().status(status).body(body).unwrap();
    for (name, value) in answer["headers"].as_object().into_iter().flatten() {
        let value = HeaderValue::from_str(value.as_str().unwrap()).unwrap();
        response.headers_mut().insert(name.parse::<HeaderName>().unwrap(), value);
    }
    response
}

/// As `origin` reaches the plane.
struct Plane {
    requests: tokio::sync::mpsc::Sender<(Request<Bytes>, tokio::sync::oneshot::Sender<Response<Bytes>>)>,
}

impl HttpClient for Plane {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, Unreachable>> {
        Box::pin(async move {
            let lost = || Unreachable("the test has ended".into());
            let (answer, answered) = tokio::sync::oneshot::channel();
            self.requests.send((request, answer)).await.map_err(|_| lost())?;
            answered.await.map_err(|_| lost())
        })
    }
}

/// A forwarded request.
pub struct Call<'a> {
    pub method: Method,
    pub target: &'a str,
    pub permissions: Permissions,
    pub idempotency_key: Option<&'a str>,
    pub body: Option<Value>,
}

impl<'a> Call<'a> {
    /// A request of the academy's staff for what is sold.
    pub fn staff(method: Method, target: &'a str) -> Self {
        let permissions = Permissions::NONE
            .with(Permission::CommerceWrite)
            .with(Permission::FinanceWrite)
            .with(Permission::CoursesAll);
        Self { method, target, permissions, idempotency_key: None, body: None }
    }

    pub fn body(self, body: Value) -> Self {
        Self { body: Some(body), ..self }
    }
}

/// Sends a call as `origin` does: signed by its own client, with the headers that it passes on.
pub async fn forward(world: &World, running: &Running, call: Call<'_>) -> Response<Bytes> {
    let context = CallContext {
        request_id: "the-request".into(),
        tenant: Some(tenant()),
        host: Some("umraniye.example.com".into()),
        client: Some("198.51.100.7".into()),
        idempotency_key: call.idempotency_key.map(str::to_owned),
        caller: Some(CallCaller {
            sub: person(),
            sid: SessionId::new(Timestamp::from_millis(0), [4; 10]),
            prm: call.permissions.bits(),
        }),
    };
    let json = HeaderValue::from_static("application/json");
    let (requests, mut received) = tokio::sync::mpsc::channel(1);
    let client = PlaneClient::new(
        std::sync::Arc::new(Plane { requests }),
        "https://lambda.example.com".parse().unwrap(),
        world.planes(),
    );
    let sent = client.call(
        PlaneCall {
            purpose: Purpose::Origin,
            method: call.method,
            target: call.target.parse().unwrap(),
            headers: call.body.iter().map(|_| (header::CONTENT_TYPE, json.clone())).collect::<HeaderMap>(),
            body: call.body.map(|body| Bytes::from(body.to_string())).unwrap_or_default(),
            context: &context,
        },
        world.ports.now(),
    );
    let answered = async {
        let (request, answer): (_, tokio::sync::oneshot::Sender<_>) = received.recv().await.unwrap();
        answer.send(Gateway(&running.api).exchange(request).await.unwrap()).unwrap();
    };
    let (response, ()) = futures::future::join(sent, answered).await;
    response.unwrap()
}

pub fn json(response: &Response<Bytes>) -> Value {
    serde_json::from_slice(response.body()).unwrap_or_else(|_| panic!("{:?}", response.body()))
}
