//! The fixture's application: built, declared, started and asked.

use akademi_component_host::{Limits, Options, Running, serve};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use std::{
    collections::BTreeMap,
    error::Error,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
    time::Duration,
};
use tempfile::TempDir;
use tokio::task::JoinHandle;

/// Builds the fixture, once per process; cargo knows if there is nothing to do.
pub fn fixture() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("component-host-fixture");
        let built = Command::new(env!("CARGO"))
            .args(["build", "--release", "--locked", "--target", "wasm32-wasip2"])
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixture"))
            .env("CARGO_TARGET_DIR", &target)
            // Flags that are meant for the native build, such as coverage, do not suit Wasm.
            .env_remove("RUSTFLAGS")
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .status()
            .unwrap();
        assert!(built.success(), "the fixture does not build");
        target.join("wasm32-wasip2/release/akademi_component_host_fixture.wasm")
    })
}

/// A manifest with two components of the same code: `fixture` is granted what is asked for, `other` nothing.
pub fn manifest(allowed_outbound_hosts: &str) -> String {
    let source = fixture().display();
    format!(
        r#"
spin_manifest_version = 2

[application]
name = "fixture"
version = "0.1.0"

[variables]
greeting = {{ default = "hello" }}
token = {{ required = true, secret = true }}
upstream_port = {{ default = "1" }}

[[trigger.http]]
route = "/do/..."
component = "fixture"

[[trigger.http]]
route = "/do/people/:person"
component = "other"

[[trigger.http]]
route = "/other/..."
component = "other"

[component.fixture]
source = "{source}"
sqlite_databases = ["default"]
allowed_outbound_hosts = [{allowed_outbound_hosts}]
variables = {{ message = "{{{{ greeting }}}}, world", token = "{{{{ token }}}}" }}
environment = {{ PLACE = "Ümraniye" }}

[component.other]
source = "{source}"
"#
    )
}

/// Options with all that [`manifest`] requires; the database lies in `folder`.
pub fn options(folder: &Path) -> Options {
    Options {
        variables: BTreeMap::from([("token".into(), "s3cret".into())]),
        sqlite: BTreeMap::from([("default".into(), folder.join("default.db"))]),
        ..Options::default()
    }
}

/// A running application and a client for it.
pub struct App {
    pub running: Running,
    pub client: Client<HttpConnector, Full<Bytes>>,
    pub folder: TempDir,
}

pub fn client() -> Client<HttpConnector, Full<Bytes>> {
    Client::builder(TokioExecutor::new()).build_http()
}

impl App {
    pub async fn start() -> Self {
        Self::with("", Limits::default(), &[]).await
    }

    pub async fn with_limits(limits: Limits) -> Self {
        Self::with("", limits, &[]).await
    }

    pub async fn with(allowed_outbound_hosts: &str, limits: Limits, variables: &[(&str, &str)]) -> Self {
        Self::configured(allowed_outbound_hosts, |options| {
            options.limits = limits;
            for (name, value) in variables {
                options.variables.insert((*name).into(), (*value).into());
            }
        })
        .await
    }

    pub async fn configured(allowed_outbound_hosts: &str, configure: impl FnOnce(&mut Options)) -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("spin.toml");
        std::fs::write(&path, manifest(allowed_outbound_hosts)).unwrap();
        let mut options = options(folder.path());
        configure(&mut options);
        let running = serve(&path, options).await.unwrap();
        Self { running, client: client(), folder }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.running.addr)
    }

    pub async fn send(&self, request: http::Request<Full<Bytes>>) -> (u16, String) {
        let response = self.client.request(request).await.unwrap();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    pub async fn get(&self, path: &str) -> (u16, String) {
        self.send(http::Request::get(self.url(path)).body(Full::default()).unwrap()).await
    }

    pub async fn post(&self, path: &str, body: impl Into<Bytes>) -> (u16, String) {
        self.send(http::Request::post(self.url(path)).body(Full::new(body.into())).unwrap()).await
    }

    /// Waits until the log has `count` lines that begin so, and gives their rests.
    pub async fn logged(&self, prefix: &str, count: usize) -> Vec<String> {
        for _ in 0..2000 {
            let lines = self.running.log().lines();
            let rests: Vec<_> = lines
                .iter()
                .filter_map(|line| line.text.strip_prefix(prefix))
                .map(ToOwned::to_owned)
                .collect();
            if rests.len() >= count {
                return rests;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("no {count} lines {prefix:?} in\n{}", self.running.log().text());
    }

    /// Sends a request that takes an hour.
    pub fn send_slow(&self) -> JoinHandle<Result<u16, Box<dyn Error + Send + Sync>>> {
        let request = self.client.get(self.url("/do/slow/3600000").parse().unwrap());
        tokio::spawn(async { Ok(request.await?.status().as_u16()) })
    }

    /// Runs the lines on the fixture's database and gives one answer for each.
    pub async fn sql(&self, lines: &[&str]) -> Vec<String> {
        let (status, answers) = self.post("/do/sql", lines.join("\n")).await;
        assert_eq!(status, 200);
        answers.lines().map(ToOwned::to_owned).collect()
    }
}
