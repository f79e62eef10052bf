//! schemathesis reads the API document and asks every route with what the document allows and forbids, as each role: no 5xx, no
//! status, type or shape that the document does not name.

use akademi_local::{
    api_client::{ApiClient, JsonExt},
    demo,
    http_client::Network,
};
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use crate::world::World;

const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_headers_conformance,response_schema_conformance";
const ACADEMY: &str = "umraniye.localhost";
const PLATFORM: &str = "platform.localhost";
const OPERATOR: &str = "operator@platform.example";
const LEARNER: &str = "ogrenci@umraniye.example";
const INSTRUCTOR: &str = "egitmen@umraniye.example";
const ADMINISTRATOR: &str = "yonetici@umraniye.example";

/// schemathesis of the virtual environment that `cargo xtask test` makes.
fn schemathesis() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let tools = std::env::var_os("AKADEMI_TOOLS").map_or_else(|| root.join("target/tools"), PathBuf::from);
    tools.join("python/bin/schemathesis")
}

/// A published course of one lesson, its price, a text to consent to, codes and a role, so that ids lead somewhere.
async fn make_content(world: &World, administrator: &ApiClient) {
    let send = async |method: Method, path: &str, body: Value| {
        let headers = [
            (HeaderName::from_static("idempotency-key"), HeaderValue::from_static("content")),
            (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        ];
        let answer = administrator.send(method, path, &headers, body.to_string().into()).await.unwrap();
        assert!(answer.status.is_success(), "{path}: {:?}", answer.json());
        answer.json().unwrap_or_default()
    };
    let title = "Işığın Yolculuğu";
    let draft = send(Method::POST, "/api/v1/authoring/courses", json!({ "title": title })).await;
    let course = draft.text("id").unwrap();
    let lesson = json!({ "title": title, "body": { "kind": "html", "html": "<p>Işık</p>" } });
    let modules = json!([{ "title": title, "sections": [{ "title": title, "lessons": [lesson] }] }]);
    let path = format!("/api/v1/authoring/courses/{course}");
    let content = json!({ "revision": draft["revision"], "modules": modules });
    send(Method::PUT, &format!("{path}/content"), content).await;
    send(Method::POST, &format!("{path}/publish"), json!({})).await;
    let price = json!({ "amount": 0, "currency": "TRY", "vat_basis_points": 2000 });
    send(Method::PUT, &format!("/api/v1/commerce/courses/{course}/price"), price).await;
    world.sync().await;
    let text = json!({ "required": false, "texts": [{ "language": "tr", "text": "Aydınlatma" }] });
    send(Method::PUT, "/api/v1/academy/consents/kvkk", text).await;
    let batch = json!({ "name": "Güz", "count": 3, "uses_per_code": 1, "starts_at": "2020-01-01T00:00:00Z",
                        "ends_at": "2999-01-01T00:00:00Z", "courses": [course] });
    send(Method::POST, "/api/v1/activation-codes/batches", batch).await;
    send(Method::POST, "/api/v1/roles", json!({ "name": "Öğretmen", "permissions": ["courses:write"] }))
        .await;
}

/// Where ids of a kind are listed.
const LISTS: [(&str, &str); 6] = [
    ("CourseId", "/api/v1/authoring/courses"),
    ("UserId", "/api/v1/people"),
    ("RoleId", "/api/v1/roles"),
    ("ActivationBatchId", "/api/v1/activation-codes/batches"),
    ("SessionId", "/api/v1/users/me/sessions"),
    ("MailId", "/api/v1/mails"),
];

/// The document, whose ids are often those of something that is there.
async fn document(administrator: &ApiClient) -> Value {
    let mut document: Value = serde_json::from_str(&akademi_contract::document_json().unwrap()).unwrap();
    let schemas = document.pointer_mut("/components/schemas").unwrap();
    for (schema, path) in LISTS {
        let list = administrator.get(path).await.unwrap().expect(StatusCode::OK).unwrap();
        let ids: Vec<&Value> = list["data"].as_array().unwrap().iter().map(|row| &row["id"]).collect();
        let found = schemas.get_mut(schema).unwrap_or_else(|| panic!("the document has no {schema}"));
        *found = json!({ "anyOf": [{ "enum": ids }, found.clone()] });
    }
    document
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_finds_an_answer_that_the_document_does_not_describe() {
    let world = World::new().await;
    let port = world.local.address.port();
    demo::make_people(&world.local, &demo::PLATFORM).await.unwrap();
    let administrator = world.academy.sign_in(ADMINISTRATOR, demo::PASSWORD).await.unwrap();
    make_content(&world, &administrator).await;
    world.sync().await;
    let document = document(&administrator).await;
    let ask_all = async |host: &str, email: &str| {
        let academy = ApiClient::new(Network::new(), format!("http://{host}:{port}"));
        let login = json!({ "email": email, "password": demo::PASSWORD });
        let tokens =
            academy.post("/api/v1/auth/login", &login).await.unwrap().expect(StatusCode::OK).unwrap();
        find_nothing(&document, port, host, &tokens.text("access_token").unwrap()).await
    };
    let learning = async { tokio::join!(ask_all(ACADEMY, LEARNER), ask_all(ACADEMY, INSTRUCTOR)) };
    let ruling = async { tokio::join!(ask_all(ACADEMY, ADMINISTRATOR), ask_all(PLATFORM, OPERATOR)) };
    // Whoever rules may send the others away.
    let all = async { (learning.await, ruling.await) };
    tokio::pin!(all);
    let well = loop {
        tokio::select! {
            well = &mut all => break well,
            () = tokio::time::sleep(Duration::from_millis(50)) => world.revive().await,
        }
    };
    assert_eq!(well, ((true, true), (true, true)));

    // What a document promises and no route keeps is found: a status, and a shape.
    for (promise, lie) in [
        ("/paths/~1health~1live/get/responses", json!({ "404": { "description": "Nothing" } })),
        (
            "/paths/~1api~1v1~1academy/get/responses/200/content/application~1json/schema",
            json!({ "type": "object", "required": ["moon"] }),
        ),
    ] {
        let mut lying = document.clone();
        let path = promise.split('/').nth(2).unwrap().to_owned();
        lying["paths"].as_object_mut().unwrap().retain(|key, _| key.replace('/', "~1") == path);
        *lying.pointer_mut(promise).unwrap() = lie;
        assert!(!find_nothing(&lying, port, ACADEMY, "none").await, "{promise}");
    }
}

/// Whether schemathesis finds nothing that the document does not describe; prints what it says.
async fn find_nothing(document: &Value, port: u16, host: &str, token: &str) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("openapi.json");
    std::fs::write(&file, document.to_string()).unwrap();
    let run = tokio::process::Command::new(schemathesis())
        .current_dir(folder.path())
        .arg("run")
        .arg(file)
        .args(["--url", &format!("http://127.0.0.1:{port}"), "--header", &format!("Host: {host}:{port}")])
        .args(["--header", &format!("Authorization: Bearer {token}")])
        .args(["--checks", CHECKS, "--phases", "coverage,fuzzing", "--max-examples", "4", "--seed", "1"])
        .args(["--suppress-health-check", "all", "--generation-database", "none", "--no-color"])
        .args(["--request-timeout", "20", "--continue-on-failure", "--warnings", "off"])
        .kill_on_drop(true)
        .output();
    let ended = run.await.expect("schemathesis is there: `cargo xtask test` installs it");
    println!("{}{}", String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    match ended.status.code() {
        Some(code @ (0 | 1)) => code == 0,
        other => panic!("schemathesis ended with {other:?}"),
    }
}
