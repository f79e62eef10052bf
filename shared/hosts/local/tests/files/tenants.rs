//! What `cargo xtask tenant` does and says.

use akademi_domain::mail::LinkPurpose;
use akademi_local::{api_client::ApiClient, demo, http_client::Network, newcomers};
use http::StatusCode;
use rusqlite::Connection;
use serde_json::json;
use std::{path::Path, process::Output};
use tokio::process::Command;

use crate::deployment::Deployment;

const OPERATOR: &str = "operator@platform.example";

async fn tenant(deployment: &Deployment, arguments: &[&str]) -> Output {
    let base = format!("http://platform.localhost:{}", deployment.local.address.port());
    Command::new(env!("CARGO_BIN_EXE_tenant"))
        .args(["--base", &base])
        .args(arguments)
        .env("RUST_BACKTRACE", "0")
        .env("AKADEMI_EMAIL", OPERATOR)
        .env("AKADEMI_PASSWORD", demo::PASSWORD)
        .env("EDGE_MASTER_KEY", &deployment.local.variables["edge_master_key"])
        .output()
        .await
        .unwrap()
}

async fn well(deployment: &Deployment, arguments: &[&str]) -> String {
    let output = tenant(deployment, arguments).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

async fn refused(deployment: &Deployment, arguments: &[&str]) -> String {
    let output = tenant(deployment, arguments).await;
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr).unwrap()
}

fn new(slug: &str) -> Vec<&str> {
    let host = ["--host", "besiktas.localhost", "--admin-name", "Ayşe Yönetici"];
    [&["create", slug, "--name", "Beşiktaş Akademi"], &host[..], &["--admin-email", "ayse@example.org"]]
        .concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_makes_limits_suspends_and_deletes_an_academy() {
    let deployment = Deployment::start().await;
    demo::make_people(&deployment.local, &demo::PLATFORM).await.unwrap();
    let made = well(&deployment, &new("besiktas")).await;
    assert!(
        made.starts_with("besiktas ") && made.contains(" active ") && made.contains("Beşiktaş Akademi"),
        "{made}"
    );
    assert!(well(&deployment, &["list"]).await.contains(&made));
    let limited = well(&deployment, &["limit", "besiktas", "--people", "50"]).await;
    assert!(limited.contains("0 people of 50 "), "{limited}");

    let academy = ApiClient::new(
        Network::new(),
        format!("http://besiktas.localhost:{}", deployment.local.address.port()),
    );
    let status = async || academy.get("/api/v1/academy").await.unwrap().status;
    assert_eq!(status().await, StatusCode::OK);
    assert!(well(&deployment, &["suspend", "besiktas"]).await.contains(" suspended "));
    assert_eq!(status().await, StatusCode::NOT_FOUND);
    assert!(well(&deployment, &["resume", "besiktas"]).await.contains(" active "));
    assert!(well(&deployment, &["delete", "besiktas"]).await.contains("delete at 20"));
    assert_eq!(status().await, StatusCode::NOT_FOUND);
    assert!(well(&deployment, &["restore", "besiktas"]).await.contains("delete at - "));
    assert_eq!(status().await, StatusCode::OK);

    // What is refused is said as a sentence, without the document around it.
    let taken = refused(&deployment, &new("besiktas")).await;
    assert!(taken.starts_with("Error: ") && !taken.contains(['{', '/']), "{taken}");
    let invalid = refused(&deployment, &new("Beşiktaş!")).await;
    assert!(invalid.contains("\n  slug "), "{invalid}");
    let unknown = refused(&deployment, &["suspend", "nowhere"]).await;
    assert!(unknown.contains("there is no academy nowhere"), "{unknown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_administrator_of_a_new_platform_is_invited_by_sql() {
    let deployment = Deployment::start().await;
    let arguments = [
        ["platform", "--host", "yonetim.localhost"].as_slice(),
        &[
            "--name",
            "Akademi'nin Platformu; --",
            "--admin-name",
            "O'Hara İnce",
            "--admin-email",
            "first@example.org",
        ],
    ];
    let script = well(&deployment, &arguments.concat()).await;
    // As an operator feeds it to the store's own shell.
    let store = |file: &Path| Connection::open(file).unwrap();
    let edge = store(&deployment.folder.path().join("edge.sqlite"));
    edge.execute_batch(&format!("BEGIN; {script} COMMIT;")).unwrap();
    let (tenant, link): (String, String) = edge
        .query_row("SELECT tenant_id, id FROM pending_person WHERE password_hash IS NULL", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    drop(edge);

    let platform = ApiClient::new(
        Network::new(),
        format!("http://yonetim.localhost:{}", deployment.local.address.port()),
    );
    let roots = &deployment.local.variables["plane_root_keys"];
    let token = newcomers::token(
        roots,
        LinkPurpose::AcceptInvitation,
        tenant.parse().unwrap(),
        link.parse().unwrap(),
    )
    .unwrap();
    let acceptance = json!({ "token": token, "password": demo::PASSWORD });
    let accepted = platform.post("/api/v1/auth/accept-invitation", &acceptance).await.unwrap();
    assert_eq!(accepted.status, StatusCode::NO_CONTENT, "{:?}", accepted.json());
    let first = platform.sign_in("first@example.org", demo::PASSWORD).await.unwrap();
    let me = first.get("/api/v1/users/me").await.unwrap().expect(StatusCode::OK).unwrap();
    assert_eq!((&me["name"], &me["roles"]), (&json!("O'Hara İnce"), &json!(["global_admin"])));
    let academies = first.get("/api/v1/platform/academies").await.unwrap().expect(StatusCode::OK).unwrap();
    assert!(academies["data"].as_array().unwrap().len() >= 2, "{academies}");
}
