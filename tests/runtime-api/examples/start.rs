//! How long a Lambda function's program takes from its start to its first poll of the Runtime API: the median and
//! the slowest of some starts. `start PROGRAM`.
#![allow(clippy::disallowed_methods, reason = "it measures")]

use akademi_runtime_api::{Binary, RuntimeApi};
use anyhow::Context;
use std::time::Instant;

const ROUNDS: usize = 20;
/// Nothing answers there: a function starts without what it talks to.
const NOWHERE: &str = "http://127.0.0.1:9";
/// 32 bytes in base64url.
const KEY: &str = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let program = std::env::args().nth(1).context("name a program")?;
    let variables = [
        ("database_url", "postgres://akademi_login@127.0.0.1:9/none".to_owned()),
        ("plane_root_keys", format!("k1:{KEY}")),
        ("lambda_master_key", KEY.to_owned()),
        ("edge_url", NOWHERE.to_owned()),
        ("storage_bucket", "akademi-files".to_owned()),
        ("sync_queue_url", format!("{NOWHERE}/sync")),
        ("import_queue_url", format!("{NOWHERE}/imports")),
        ("transcode_queue_url", format!("{NOWHERE}/videos")),
        ("mail_queue_url", format!("{NOWHERE}/mails")),
        ("mail_url", "smtp://127.0.0.1:9".to_owned()),
        ("mail_from", "akademi@example.org".to_owned()),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value)).into();
    let mut times = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let api = RuntimeApi::start().await?;
        let started = Instant::now();
        let binary = Binary::start(&program, &api, &variables)?;
        api.first_poll().await?;
        times.push(started.elapsed());
        drop(binary);
    }
    times.sort();
    let median = times.get(ROUNDS / 2).copied().unwrap_or_default();
    let slowest = times.last().copied().unwrap_or_default();
    println!("{} ms, at most {} ms", median.as_millis(), slowest.as_millis());
    Ok(())
}
