//! A host without a variable that it needs refuses to start and names it. A Worker starts with its first request: it answers
//! 503 and its log names the variable.

use akademi_api::{config::Config, ports::HttpClient};
use akademi_component_host::{Host, Options};
use akademi_edge_store::{Edge, rusqlite::SqliteFile};
use akademi_functions::{FUNCTIONS, Plane};
use akademi_host_tests::engine::{ANY_PORT, Lines, edge_variables, silent_ports, spin_manifest};
use akademi_lambda_store::postgres::Postgres;
use akademi_local::{
    http_client::Network,
    local::{Local, Options as LocalOptions},
    secrets::{Variables, generate},
};
use akademi_runtime_api::{Binary, RuntimeApi};
use std::{env, fs, path::PathBuf, process::Command, sync::Arc, time::Duration};

/// Values for everything that any function reads; nobody is at the addresses.
fn complete() -> Variables {
    let mut variables = generate().unwrap();
    let more = [
        ("lambda_url", "http://127.0.0.1:9"),
        ("dns_url", "http://127.0.0.1:9"),
        ("edge_url", "http://127.0.0.1:9"),
        ("media_signing_keys", "k1:BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc"),
        ("media_url", "https://media.example.com"),
        ("database_url", "postgres://akademi_login@127.0.0.1:9/none"),
        ("storage_bucket", "akademi-files"),
        ("aws_endpoint_url", "http://127.0.0.1:9"),
        ("sync_queue_url", "http://127.0.0.1:9/000000000000/sync"),
        ("import_queue_url", "http://127.0.0.1:9/000000000000/imports"),
        ("transcode_queue_url", "http://127.0.0.1:9/000000000000/videos"),
        ("mail_queue_url", "http://127.0.0.1:9/000000000000/mails"),
        ("mail_url", "smtp://127.0.0.1:9"),
        ("mail_from", "akademi@example.org"),
    ];
    variables.extend(more.map(|(name, value)| (name.to_owned(), value.to_owned())));
    variables
}

#[test]
fn each_function_of_the_edge_names_each_variable_that_it_lacks() {
    let folder = tempfile::tempdir().unwrap();
    let database = Arc::new(SqliteFile::open(&folder.path().join("edge.sqlite")).unwrap());
    let edge = Edge { ports: silent_ports(), database };
    let http: Arc<dyn HttpClient> = Network::new();
    let mut checked = 0;
    for function in FUNCTIONS.iter().filter(|function| function.plane == Plane::Edge) {
        for variable in function.variables {
            for value in [None, Some(" ")] {
                let variables = complete();
                let lookup = |name: &str| {
                    let value = value.map(str::to_owned);
                    if name == variable.name { value } else { variables.get(name).cloned() }
                };
                let refusal =
                    akademi_edge_functions::router(function.name, &edge, &http, &Config::new(&lookup));
                let refusal = refusal.err().unwrap_or_else(|| panic!("{} starts", function.name));
                assert_eq!(refusal.variable, variable.name, "{}", function.name);
                checked += 1;
            }
        }
    }
    println!("{checked} refusals");
}

#[tokio::test]
async fn spin_does_not_start_the_application_without_any_one_of_its_variables() {
    let variables = edge_variables(&complete());
    assert_eq!(variables.len(), 8);
    for name in variables.keys() {
        let mut options = Options { variables: variables.clone(), ..Options::default() };
        options.variables.remove(name);
        let Err(refusal) = Host::load(&spin_manifest(), options).await else {
            panic!("starts without {name}")
        };
        assert_eq!(refusal.to_string(), format!("required variables without a value: {name}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_local_deployment_does_not_start_without_any_one_of_its_secrets() {
    let secrets = generate().unwrap();
    for name in secrets.keys() {
        let folder = tempfile::tempdir().unwrap();
        write_secrets(folder.path().join("secrets.json"), &secrets, name);
        let refusal = Local::start(LocalOptions {
            data: folder.path().to_owned(),
            listen: ANY_PORT,
            postgres: Postgres::from_url("postgres://akademi_login@127.0.0.1:9/none", 1).unwrap(),
            log: Arc::new(Lines::default()),
            sync_interval: Duration::from_secs(60),
            password_attempts: 10_000,
            transcode_program: None,
        })
        .await;
        let Err(refusal) = refusal else { panic!("starts without {name}") };
        assert!(format!("{refusal:#}").contains(&format!("variable {name}: is not set")), "{refusal:#}");
    }
}

#[test]
fn the_local_program_ends_and_says_which_secret_it_lacks() {
    let folder = tempfile::tempdir().unwrap();
    write_secrets(folder.path().join("secrets.json"), &generate().unwrap(), "edge_master_key");
    let ended = Command::new(program("akademi-local"))
        .args(["--listen", "127.0.0.1:0", "--data"])
        .arg(folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(!ended.status.success(), "{said}");
    assert!(said.contains("variable edge_master_key: is not set"), "{said}");
}

fn write_secrets(file: PathBuf, secrets: &Variables, without: &str) {
    let mut kept = secrets.clone();
    kept.remove(without);
    fs::write(file, serde_json::to_vec(&kept).unwrap()).unwrap();
}

/// A program of this workspace, which is built where this test is.
fn program(name: &str) -> PathBuf {
    let test = env::current_exe().unwrap();
    let program = test.ancestors().nth(2).unwrap().join(name);
    assert!(program.exists(), "{} is not there: test the whole workspace", program.display());
    program
}

#[tokio::test(flavor = "multi_thread")]
async fn each_lambda_names_each_variable_that_it_lacks_and_ends() {
    let mut checked = 0;
    for function in FUNCTIONS.iter().filter(|function| function.plane == Plane::Lambda) {
        for variable in function.variables {
            let mut variables = complete();
            variables.remove(variable.name);
            let api = RuntimeApi::start().await.unwrap();
            let program = program(function.name);
            let mut binary = Binary::start(program.to_str().unwrap(), &api, &variables).unwrap();
            assert!(!binary.end().await.unwrap().success(), "{} starts", function.name);
            let errors = api.init_errors();
            let [error] = errors.as_slice() else { panic!("{}: {errors:?}", function.name) };
            let message = error.error["errorMessage"].as_str().unwrap();
            assert!(message.starts_with(&format!("variable {}: is not set", variable.name)), "{message}");
            checked += 1;
        }
    }
    println!("{checked} refusals");
}
