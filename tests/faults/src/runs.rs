//! Many histories, on as many threads as are asked for, each thread with a world of its own.

use std::{
    collections::BTreeSet,
    num::NonZeroUsize,
    ops::Range,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
};

use crate::{
    history::{History, Report},
    invariants::Outcomes,
    processor,
    protection::{Part, Protection},
    world::World,
};

/// What many histories came to.
#[derive(Debug, Default, Clone)]
pub struct Totals {
    pub histories: u64,
    pub steps: usize,
    pub faults: usize,
    /// How often a statement waited for another transaction's lock.
    pub waits: usize,
    /// How many payments were looked at for fraud.
    pub reviews: usize,
    pub outcomes: Outcomes,
    /// The parts of protections that no statement had: no control takes them out of what they guard.
    pub unmet: BTreeSet<Part>,
    /// Seeds whose history broke a rule, with their reports.
    pub failed: Vec<(u64, Report)>,
}

impl Totals {
    fn add(&mut self, report: &Report) {
        self.histories += 1;
        self.steps += report.steps;
        self.faults += report.faults;
        self.waits += report.waits;
        self.reviews += report.reviews;
        self.outcomes.add(&report.outcomes);
    }
}

/// Lives through the histories of these seeds; with `stop_at_first` no more after one that broke a rule.
///
/// # Errors
/// Where a store cannot be had, or a history cannot go on.
pub fn histories(
    seeds: Range<u64>,
    threads: NonZeroUsize,
    without: Option<Protection>,
    stop_at_first: bool,
) -> anyhow::Result<Totals> {
    let next = AtomicU64::new(seeds.start);
    let is_over = AtomicBool::new(false);
    let totals = Mutex::new(Totals { unmet: Protection::all_parts(), ..Totals::default() });
    let work = |place: usize| {
        processor::stay(place);
        runtime()?.block_on(async {
            let mut world = World::new(without).await?;
            loop {
                let seed = next.fetch_add(1, Ordering::SeqCst);
                if seed >= seeds.end || is_over.load(Ordering::SeqCst) {
                    let unmet = world.unmet.lock().unwrap();
                    totals.lock().unwrap().unmet.retain(|part| unmet.contains(part));
                    return anyhow::Ok(());
                }
                let report = History::live(&mut world, seed).await?;
                let mut totals = totals.lock().unwrap();
                totals.add(&report);
                if !report.violations.is_empty() {
                    totals.failed.push((seed, report));
                    is_over.fetch_or(stop_at_first, Ordering::SeqCst);
                }
            }
        })
    };
    thread::scope(|scope| {
        let threads = (0..threads.get()).map(|place| scope.spawn(move || work(place)));
        let threads: Vec<_> = threads.collect();
        threads.into_iter().try_for_each(|thread| thread.join().unwrap())
    })?;
    let mut totals = totals.into_inner().unwrap();
    totals.failed.sort_by_key(|(seed, _)| *seed);
    Ok(totals)
}

/// One history, in a world made for it.
///
/// # Errors
/// As [`histories`].
pub fn history(seed: u64, without: Option<Protection>) -> anyhow::Result<Report> {
    runtime()?.block_on(async { History::live(&mut World::new(without).await?, seed).await })
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}
