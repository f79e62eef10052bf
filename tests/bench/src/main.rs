//! `akademi-bench [NAME] [--seconds N] [--json]`: requests per CPU-second of the edge's hot routes.
//!
//! The program starts itself a second time as the server, on a core of its own, and sends requests from another.
//! The figure is requests per second of CPU time of the server's process, SQLite included, since that survives a
//! machine with other things to do. Plain routes on the same server stand beside it in the same run.

use akademi_bench::{academy::Academy, pinning, routes::Name, run::run, server};
use anyhow::Context;
use clap::{Parser, Subcommand};
use std::path::PathBuf;

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Only this route
    #[arg(value_enum)]
    name: Option<Name>,
    /// How long each route is measured, after a warm-up
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
    /// The server that is measured
    #[command(hide = true)]
    Serve(server::Options),
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    if let Some(Command::Serve(options)) = &arguments.command {
        // Before there are threads: they inherit it, and tokio starts as many as there are cores to run on.
        pinning::pin_to(pinning::Side::Server)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        return runtime.block_on(server::serve(options));
    }
    pinning::pin_to(pinning::Side::Load)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let totals = runtime.block_on(async {
        let academy = Academy::create(&arguments.data).await.context("making the academy")?;
        run(&academy, arguments.name, arguments.seconds, arguments.json).await
    })?;
    println!("{} passed, {} failed", totals.passed, totals.failed);
    if totals.failed > 0 {
        std::process::exit(1);
    }
    Ok(())
}
