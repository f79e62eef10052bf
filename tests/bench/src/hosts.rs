//! The same routes on every engine, each beside that engine's own empty function, in one run.

use akademi_process::ports::{WriteLog, ports};
use anyhow::Context;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    academy::Academy,
    client::Connection,
    engines::{Artefacts, Deployment, Engine, Load},
    load::{InTurn, Measured, measure},
    pinning::Cores,
    processes,
    routes::{self, Measurable, Name, Pace},
    run::Totals,
    table::{self, Row},
};

/// As many requests at once as a Spin instance takes; the beat is short, since time cannot be made to run faster in
/// every engine: learners may be 30 s of the video ahead.
const PACE: Pace = Pace { connections: 16, beat_seconds: 1 };

/// What one route took on one engine.
struct Cost {
    /// With all connections of [`PACE`].
    busy: Measured,
    /// With one.
    alone: Measured,
    /// Bytes.
    peak_memory: u64,
}

/// Measures the empty function and the routes on all engines, each twice for `seconds`, and prints a line for each.
///
/// # Errors
/// When an engine does not start, a connection breaks, or a route does not answer in its shape to begin with.
pub async fn run(
    academy: &Academy,
    cores: &Cores,
    data: &Path,
    seconds: u32,
    json: bool,
) -> anyhow::Result<Totals> {
    let artefacts = Artefacts::find()?;
    let mut deployments = Vec::new();
    let mut empty = Vec::new();
    for engine in Engine::present() {
        let start = async |load| {
            let folder = new_folder(data, engine, load)?;
            let started = Deployment::start(engine, load, &artefacts, &folder, cores).await;
            started.with_context(|| format!("starting {}", engine.label()))
        };
        deployments.push(start(Load::Academy(academy)).await?);
        empty.push(start(Load::Empty).await?);
    }

    let clock = ports(Arc::new(WriteLog::new(std::io::sink())));
    let mut totals = Totals::default();
    let mut of_empty = BTreeMap::new();
    table::print_head(json);
    for deployment in &empty {
        let mut connection = Connection::open(deployment.target.address).await?;
        let route = routes::empty(&mut connection, PACE.connections).await?;
        let cost = cost(deployment, route, seconds, &mut totals).await?;
        let per_cpu_second = cost.busy.requests_per_cpu_second();
        of_empty.insert(deployment.engine, per_cpu_second);
        let local = of_empty.get(&Engine::Local).copied().unwrap_or_default();
        print(deployment.engine, "empty", &cost, [local, per_cpu_second], json)?;
    }
    for name in Name::ALL {
        // Route by route, so that what else the machine does falls on all engines alike.
        let mut local = 0.0;
        for deployment in &deployments {
            let mut connection = Connection::open(deployment.target.address).await?;
            let prepared = routes::prepare(name, academy, &mut connection, clock.now(), PACE).await;
            let route =
                prepared.with_context(|| format!("{} on {}", name.label(), deployment.engine.label()))?;
            let cost = cost(deployment, route, seconds, &mut totals).await?;
            if deployment.engine == Engine::Local {
                local = cost.busy.requests_per_cpu_second();
            }
            let of_empty = of_empty.get(&deployment.engine).copied().unwrap_or_default();
            print(deployment.engine, name.label(), &cost, [local, of_empty], json)?;
        }
    }
    Ok(totals)
}

/// A folder of its own within `data`, in the place of the one before.
fn new_folder(data: &Path, engine: Engine, load: Load<'_>) -> anyhow::Result<PathBuf> {
    let what = match load {
        Load::Academy(_) => "academy",
        Load::Empty => "empty",
    };
    let folder = std::path::absolute(data)?.join(format!("{}-{what}", engine.label()));
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("emptying {}", folder.display()))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    Ok(folder)
}

async fn cost(
    deployment: &Deployment,
    route: Measurable,
    seconds: u32,
    totals: &mut Totals,
) -> anyhow::Result<Cost> {
    let target = deployment.target;
    processes::forget_peak(target.process)?;
    let (busy, exchanges) = measure(target, route.exchanges, seconds).await?;
    totals.count(&busy);
    let in_turn = Box::new(InTurn { exchanges, next: 0 });
    let (alone, _) = measure(target, vec![in_turn], seconds).await?;
    totals.count(&alone);
    let peak_memory = processes::peak_memory(target.process).context("the engine has ended")?;
    Ok(Cost { busy, alone, peak_memory })
}

fn print(
    engine: Engine,
    route: &'static str,
    Cost { busy, alone, peak_memory }: &Cost,
    [local, empty]: [f64; 2],
    json: bool,
) -> anyhow::Result<()> {
    let row = Row::new(engine, route, (busy, alone), *peak_memory, local, empty);
    println!("{}", if json { serde_json::to_string(&row)? } else { row.line() });
    Ok(())
}
