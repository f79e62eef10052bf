//! `akademi-faults --seeds N [--first S]`: lives through N histories and checks the books after each. A failing seed prints
//! its history; `--seeds 1 --first S` lives through it again, step by step.

use akademi_faults::{Outcomes, histories, processes};
use anyhow::Context;
use clap::{Parser, Subcommand};
use std::{num::NonZeroUsize, process::ExitCode, thread::available_parallelism, time::Instant};

#[derive(Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// How many histories
    #[arg(long, default_value_t = 2000)]
    seeds: u64,
    /// The first one's seed
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// How many at once; twice as many as there are processors without it, since each waits for its server now and then
    #[arg(long)]
    threads: Option<NonZeroUsize>,
}

#[derive(Subcommand)]
enum Command {
    /// The functions of the Lambda plane, as a process that a test kills
    #[command(hide = true)]
    Lambda(processes::Lambda),
    /// The edge's functions, likewise
    #[command(hide = true)]
    Edge(processes::Edge),
}

const TWICE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1);
/// A failing history is some hundred lines.
const MOST_PRINTED: usize = 3;

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    match arguments.command {
        Some(Command::Lambda(options)) => processes::lambda(&options)?,
        Some(Command::Edge(options)) => processes::edge(&options)?,
        None => return live_through(&arguments),
    }
    Ok(ExitCode::SUCCESS)
}

fn live_through(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let threads = match arguments.threads {
        Some(threads) => threads,
        None => available_parallelism()?.saturating_mul(TWICE),
    };
    let last = arguments.first.checked_add(arguments.seeds).context("there are 2^64 seeds")?;
    #[allow(clippy::disallowed_methods, reason = "a program measures how long it took")]
    let started = Instant::now();
    let totals = histories(arguments.first..last, threads, None, false)?;
    let seconds = started.elapsed().as_secs_f64();
    for (seed, report) in totals.failed.iter().take(MOST_PRINTED) {
        println!(
            "{}\nseed {seed} again: cargo xtask faults --seeds 1 --first {seed}\n",
            report.trace.join("\n")
        );
    }
    for (seed, report) in &totals.failed {
        println!("seed {seed}: {}", report.violations.join("; "));
    }
    let orders: Vec<String> =
        totals.outcomes.orders.iter().map(|(state, count)| format!("{count} {state}")).collect();
    let Outcomes { captured, refunded, unwanted, refused, paid_twice, .. } = totals.outcomes;
    println!("orders: {}; {captured} minor units captured, {refunded} given back", orders.join(", "));
    println!(
        "{unwanted} payments too late or twice, {} looked at for fraud, {paid_twice} lines paid by somebody who had paid for the course before, {refused} refunds refused",
        totals.reviews
    );
    println!("{} steps, {} faults, {} waits for a lock", totals.steps, totals.faults, totals.waits);
    let rate = totals.histories as f64 / seconds;
    println!("{rate:.1} seeds/s: {} in {seconds:.0} s on {threads} threads", totals.histories);
    let failed = totals.failed.len() as u64;
    println!("{} passed, {failed} failed", totals.histories - failed);
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
