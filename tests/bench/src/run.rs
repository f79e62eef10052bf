//! One run: baselines and routes in turn, on one server.

use crate::{
    academy::Academy,
    client::Connection,
    haste::{BEAT_SECONDS, hasten},
    load::{CONNECTIONS, Measured, measure},
    pinning::Cores,
    report::Figures,
    routes::{self, Measurable, Name, Pace},
    server::Running,
};
use akademi_process::ports::{WriteLog, ports};
use std::sync::Arc;

const PACE: Pace = Pace { connections: CONNECTIONS, beat_seconds: BEAT_SECONDS };

/// How many routes answered as they must.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    pub passed: u32,
    pub failed: u32,
}

impl Totals {
    pub fn count(&mut self, measured: &Measured) {
        match &measured.first_wrong {
            None if measured.requests > 0 => self.passed += 1,
            wrong => {
                self.failed += 1;
                let wrong = wrong.as_deref().unwrap_or("no answer at all");
                eprintln!("{} answers were not as they must be, the first: {wrong}", measured.wrong);
            }
        }
    }
}

/// Measures one route or all, each for `seconds`, and prints a line for each.
///
/// # Errors
/// When the server does not start, a connection breaks, or a route does not answer in its shape to begin with.
pub async fn run(
    academy: &Academy,
    cores: &Cores,
    only: Option<Name>,
    seconds: u32,
    json: bool,
) -> anyhow::Result<Totals> {
    let ports = ports(Arc::new(WriteLog::new(std::io::sink())));
    let clock_start = ports.now();
    let academy_ports = hasten(ports, clock_start);
    let server = Running::start(&academy.folder, Some(clock_start), cores)?;
    let mut connection = Connection::open(server.target.address).await?;
    let mut totals = Totals::default();

    let alone = routes::upserts_alone(&mut connection).await?;
    let alone = measure_one(&server, alone, seconds, &mut totals).await?;
    print(&Figures::of_baseline("upsert-alone", &alone), json)?;
    let group = routes::upserts_in_group(academy, &mut connection, academy_ports.now()).await?;
    let group = measure_one(&server, group, seconds, &mut totals).await?;
    print(&Figures::of_baseline("upsert-group", &group), json)?;

    for name in Name::ALL.into_iter().filter(|name| only.is_none_or(|only| only == *name)) {
        let route = routes::prepare(name, academy, &mut connection, academy_ports.now(), PACE).await?;
        let answer_bytes = route.answer_bytes;
        let measured = measure_one(&server, route, seconds, &mut totals).await?;
        let constant = routes::constant(&mut connection, answer_bytes).await?;
        let constant = measure_one(&server, constant, seconds, &mut totals).await?;
        print(&Figures::of_baseline(name.axum_label(), &constant), json)?;
        print(&Figures::of(name, &measured, &constant, &group), json)?;
    }
    Ok(totals)
}

async fn measure_one(
    server: &Running,
    route: Measurable,
    seconds: u32,
    totals: &mut Totals,
) -> anyhow::Result<Measured> {
    let (measured, _) = measure(server.target, route.exchanges, seconds).await?;
    totals.count(&measured);
    Ok(measured)
}

fn print(figures: &Figures, json: bool) -> anyhow::Result<()> {
    let line = if json { serde_json::to_string(figures)? } else { figures.line() };
    println!("{line}");
    Ok(())
}
