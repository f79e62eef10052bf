//! What must be right before an application starts.

use akademi_component_host::{Host, Options, SpinManifest};
use std::{path::Path, process::Stdio, time::SystemTime};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::application::{client, fixture, manifest, options};

/// Why the application does not start with this manifest and these options.
async fn refusal(manifest: &str, change: impl FnOnce(&mut Options)) -> String {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("spin.toml");
    std::fs::write(&path, manifest).unwrap();
    let mut options = options(folder.path());
    change(&mut options);
    match Host::load(&path, options).await {
        Ok(_) => panic!("starts with\n{manifest}"),
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn a_required_variable_without_a_value_is_named_and_nothing_starts() {
    let error = refusal(&manifest(""), |options| options.variables.clear()).await;
    assert_eq!(error, "required variables without a value: token");
}

#[tokio::test]
async fn a_value_or_a_file_that_nothing_declares_is_refused() {
    let manifest = manifest("");
    let undeclared = |options: &mut Options| _ = options.variables.insert("tokn".into(), "x".into());
    assert!(refusal(&manifest, undeclared).await.contains("\"tokn\""));
    let undeclared = |options: &mut Options| _ = options.sqlite.insert("second".into(), "x.db".into());
    assert!(refusal(&manifest, undeclared).await.contains("\"second\""));
}

#[tokio::test]
async fn a_database_without_a_file_or_with_an_impossible_one_is_refused() {
    let manifest = manifest("");
    let error = refusal(&manifest, |options| options.sqlite.clear()).await;
    assert_eq!(error, "databases without a file: default");
    let elsewhere =
        |options: &mut Options| _ = options.sqlite.insert("default".into(), "no/folder/x.db".into());
    assert!(refusal(&manifest, elsewhere).await.contains("\"default\""));
}

#[tokio::test]
async fn a_manifest_that_says_what_the_host_does_not_know_is_refused() {
    let good = manifest("");
    assert!(SpinManifest::parse(&good).is_ok());
    for (from, to, told) in [
        ("spin_manifest_version = 2", "spin_manifest_version = 1", "spin_manifest_version is 1"),
        ("[application]", "[application]\nlicence = \"x\"", "licence"),
        ("[component.other]", "[component.other]\nkey_value_stores = [\"default\"]", "key_value_stores"),
        ("route = \"/other/...\"", "route = \"/other/...\"\nexecutor = \"wagi\"", "executor"),
        ("[[trigger.http]]\nroute = \"/other", "[[trigger.redis]]\nroute = \"/other", "redis"),
        ("default = \"hello\"", "default = \"hello\", kind = \"x\"", "kind"),
        ("default = \"hello\"", "secret = true", "\"greeting\""),
        ("greeting =", "Greeting =", "\"Greeting\""),
        ("component = \"fixture\"", "component = \"fixtur\"", "\"fixtur"),
        ("[component.other]", "[component.no_kebab]", "no_kebab"),
        ("route = \"/other/...\"", "route = \"/do/...\"", "declared twice"),
        ("{{ greeting }}", "{{ greetings }}", "\"greetings\""),
        ("allowed_outbound_hosts = []", "allowed_outbound_hosts = [\"a.example\"]", "a.example"),
    ] {
        assert!(good.contains(from), "{from}");
        let error = refusal(&good.replace(from, to), |_| {}).await;
        assert!(error.contains(told), "{to}: {error}");
    }
}

#[tokio::test]
async fn a_file_that_is_no_component_is_refused_with_its_name() {
    let source = format!("source = \"{}\"", fixture().display());
    let error = refusal(&manifest("").replace(&source, "source = \"gone.wasm\""), |_| {}).await;
    assert!(error.contains("component fixture") || error.contains("component \"fixture\""), "{error}");
    assert!(error.contains("gone.wasm"), "{error}");
    let error = refusal(&manifest("").replace(&source, "source = \"spin.toml\""), |_| {}).await;
    assert!(error.contains("spin.toml"), "{error}");
}

fn written(folder: &Path) -> Vec<SystemTime> {
    let files = std::fs::read_dir(folder).unwrap();
    files.map(|file| file.unwrap().metadata().unwrap().modified().unwrap()).collect()
}

#[tokio::test]
async fn compiled_code_is_kept_and_used_again() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("spin.toml");
    std::fs::write(&path, manifest("")).unwrap();
    let mut options = options(folder.path());
    let cache = folder.path().join("code");
    options.code_cache = Some(cache.clone());

    let first = Host::load(&path, options.clone()).await.unwrap();
    let times = written(&cache);
    assert_eq!(times.len(), 1, "two components of the same bytes share their code");
    let second = Host::load(&path, options).await.unwrap();
    assert_eq!(written(&cache), times);
    for host in [first, second] {
        host.instantiate("fixture").await.unwrap();
        assert!(host.instantiate("nobody").await.is_err());
        let imports = host.imports("fixture").unwrap();
        for expected in ["spin:sqlite/sqlite@3.1.0", "spin:variables/variables@3.0.0"] {
            assert!(imports.iter().any(|name| name == expected), "{imports:?}");
        }
    }
}

#[tokio::test]
async fn the_program_prints_its_address_and_serves() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("spin.toml");
    std::fs::write(&path, manifest("")).unwrap();
    let mut program = tokio::process::Command::new(env!("CARGO_BIN_EXE_component-host"))
        .arg("--manifest")
        .arg(&path)
        .args(["--listen", "127.0.0.1:0", "--variable", "token=a=b", "--sqlite"])
        .arg(format!("default={}", folder.path().join("x.db").display()))
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
    let address = lines.next_line().await.unwrap().unwrap();
    let response = client().get(format!("{address}/do/variable/token").parse().unwrap()).await.unwrap();
    assert_eq!(response.status(), 200);
    let body = http_body_util::BodyExt::collect(response.into_body()).await.unwrap().to_bytes();
    assert_eq!(body, "a=b");
    program.kill().await.unwrap();

    let refused = tokio::process::Command::new(env!("CARGO_BIN_EXE_component-host"))
        .arg("--manifest")
        .arg(&path)
        .output()
        .await
        .unwrap();
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("token"));
}
