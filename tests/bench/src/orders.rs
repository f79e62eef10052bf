//! What orders cost, on a real PostgreSQL that flushes each commit, beside the least that counts a use of a coupon: lock the
//! row, count, commit. The functions run in this process; requests come without a network, and the provider answers at once.

mod shop;

use anyhow::{Context, ensure};
use futures::{StreamExt as _, stream};
use http::StatusCode;
use serde::Serialize;
use serde_json::Value;
use std::{
    future::Future,
    path::Path,
    process,
    time::{Duration, Instant},
};

use crate::{pinning::cpu_seconds, run::Totals};
use shop::{CONNECTIONS, Shop};

/// How many buy at once.
const BUYERS: usize = 64;
/// Orders of a row; so many uses the coupon has.
const ORDERS: usize = 3_000;
/// Orders with nobody else around.
const ALONE: usize = 300;
const REPLAYS: usize = 10_000;

#[derive(Debug, Serialize)]
struct Row {
    what: &'static str,
    per_second: f64,
    /// To the bare transaction, or none.
    ratio: Option<f64>,
    /// CPU time of one in this process, PostgreSQL's not included.
    cpu_microseconds: f64,
    p50_us: u32,
    p99_us: u32,
    aim: &'static str,
}

impl Row {
    fn print(&self, json: bool) -> anyhow::Result<()> {
        if json {
            println!("{}", serde_json::to_string(self)?);
            return Ok(());
        }
        let ratio = self.ratio.map(|ratio| format!("{ratio:.3}")).unwrap_or_default();
        println!(
            "{:<22}{:>10.0}{:>8}{:>14.1}{:>10}{:>10}   {}",
            self.what, self.per_second, ratio, self.cpu_microseconds, self.p50_us, self.p99_us, self.aim
        );
        Ok(())
    }
}

/// So many of something, `at_once` of them at any time.
#[allow(clippy::disallowed_methods, reason = "time is what is measured here")]
async fn measure<F: Future<Output = anyhow::Result<()>>>(
    what: &'static str,
    (count, at_once): (usize, usize),
    aim: &'static str,
    one: impl Fn(usize) -> F,
) -> anyhow::Result<Row> {
    let timed = |number| {
        let one = one(number);
        async move {
            let started = Instant::now();
            one.await.map(|()| started.elapsed())
        }
    };
    let (cpu_before, started) = (cpu_seconds(process::id())?, Instant::now());
    let answers: Vec<anyhow::Result<Duration>> =
        stream::iter(0..count).map(timed).buffer_unordered(at_once).collect().await;
    let (seconds, cpu) = (started.elapsed().as_secs_f64(), cpu_seconds(process::id())? - cpu_before);
    let mut latencies = answers.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
    latencies.sort_unstable();
    let quantile = |permille: usize| {
        let latency = latencies.get(latencies.len() * permille / 1000).copied().unwrap_or_default();
        u32::try_from(latency.as_micros()).unwrap_or(u32::MAX)
    };
    Ok(Row {
        what,
        per_second: count as f64 / seconds,
        ratio: None,
        cpu_microseconds: cpu * 1e6 / count as f64,
        p50_us: quantile(500),
        p99_us: quantile(990),
        aim,
    })
}

/// Measures them and prints a line for each, on a PostgreSQL in this folder.
///
/// # Errors
/// When PostgreSQL does not start, or something is not answered as it must be.
pub async fn run(folder: &Path, json: bool) -> anyhow::Result<Totals> {
    let folder = &std::env::current_dir()?.join(folder).join("orders");
    let mut shop = Shop::open(folder, ORDERS + ALONE + BUYERS, BUYERS).await?;
    if !json {
        println!("{BUYERS} buyers, {CONNECTIONS} connections");
        println!(
            "{:<22}{:>10}{:>8}{:>14}{:>10}{:>10}",
            "", "per s", "× bare", "our CPU µs", "p50 µs", "p99 µs"
        );
    }
    let outcome = rows(&mut shop, json).await;
    shop.close(folder).await?;
    outcome
}

