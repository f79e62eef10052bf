//! Times of the host itself: `cargo run --release --example latency -- COMPONENT.wasm`. The component must answer
//! `GET /` with little work and import no database.
#![allow(clippy::disallowed_methods, reason = "it measures")]

use akademi_component_host::{Host, Limits, Options};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use std::{
    error::Error,
    path::Path,
    time::{Duration, Instant},
};

const ROUNDS: usize = 2000;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let source = std::env::args().nth(1).ok_or("name a component")?;
    let folder = tempfile::TempDir::new()?;
    let manifest = folder.path().join("spin.toml");
    let source = std::path::absolute(source)?;
    std::fs::write(
        &manifest,
        format!(
            "spin_manifest_version = 2\n[application]\nname = \"latency\"\n[[trigger.http]]\nroute = \"/...\"\n\
             component = \"it\"\n[component.it]\nsource = {}\n",
            toml::Value::String(source.display().to_string())
        ),
    )?;

    let start = Instant::now();
    let host = Host::load(&manifest, Options::default()).await?;
    println!("load: {:?}", start.elapsed());
    let mut times = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let start = Instant::now();
        host.instantiate("it").await?;
        times.push(start.elapsed());
    }
    report("instantiate and drop", times);
    for (name, requests_per_instance) in
        [("request, 128 an instance", 128), ("request, each a new instance", 1)]
    {
        report(name, requests(&manifest, requests_per_instance).await?);
    }
    Ok(())
}

/// Times of requests one after the other on one connection.
async fn requests(manifest: &Path, requests_per_instance: usize) -> Result<Vec<Duration>, Box<dyn Error>> {
    let limits = Limits { requests_per_instance, ..Limits::default() };
    let running = Host::start(manifest, Options { limits, ..Options::default() }).await?;
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let url: http::Uri = format!("http://{}/", running.addr).parse()?;
    let mut times = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let response = client.get(url.clone()).await?;
        response.into_body().collect().await?;
        times.push(start.elapsed());
    }
    running.shutdown().await;
    Ok(times)
}

fn report(name: &str, mut times: Vec<Duration>) {
    times.sort();
    let at = |hundredths: usize| times.get(times.len() * hundredths / 100).copied().unwrap_or_default();
    println!("{name}: p50 {:?}, p99 {:?}", at(50), at(99));
}
