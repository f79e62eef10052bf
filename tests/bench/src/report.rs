//! A route's figures, for a person and for a program.

use serde::Serialize;

use crate::{load::Measured, routes::Name};

/// The figures of one route; ratios are of requests per CPU-second in the same run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figures {
    pub route: &'static str,
    pub requests: u64,
    pub cpu_seconds: f64,
    pub requests_per_cpu_second: f64,
    pub requests_per_second: f64,
    /// To a plain axum route whose constant answer has the same size; absent for the baselines.
    pub ratio_to_axum: Option<f64>,
    /// To a plain route that checks a token and makes one upsert into SQLite, committed in groups.
    pub ratio_to_sqlite_upsert: Option<f64>,
    pub p50_us: u32,
    pub p99_us: u32,
    /// Requests per CPU-second that the route is to reach.
    pub aim: Option<u32>,
}

impl Figures {
    pub fn of_baseline(route: &'static str, measured: &Measured) -> Self {
        Self {
            route,
            requests: measured.requests,
            cpu_seconds: rounded(measured.cpu_seconds, 100.0),
            requests_per_cpu_second: rounded(measured.requests_per_cpu_second(), 1.0),
            requests_per_second: rounded(measured.requests as f64 / measured.seconds.max(0.001), 1.0),
            ratio_to_axum: None,
            ratio_to_sqlite_upsert: None,
            p50_us: measured.p50_us,
            p99_us: measured.p99_us,
            aim: None,
        }
    }

    pub fn of(name: Name, measured: &Measured, axum: &Measured, upsert: &Measured) -> Self {
        let ratio = |baseline: &Measured| {
            rounded(measured.requests_per_cpu_second() / baseline.requests_per_cpu_second().max(1.0), 1000.0)
        };
        Self {
            ratio_to_axum: Some(ratio(axum)),
            ratio_to_sqlite_upsert: Some(ratio(upsert)),
            aim: name.aim(),
            ..Self::of_baseline(name.label(), measured)
        }
    }

    /// One line for a person.
    pub fn line(&self) -> String {
        let mut line = format!(
            "{:<22}{:>9} requests per CPU-second{:>9}/s   p50 {:>6} µs   p99 {:>6} µs",
            self.route, self.requests_per_cpu_second, self.requests_per_second, self.p50_us, self.p99_us
        );
        if let (Some(axum), Some(upsert)) = (self.ratio_to_axum, self.ratio_to_sqlite_upsert) {
            line += &format!("   {axum:.3} × axum   {upsert:.3} × upsert");
        }
        if let Some(aim) = self.aim {
            line += &format!("   aim {aim}");
        }
        line
    }
}

fn rounded(value: f64, scale: f64) -> f64 {
    (value * scale).round() / scale
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_per_cpu_second_and_ratios_to_the_same_run() {
        let measured =
            |requests, cpu_seconds| Measured { requests, cpu_seconds, seconds: 4.0, ..Measured::default() };
        let figures =
            Figures::of(Name::List, &measured(10_000, 2.0), &measured(80_000, 2.0), &measured(20_000, 1.0));
        assert_eq!((figures.requests_per_cpu_second, figures.requests_per_second), (5_000.0, 2_500.0));
        assert_eq!((figures.ratio_to_axum, figures.ratio_to_sqlite_upsert), (Some(0.125), Some(0.25)));
        assert_eq!(figures.aim, Some(20_000));
    }
}
