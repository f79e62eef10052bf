//! `akademi-bench [NAME] [--seconds N] [--json]`: requests per CPU-second of the edge's hot routes.
//! `akademi-bench trust [--seconds N] [--json]`: a token's check, a sign-in and a refresh, beside what they cannot do without.
//! `akademi-bench orders [--json]`: orders on one coupon, one at a time and replayed, beside a bare transaction that counts.
//! `akademi-bench progress [--seconds N] [--json]`: heartbeats, and what carries them to PostgreSQL.
//! `akademi-bench hosts [--seconds N] [--json]`: the same routes on every engine.
//!
//! The program starts servers on a core of their own, itself a second time among them, and sends requests from another.
//! The figure is requests per second of CPU time of the server's process, SQLite included, since that survives a
//! machine with other things to do. Plain routes on the same server stand beside it in the same run, or an empty
//! function on the same engine.

use akademi_bench::{
    academy::Academy,
    feed, hosts, orders,
    pinning::{Cores, Side},
    routes::Name,
    run::{Totals, run},
    server, trust,
};
use anyhow::Context;
use clap::{Parser, Subcommand};
use std::path::PathBuf;

#[derive(Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Only this route
    #[arg(value_enum)]
    name: Option<Name>,
    #[command(flatten)]
    measuring: Measuring,
}

#[derive(clap::Args)]
struct Measuring {
    /// How long each route is measured, after a warm-up; `hosts` takes at most 6
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=15))]
    seconds: u32,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
    /// A folder on a disk, for an academy that every run makes anew
    #[arg(long, default_value = "target/bench")]
    data: PathBuf,
}

#[derive(Subcommand)]
enum Command {
    /// The routes on every engine that is there, beside an empty function on each
    Hosts(Measuring),
    /// A token's check, a sign-in and a refresh
    Trust(Measuring),
    /// Orders on one coupon with a limit, beside a bare transaction that counts
    Orders(Measuring),
    /// Heartbeats, and what carries progress to PostgreSQL, beside bare upserts
    Progress(Measuring),
    /// The server that is measured
    #[command(hide = true)]
    Serve(server::Options),
    /// The server of an empty function
    #[command(hide = true)]
    ServeEmpty,
}

/// Learners' clocks pay for no more heartbeats.
const LONGEST_ON_HOSTS: u32 = 6;

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    match &arguments.command {
        Some(Command::Serve(options)) => server_runtime()?.block_on(server::serve(options)),
        Some(Command::ServeEmpty) => server_runtime()?.block_on(server::serve_empty()),
        Some(Command::Hosts(measuring)) => bench(measuring, What::Hosts),
        Some(Command::Trust(measuring)) => bench(measuring, What::Trust),
        Some(Command::Orders(Measuring { json, data, .. })) => {
            tell(server_runtime()?.block_on(orders::run(data, *json))?);
            Ok(())
        }
        Some(Command::Progress(measuring)) => {
            bench(measuring, What::Routes(Some(Name::Heartbeats)))?;
            tell(server_runtime()?.block_on(feed::run(&measuring.data, measuring.json))?);
            Ok(())
        }
        None => bench(&arguments.measuring, What::Routes(arguments.name)),
    }
}

/// With as many threads as there are cores to run on.
fn server_runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}

enum What {
    /// One, or all
    Routes(Option<Name>),
    Hosts,
    Trust,
}

fn bench(measuring: &Measuring, what: What) -> anyhow::Result<()> {
    let Measuring { seconds, json, data } = measuring;
    let cores = Cores::allowed()?;
    // What is started from here on inherits it: servers are moved once they answer.
    cores.keep_to(Side::Load)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    tell(runtime.block_on(async {
        let academy = Academy::create(data).await.context("making the academy")?;
        match what {
            What::Hosts => hosts::run(&academy, &cores, data, (*seconds).min(LONGEST_ON_HOSTS), *json).await,
            What::Trust => trust::run(&academy, &cores, *seconds, *json).await,
            What::Routes(name) => run(&academy, &cores, name, *seconds, *json).await,
        }
    })?);
    Ok(())
}

fn tell(Totals { passed, failed }: Totals) {
    println!("{passed} passed, {failed} failed");
    if failed > 0 {
        std::process::exit(1);
    }
}