async fn rows(shop: &mut Shop, json: bool) -> anyhow::Result<Totals> {
    let mut totals = Totals::default();
    sqlx::raw_sql("CREATE TABLE bare (used bigint, ceiling bigint); INSERT INTO bare VALUES (0, 1000000); GRANT SELECT, UPDATE ON bare TO akademi_app")
        .execute(&mut shop.superuser)
        .await?;
    let shop: &Shop = shop;
    let bare = measure("lock, count, commit", (ORDERS, BUYERS), "", |_| count_bare(shop)).await?;
    bare.print(json)?;

    let bodies =
        (0..ORDERS + ALONE + BUYERS).map(|n| shop.order_of(n)).collect::<anyhow::Result<Vec<_>>>()?;
    let order = |number: usize| {
        let bodies = &bodies;
        async move { made(shop.order(number, bodies.get(number).context("no body")?).await?) }
    };
    let beside = |row: Row| Row { ratio: Some(row.per_second / bare.per_second), ..row };
    let orders = measure("orders", (ORDERS, BUYERS), "at least 0.4, and 500 per s", order).await?;
    beside(orders).print(json)?;
    let alone =
        measure("orders, one at a time", (ALONE, 1), "p50 at most 5000 µs", |n| order(ORDERS + n)).await?;
    alone.print(json)?;
    ensure!(
        no_use_is_left(shop, &bodies).await?,
        "the coupon was not used as often as it may be, or more often"
    );
    totals.passed += 1;

    let replay = |_| async { made(shop.order(0, bodies.first().context("no body")?).await?) };
    let replays =
        measure("replays", (REPLAYS, BUYERS), "10,000 per second of our CPU: 100 µs", replay).await?;
    replays.print(json)?;

    let mut tx = shop.postgres.tenant(shop::tenant()).await?;
    let attempts: Vec<String> =
        sqlx::query_scalar("SELECT replace(id::text, '-', '') FROM payment ORDER BY id LIMIT $1")
            .bind(ORDERS as i64)
            .fetch_all(tx.connection())
            .await?;
    tx.commit().await?;
    let pay = |number: usize| {
        let attempt = attempts.get(number);
        async move { shop.pay(attempt.context("no attempt")?).await }
    };
    let captures = measure("captures", (ORDERS, BUYERS), "", pay).await?;
    beside(captures).print(json)?;
    Ok(totals)
}

fn made((status, body): (StatusCode, bytes::Bytes)) -> anyhow::Result<()> {
    ensure!(status == StatusCode::CREATED, "an order is answered {status}: {body:?}");
    Ok(())
}

/// The least that counts to a limit.
async fn count_bare(shop: &Shop) -> anyhow::Result<()> {
    let mut tx = shop.postgres.tenant(shop::tenant()).await?;
    let counted =
        sqlx::query("UPDATE bare SET used = used + 1 WHERE used < ceiling").execute(tx.connection()).await?;
    ensure!(counted.rows_affected() == 1, "the counter is at its limit");
    tx.commit().await?;
    Ok(())
}

/// Whether all who are too many are refused, and as many were made as the coupon has uses.
async fn no_use_is_left(shop: &Shop, bodies: &[Value]) -> anyhow::Result<bool> {
    for number in ORDERS + ALONE..ORDERS + ALONE + BUYERS {
        let (status, _) = shop.order(number, bodies.get(number).context("no body")?).await?;
        if status != StatusCode::CONFLICT {
            return Ok(false);
        }
    }
    let mut tx = shop.postgres.tenant(shop::tenant()).await?;
    let (held, ceiling): (i64, i64) =
        sqlx::query_as("SELECT held, ceiling FROM budget WHERE kind = 'coupon'")
            .fetch_one(tx.connection())
            .await?;
    Ok((held, ceiling) == ((ORDERS + ALONE) as i64, held))
}
