//! Sending requests as fast as answers come, on connections that are kept, and what that took.

use anyhow::Context;
use std::{
    cell::Cell,
    net::SocketAddr,
    rc::Rc,
    time::{Duration, Instant},
};
use tokio::task::LocalSet;

use crate::{
    client::{Answer, Connection},
    pinning::cpu_seconds,
};

/// How many requests are under way at once, each on a connection of its own.
pub const CONNECTIONS: u32 = 32;
const WARM_UP: Duration = Duration::from_secs(1);

/// What one connection asks, again and again.
pub trait Exchange {
    /// The next request as it stands on the wire.
    fn request(&mut self) -> &[u8];

    /// Whether this answer to the last request is as it must be.
    fn accepts(&mut self, answer: &Answer<'_>) -> bool;
}

/// What was seen while it was measured.
#[derive(Debug, Clone, Default)]
pub struct Measured {
    pub requests: u64,
    /// User and system time of the server's process.
    pub cpu_seconds: f64,
    /// By the wall's clock.
    pub seconds: f64,
    pub p50_us: u32,
    pub p99_us: u32,
    /// How many answers were not as they must be, warm-up included.
    pub wrong: u64,
    /// The first of them.
    pub first_wrong: Option<String>,
}

impl Measured {
    pub fn requests_per_cpu_second(&self) -> f64 {
        self.requests as f64 / self.cpu_seconds.max(0.01)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    WarmUp,
    Measuring,
    Over,
}

#[derive(Default)]
struct Tally {
    latencies_us: Vec<u32>,
    wrong: u64,
    first_wrong: Option<String>,
}

/// Who is asked.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    pub address: SocketAddr,
    /// Whose CPU time counts.
    pub process: u32,
}

/// Several exchanges one after the other, on one connection.
pub struct InTurn {
    pub exchanges: Vec<Box<dyn Exchange>>,
    pub next: usize,
}

impl Exchange for InTurn {
    fn request(&mut self) -> &[u8] {
        self.next = (self.next + 1) % self.exchanges.len();
        self.exchanges.get_mut(self.next).map_or(&[], |exchange| exchange.request())
    }

    fn accepts(&mut self, answer: &Answer<'_>) -> bool {
        self.exchanges.get_mut(self.next).is_some_and(|exchange| exchange.accepts(answer))
    }
}

/// Runs each exchange on a connection of its own for `seconds` after a warm-up, and gives them back, for they know
/// how far they have come.
///
/// # Errors
/// When a connection breaks.
pub async fn measure(
    target: Target,
    exchanges: Vec<Box<dyn Exchange>>,
    seconds: u32,
) -> anyhow::Result<(Measured, Vec<Box<dyn Exchange>>)> {
    LocalSet::new().run_until(drive_all(target, exchanges, seconds)).await
}

#[allow(clippy::disallowed_methods, reason = "time is what is measured here")]
async fn drive_all(
    target: Target,
    exchanges: Vec<Box<dyn Exchange>>,
    seconds: u32,
) -> anyhow::Result<(Measured, Vec<Box<dyn Exchange>>)> {
    let stage = Rc::new(Cell::new(Stage::WarmUp));
    let connections: Vec<_> = exchanges
        .into_iter()
        .map(|exchange| tokio::task::spawn_local(drive(target.address, exchange, stage.clone())))
        .collect();
    tokio::time::sleep(WARM_UP).await;
    let (cpu_before, started) = (cpu_seconds(target.process)?, Instant::now());
    stage.set(Stage::Measuring);
    tokio::time::sleep(Duration::from_secs(seconds.into())).await;
    stage.set(Stage::Over);
    let mut measured = Measured {
        cpu_seconds: cpu_seconds(target.process)? - cpu_before,
        seconds: started.elapsed().as_secs_f64(),
        ..Measured::default()
    };
    let mut latencies_us = Vec::new();
    let mut exchanges = Vec::new();
    for connection in connections {
        let (tally, exchange) = connection.await?.context("a connection broke")?;
        exchanges.push(exchange);
        latencies_us.extend(tally.latencies_us);
        measured.wrong += tally.wrong;
        measured.first_wrong = measured.first_wrong.or(tally.first_wrong);
    }
    latencies_us.sort_unstable();
    measured.requests = latencies_us.len() as u64;
    measured.p50_us = percentile(&latencies_us, 50);
    measured.p99_us = percentile(&latencies_us, 99);
    Ok((measured, exchanges))
}

#[allow(clippy::disallowed_methods, reason = "time is what is measured here")]
async fn drive(
    address: SocketAddr,
    mut exchange: Box<dyn Exchange>,
    stage: Rc<Cell<Stage>>,
) -> std::io::Result<(Tally, Box<dyn Exchange>)> {
    let mut connection = Connection::open(address).await?;
    let mut tally = Tally::default();
    while stage.get() != Stage::Over {
        let sent = Instant::now();
        let answer = connection.exchange(exchange.request()).await?;
        if stage.get() == Stage::Measuring {
            tally.latencies_us.push(u32::try_from(sent.elapsed().as_micros()).unwrap_or(u32::MAX));
        }
        if !exchange.accepts(&answer) {
            tally.wrong += 1;
            tally.first_wrong.get_or_insert_with(|| {
                format!("{}: {}", answer.status, String::from_utf8_lossy(answer.body))
            });
        }
    }
    Ok((tally, exchange))
}

/// The nearest rank; 0 for nothing at all.
fn percentile(sorted: &[u32], percent: usize) -> u32 {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_value_that_was_seen() {
        let hundred: Vec<u32> = (1..=100).collect();
        assert_eq!((percentile(&hundred, 50), percentile(&hundred, 99)), (50, 99));
        assert_eq!((percentile(&[7], 99), percentile(&[], 50)), (7, 0));
    }
}
