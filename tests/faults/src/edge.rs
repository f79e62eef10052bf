//! The edge: its functions on a SQLite file, whose batches wait for the scheduler.

use akademi_api::{
    Caller, Ports,
    config::Config,
    ports::{HttpClient, Unreachable},
    token::TokenSigner,
};
use akademi_domain::{
    ids::{CourseId, SessionId},
    permission::Permissions,
};
use akademi_edge_store::{
    Database, Edge, Platform, Rows, Statement, StoreError,
    operations::{NewAcademy, create_academy},
    rusqlite::SqliteFile,
};
use axum::{Router, body::Body};
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response, header};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use std::{path::Path, sync::Arc};
use tokio::sync::oneshot;
use tower::ServiceExt as _;

use crate::{
    academy::{EDGE_HOST, key, lookup, person, tenant},
    gate::{Gate, Owner, Work},
    ports::START,
};

tokio::task_local! {
    /// The request that is served; without one, nobody schedules.
    pub static REQUEST: u64;
}

struct Stepped {
    engine: Arc<SqliteFile>,
    gate: Gate,
}

impl Database for Stepped {
    fn query(&self, statement: Statement) -> BoxFuture<'_, Result<Rows, StoreError>> {
        self.engine.query(statement)
    }

    fn batch(&self, statements: Vec<Statement>) -> BoxFuture<'_, Result<Vec<Rows>, StoreError>> {
        let Ok(request) = REQUEST.try_with(|request| *request) else { return self.engine.batch(statements) };
        Box::pin(async move {
            let (answer, answered) = oneshot::channel();
            self.gate.park(Owner::Edge(request), Work::Batch { statements, answer });
            let gone = |_| Err(StoreError::Unavailable("the store is gone".into()));
            answered.await.unwrap_or_else(gone)
        })
    }
}

/// The functions as they run now: a crash puts new ones on the same file.
#[derive(Clone)]
pub struct EdgePlane {
    pub router: Router,
    pub engine: Arc<SqliteFile>,
}

impl EdgePlane {
    pub fn start(file: &Path, gate: &Gate, ports: &Ports) -> anyhow::Result<Self> {
        let engine = Arc::new(SqliteFile::open_disposable(file)?);
        let database = Arc::new(Stepped { engine: engine.clone(), gate: gate.clone() });
        let edge = Edge { ports: ports.clone(), database };
        let config = Config::new(&lookup);
        let coupons = akademi_coupons::Coupons::from_config(edge.clone(), &config)?;
        let feed = akademi_feed_function::Feed::from_config(edge, &config)?;
        let router = akademi_coupons::router(coupons).merge(akademi_feed_function::router(feed));
        Ok(Self { router, engine })
    }

    pub async fn create_academy(&self) -> anyhow::Result<()> {
        let new = NewAcademy {
            id: tenant(),
            slug: "umraniye",
            name: "Ümraniye Açık Akademi",
            locale: "tr",
            brand_colour: "#0b6e4f",
            hosts: &[EDGE_HOST],
        };
        Platform::new(self.engine.as_ref()).batch(create_academy(&new, START)).await?;
        Ok(())
    }

    /// The answer to a basket: a signed quote, or why there is none.
    pub async fn quote(&self, request: Request<Bytes>) -> Value {
        let response = serve(self.router.clone(), request.map(Body::from)).await;
        serde_json::from_slice(response.body()).unwrap_or_default()
    }
}

/// A learner asks what a basket costs.
pub fn quote_request(learner: u8, courses: &[CourseId], coupons: &[&str], ports: &Ports) -> Request<Bytes> {
    let caller = Caller {
        tenant: tenant(),
        user: person(learner),
        session: SessionId::new(START, [1; 10]),
        permissions: Permissions::NONE,
    };
    let signer = TokenSigner::from_config(&format!("k1:{}", key(1))).unwrap();
    let token = signer.sign(&caller, ports.now(), ports.random()).unwrap();
    let body = json!({ "courses": courses, "coupons": coupons });
    Request::post("/api/v1/coupons/quote")
        .header(header::HOST, EDGE_HOST)
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header(header::CONTENT_TYPE, "application/json")
        .body(Bytes::from(body.to_string()))
        .unwrap()
}

/// A function's whole answer.
pub async fn serve(router: Router, request: Request<Body>) -> Response<Bytes> {
    let Ok(response) = router.oneshot(request).await;
    let (parts, body) = response.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    Response::from_parts(parts, body)
}

/// The edge without a network between: for what stands before any history.
pub struct Direct(pub Router);

impl HttpClient for Direct {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, Unreachable>> {
        let router = self.0.clone();
        Box::pin(async move { Ok(serve(router, request.map(Body::from)).await) })
    }
}
