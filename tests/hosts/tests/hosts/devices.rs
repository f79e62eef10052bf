//! What a person reads of their devices.

use akademi_host_tests::{
    Academies, Engine, RunningEdge,
    learners::{PASSWORD, enrol_learners},
};
use akademi_local::api_client::JsonExt;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_devices_country_is_the_one_that_cloudflare_tells() {
    let academies = Academies::new("http://127.0.0.1:9").unwrap();
    let edge =
        RunningEdge::start(Engine::Workerd, &academies.variables, academies.statements()).await.unwrap();
    academies.publish(&edge).await.unwrap();
    let learners = enrol_learners(&academies, &edge, 1).await.unwrap();
    let client = academies.client(&edge, learners[0].academy);
    let login = json!({ "email": format!("{}@example.org", learners[0].mark), "password": PASSWORD });
    for (told, kept) in [("TR", json!("TR")), ("XX", Value::Null), ("T1", Value::Null)] {
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
            (header::USER_AGENT, HeaderValue::from_static(told)),
            (HeaderName::from_static("cf-ipcountry"), HeaderValue::from_static(told)),
        ];
        let body = Bytes::from(login.to_string());
        let tokens = client.send(Method::POST, "/api/v1/auth/login", &headers, body).await.unwrap();
        let token = tokens.expect(StatusCode::OK).unwrap().text("access_token").unwrap();
        let devices = client.signed_in(token).get("/api/v1/users/me/sessions").await.unwrap();
        let devices = devices.expect(StatusCode::OK).unwrap();
        let devices = devices["data"].as_array().unwrap();
        let device = devices.iter().find(|device| device["device"] == told).unwrap();
        assert_eq!(device["country"], kept, "{told}");
    }
    edge.stop().await.unwrap();
}
