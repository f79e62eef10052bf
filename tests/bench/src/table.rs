//! The table of the engines, for a person and for a program.

use serde::Serialize;

use crate::{engines::Engine, load::Measured};

/// Wasm is to cost at most twice what native code does.
const AIM: f64 = 0.5;

/// One route on one engine; ratios are of requests per CPU-second in the same run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    pub engine: Engine,
    pub route: &'static str,
    /// Of the engine's process; of workerd without miniflare's.
    pub requests_per_cpu_second: f64,
    /// To the same route on the local host.
    pub ratio_to_local: f64,
    /// To this engine's own function that does nothing.
    pub ratio_to_empty: f64,
    pub requests_per_second: f64,
    /// With one connection.
    pub p50_us: u32,
    /// With one connection.
    pub p99_us: u32,
    /// The most memory that the process had while it was measured.
    pub peak_memory_mib: f64,
    pub aim_ratio_to_local: f64,
}

impl Row {
    /// `measured` with many connections and with one; `local` and `empty` in requests per CPU-second, memory in bytes.
    pub fn new(
        engine: Engine,
        route: &'static str,
        (busy, alone): (&Measured, &Measured),
        peak_memory: u64,
        local: f64,
        empty: f64,
    ) -> Self {
        let per_cpu_second = busy.requests_per_cpu_second();
        Self {
            engine,
            route,
            requests_per_cpu_second: per_cpu_second.round(),
            ratio_to_local: rounded(per_cpu_second / local.max(1.0), 1000.0),
            ratio_to_empty: rounded(per_cpu_second / empty.max(1.0), 1000.0),
            requests_per_second: (busy.requests as f64 / busy.seconds.max(0.001)).round(),
            p50_us: alone.p50_us,
            p99_us: alone.p99_us,
            peak_memory_mib: rounded(peak_memory as f64 / f64::from(1 << 20), 10.0),
            aim_ratio_to_local: AIM,
        }
    }

    /// One line for a person.
    pub fn line(&self) -> String {
        format!(
            "{:<12}{:<15}{:>12}{:>9.3}{:>9.3}{:>11}{:>9}{:>9}{:>9.1}",
            self.route,
            self.engine.label(),
            self.requests_per_cpu_second,
            self.ratio_to_local,
            self.ratio_to_empty,
            self.requests_per_second,
            self.p50_us,
            self.p99_us,
            self.peak_memory_mib
        )
    }
}

/// What the columns are, for a person.
pub fn print_head(json: bool) {
    if !json {
        println!(
            "16 connections for requests per second and CPU-second, one for p50 and p99; aim {AIM} × local"
        );
        println!(
            "{:<12}{:<15}{:>12}{:>9}{:>9}{:>11}{:>9}{:>9}{:>9}",
            "route", "engine", "req/CPU-s", "× local", "× empty", "req/s", "p50 µs", "p99 µs", "MiB"
        );
    }
}

fn rounded(value: f64, scale: f64) -> f64 {
    (value * scale).round() / scale
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_of_requests_per_cpu_second() {
        let busy = Measured { requests: 10_000, cpu_seconds: 2.0, seconds: 4.0, ..Measured::default() };
        let alone = Measured { p50_us: 150, p99_us: 300, ..Measured::default() };
        let row = Row::new(Engine::Workerd, "list", (&busy, &alone), 96 << 20, 20_000.0, 10_000.0);
        assert_eq!((row.requests_per_cpu_second, row.requests_per_second), (5_000.0, 2_500.0));
        assert_eq!((row.ratio_to_local, row.ratio_to_empty), (0.25, 0.5));
        assert_eq!((row.p50_us, row.p99_us, row.peak_memory_mib), (150, 300, 96.0));
    }
}
