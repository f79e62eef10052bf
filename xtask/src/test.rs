//! All tests, in groups.

use anyhow::bail;
use clap::ValueEnum;
use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    time::Duration,
};

use crate::{build, gates, install, run, size};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Group {
    /// Rules, stores and functions, each by itself
    Unit,
    /// The learner's journey on the local host
    Journey,
    /// The same requests to every host
    Parity,
    /// The edge store's contract on rusqlite, Spin's SQLite and D1
    Store,
    /// Nothing of one academy or learner in another's answers, on every edge host; traps, faults, suspension
    Isolation,
    /// The books after seeded histories of crashes and losses, and without each of what keeps them right
    Faults,
}

impl Group {
    /// The crates whose tests it is; those of no group are unit tests.
    const fn packages(self) -> &'static [&'static str] {
        match self {
            Self::Unit => &[],
            Self::Journey => &["akademi-journey"],
            Self::Parity => &["akademi-parity", "akademi-component-host", "akademi-worker-host"],
            Self::Store => &["akademi-store-contract"],
            Self::Isolation => &["akademi-host-tests"],
            Self::Faults => &["akademi-faults"],
        }
    }
}

/// Runs all groups, or one.
///
/// # Errors
/// When a check or a test fails.
pub fn test(only: Option<Group>) -> anyhow::Result<()> {
    let mut phases = Phases::default();
    phases.time("installing", || install::install(install::Purpose::Test))?;
    let wants = |group| only.is_none_or(|only| only == group);
    if wants(Group::Unit) {
        phases.time("formatting", || run::cargo(["fmt", "--all", "--check"]))?;
    }
    if only.is_none() {
        phases.time("checking dependencies", gates::dependencies)?;
        phases.time("finding unused ones", gates::no_unused_dependency)?;
        let lints = ["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"];
        phases.time("linting", || run::cargo(lints))?;
    }
    if [Group::Parity, Group::Isolation].into_iter().any(wants) {
        phases.time("building Spin components", build::spin)?;
        phases.time("building the Workers", build::workers)?;
        phases.time("weighing both", || size::size(true))?;
    }
    let filter: Vec<String> = match only {
        None => vec!["--workspace".into()],
        Some(Group::Unit) => {
            let others = Group::value_variants().iter().flat_map(|group| group.packages());
            std::iter::once("--workspace".into())
                .chain(others.flat_map(|name| ["--exclude".to_owned(), (*name).to_owned()]))
                .collect()
        }
        // Among the whole workspace, whose binaries they start.
        Some(group) => {
            let packages: Vec<_> = group.packages().iter().map(|name| format!("package({name})")).collect();
            vec!["--workspace".into(), "-E".into(), packages.join(" or ")]
        }
    };
    let compile = ["nextest", "run", "--no-run"].map(str::to_owned).into_iter().chain(filter.iter().cloned());
    phases.time("compiling tests", || run::cargo(compile))?;
    let totals = phases.time("running tests", || nextest(&filter))?;
    phases.print();
    println!("{} passed, {} failed", totals.passed, totals.failed);
    if totals.failed > 0 {
        bail!("{} tests failed", totals.failed);
    }
    Ok(())
}

/// Where the time goes.
#[derive(Default)]
struct Phases(Vec<(&'static str, Duration)>);

impl Phases {
    #[allow(clippy::disallowed_methods, reason = "this tells the person at the terminal where the time went")]
    fn time<T>(&mut self, name: &'static str, phase: impl FnOnce() -> T) -> T {
        let started = std::time::Instant::now();
        let result = phase();
        self.0.push((name, started.elapsed()));
        result
    }

    fn print(&self) {
        for (name, took) in &self.0 {
            println!("{name:<26} {:>5} s", took.as_secs());
        }
    }
}

pub struct Totals {
    pub passed: u32,
    pub failed: u32,
}

/// Runs nextest and reads its closing line.
///
/// # Errors
/// When it cannot be started, or ends without saying which test failed.
pub fn nextest(filter: &[String]) -> anyhow::Result<Totals> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // Spin's and Cloudflare's adapters are built for their own targets only.
    let arguments = ["nextest", "run", "--no-fail-fast", "--color", "never"];
    let mut child = run::clean(&mut command).args(arguments).args(filter).stderr(Stdio::piped()).spawn()?;
    let mut summary = String::new();
    if let Some(stderr) = child.stderr.take() {
        for line in BufReader::new(stderr).lines() {
            let line = line?;
            eprintln!("{line}");
            if line.trim_start().starts_with("Summary [") {
                summary = line;
            }
        }
    }
    let status = child.wait()?;
    let passed = count(&summary, "passed");
    let failed = count(&summary, "failed") + count(&summary, "timed out");
    if !status.success() && failed == 0 {
        bail!("the test runner ended with {status}");
    }
    Ok(Totals { passed, failed })
}

/// The number before `word` in nextest's closing line.
fn count(summary: &str, word: &str) -> u32 {
    let before = summary.split(word).next().filter(|before| before.len() < summary.len());
    let number = before.and_then(|before| before.split_whitespace().next_back());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closing_line_is_read() {
        let line = "     Summary [   0.032s] 15 tests run: 12 passed (1 slow), 3 failed, 2 skipped";
        assert_eq!((count(line, "passed"), count(line, "failed"), count(line, "timed out")), (12, 3, 0));
    }
}
