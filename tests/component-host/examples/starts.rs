//! How long the components of `spin.toml` take from instantiation to the first byte of an answer, with compiled code
//! in memory and pooled instances: one line each, its name with the median and the 99th percentile.
#![allow(clippy::disallowed_methods, reason = "it measures")]

use akademi_component_host::{Host, Limits, Options, SpinManifest};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use std::{
    collections::BTreeMap,
    error::Error,
    path::Path,
    time::{Duration, Instant},
};

const WARM_UP: usize = 200;
const ROUNDS: usize = 2000;
/// The key pair of RFC 8037, appendix A.
const SEED: &str = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
const PUBLIC_KEY: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let manifest = Path::new("spin.toml");
    let folder = tempfile::TempDir::new()?;
    let values = [
        ("dns_url", "http://127.0.0.1:9".to_owned()),
        ("edge_master_key", SEED.to_owned()),
        ("lambda_url", "http://127.0.0.1:9".to_owned()),
        ("media_signing_keys", format!("k1:{SEED}")),
        ("media_url", "https://media.example.com".to_owned()),
        ("plane_root_keys", format!("k1:{SEED}")),
        ("token_public_keys", format!("k1:{PUBLIC_KEY}")),
        ("token_signing_keys", format!("k1:{SEED}")),
    ];
    let options = Options {
        variables: values.map(|(name, value)| (name.to_owned(), value)).into(),
        sqlite: [("default".to_owned(), folder.path().join("edge.db"))].into(),
        limits: Limits { requests_per_instance: 1, ..Limits::default() },
        ..Options::default()
    };
    let running = Host::start(manifest, options).await?;
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    for (component, path) in paths(manifest)? {
        let mut times = Vec::with_capacity(ROUNDS);
        for round in 0..WARM_UP + ROUNDS {
            // Answered by the gate, after the start and before the store.
            let request = http::Request::options(format!("http://{}{path}", running.addr));
            let request = request.body(Full::default())?;
            let start = Instant::now();
            let response = client.request(request).await?;
            if round >= WARM_UP {
                times.push(start.elapsed());
            }
            if response.status() != http::StatusCode::NO_CONTENT {
                return Err(format!("{component} answered {path} with {}", response.status()).into());
            }
            response.into_body().collect().await?;
        }
        println!("{component} {}", summary(times));
    }
    running.shutdown().await;
    Ok(())
}

/// A path that each component answers.
fn paths(manifest: &Path) -> Result<BTreeMap<String, String>, Box<dyn Error>> {
    let mut paths = BTreeMap::new();
    for trigger in SpinManifest::read(manifest)?.trigger.http {
        if !trigger.route.ends_with("...") {
            let segments =
                trigger.route.split('/').map(|part| if part.starts_with(':') { "x" } else { part });
            paths.entry(trigger.component).or_insert(segments.collect::<Vec<_>>().join("/"));
        }
    }
    // Which has no path of its own.
    paths.insert("origin".to_owned(), "/health/live".to_owned());
    Ok(paths)
}

fn summary(mut times: Vec<Duration>) -> String {
    times.sort();
    let at = |hundredths: usize| times.get(times.len() * hundredths / 100).copied().unwrap_or_default();
    let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
    format!("{:.2} ms, {:.2} ms", milliseconds(at(50)), milliseconds(at(99)))
}
