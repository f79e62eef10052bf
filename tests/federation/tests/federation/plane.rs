//! Lambda's `identity` alone, asked as the edge asks it.

use akademi_api::{
    config::Config,
    federation::{AuthorizationWanted, ExchangeWanted},
    ports::Wake,
    signed::{CALL_HEADER, CallCaller, CallContext, PlaneKeys, Purpose},
};
use akademi_domain::{
    ids::{SessionId, TenantId, UserId},
    permission::Role,
    time::Timestamp,
};
use akademi_identity_providers::{Addresses, Identity};
use akademi_lambda_store::testing::TestDatabase;
use akademi_process::{
    ports::{WriteLog, ports},
    secrets::{Variables, generate},
};
use axum::{Router, body::Body};
use http::{Method, Request, StatusCode, Uri, header};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::sync::Arc;
use tower::ServiceExt;

struct NoWake;

impl Wake for NoWake {
    fn wake(&self) {}
}

pub struct Plane {
    pub database: TestDatabase,
    router: Router,
    variables: Variables,
    ports: akademi_api::Ports,
}

pub const START: Timestamp = Timestamp::from_millis(1_790_000_000_000);

pub fn tenant(number: u8) -> TenantId {
    TenantId::new(START, [number; 10])
}

impl Plane {
    /// Facebook and e-Devlet answer at `address`.
    pub async fn new(address: &str) -> Self {
        let database = TestDatabase::new().await.unwrap();
        let variables = generate().unwrap();
        let ports = ports(Arc::new(WriteLog::new(std::io::sink())));
        let lookup = |name: &str| variables.get(name).cloned();
        let planes = Arc::new(PlaneKeys::from_config(&variables["plane_root_keys"]).unwrap());
        let address: Uri = address.parse().unwrap();
        let identity = Identity::new(
            ports.clone(),
            planes,
            database.postgres().clone(),
            Arc::new(NoWake),
            &Config::new(&lookup),
        );
        let addresses =
            Addresses { facebook: address.clone(), facebook_graph: address.clone(), edevlet: address };
        let identity = identity.unwrap().trusting(&["127.0.0.1"]).at(addresses);
        let router = akademi_identity_providers::router(identity);
        Self { database, router, variables, ports }
    }

    pub async fn ask(
        &self,
        purpose: Purpose,
        tenant: TenantId,
        method: Method,
        path: &str,
        body: &Value,
    ) -> (StatusCode, Value) {
        let body = body.to_string();
        let caller = CallCaller {
            sub: UserId::new(START, [1; 10]),
            sid: SessionId::new(START, [1; 10]),
            prm: Role::TenantAdmin.permissions().bits(),
        };
        let context = CallContext {
            request_id: "r".into(),
            tenant: Some(tenant),
            caller: (purpose == Purpose::Origin).then_some(caller),
            ..CallContext::default()
        };
        let planes = PlaneKeys::from_config(&self.variables["plane_root_keys"]).unwrap();
        let uri: Uri = path.parse().unwrap();
        let signature =
            planes.sign(purpose, &method, &uri, body.as_bytes(), &context, self.ports.now()).unwrap();
        let request = Request::builder()
            .method(method)
            .uri(uri)
            .header(CALL_HEADER, signature)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body));
        let answer = self.router.clone().oneshot(request.unwrap()).await.unwrap();
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (parts.status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    pub async fn configure(&self, provider: &str, settings: Value) {
        let path = format!("/api/v1/academy/identity-providers/{provider}");
        let body = json!({ "name": provider, "settings": settings });
        let (status, said) = self.ask(Purpose::Origin, tenant(1), Method::PUT, &path, &body).await;
        assert_eq!(status, StatusCode::OK, "{said}");
    }

    pub async fn authorize(&self, tenant: TenantId, provider: &str) -> (StatusCode, Value) {
        let wanted = AuthorizationWanted {
            provider: provider.into(),
            state: "state".into(),
            nonce: "nonce".into(),
            code_challenge: "challenge".into(),
            redirect_uri: "https://academy.example/callback".into(),
        };
        let wanted = serde_json::to_value(wanted).unwrap();
        self.ask(Purpose::Wake, tenant, Method::POST, "/internal/identity/authorize", &wanted).await
    }

    pub async fn exchange(&self, provider: &str, code: &str) -> (StatusCode, Value) {
        let wanted = ExchangeWanted {
            provider: provider.into(),
            code: code.into(),
            code_verifier: "verifier".into(),
            nonce: "nonce".into(),
            redirect_uri: "https://academy.example/callback".into(),
        };
        let wanted = serde_json::to_value(wanted).unwrap();
        self.ask(Purpose::Wake, tenant(1), Method::POST, "/internal/identity/exchange", &wanted).await
    }
}
