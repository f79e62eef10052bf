//! Which lines of the product the tests run, crate by crate, against two thresholds.

use anyhow::{Context, bail};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, fs,
    path::{Path, PathBuf},
};

use crate::{
    build::target_folder,
    gates,
    install::{self, LLVM_COV},
    run,
};

/// Where the rules are, of which more must be run.
const RULES: &str = "shared/domain";

/// Percent of lines that tests must run, at least.
const OF_RULES: u64 = 80;
const OVERALL: u64 = 70;

/// The product. Tests, their stand-ins and the project's commands are not.
const PRODUCT: [&str; 2] = ["shared/", "functions/"];

/// What is neither run nor counted: functions for Wasm, which are not compiled for this machine; Lambda's binaries, which
/// are killed, as Lambda does, before they write their counters down; tests of those; tests of the tests' own tools.
const LEFT_OUT: [&str; 11] = [
    "akademi-bench",
    "akademi-component-host",
    "akademi-host-tests",
    "akademi-lambda",
    "akademi-parity",
    "akademi-spin",
    "akademi-store-contract",
    "akademi-worker",
    "akademi-worker-host",
    "akademi-worker-office",
    "xtask",
];

/// Runs the tests with counters, all or those of some crates, and prints a table. The thresholds hold for all tests;
/// of some crates' tests, only that of the rules when they are among them.
///
/// # Errors
/// When a test fails, or too few lines were run.
pub fn coverage(only: &[String]) -> anyhow::Result<()> {
    install::install(install::Purpose::Test)?;
    install::install_coverage()?;
    let report = target_folder().join("coverage.lcov");
    let mut command = gates::command(&LLVM_COV);
    // A program that a test kills while it writes its counters leaves a file that cannot be read: that one is left out.
    command.args(["nextest", "--failure-mode", "all", "--lcov", "--output-path"]).arg(&report);
    // Processes that run the same program add to four files in turn: one file each would be gigabytes.
    command.env("LLVM_PROFILE_FILE_NAME", "akademi-%4m.profraw");
    if only.is_empty() {
        command.arg("--workspace").args(LEFT_OUT.iter().flat_map(|name| ["--exclude", name]));
    } else {
        command.args(only.iter().flat_map(|name| ["--package", name.as_str()]));
    }
    run::run(&mut command)?;
    let report = fs::read_to_string(&report).with_context(|| format!("reading {}", report.display()))?;
    let crates = by_crate(&report, &std::env::current_dir()?)?;
    for (name, lines) in &crates {
        println!("{name:<32} {lines}");
    }
    let overall = crates.values().fold(Lines::default(), |sum, lines| sum.and(*lines));
    println!("{:<32} {overall}", "overall");
    let rules = crates.get(RULES).map(|lines| (RULES, *lines, OF_RULES));
    let overall = only.is_empty().then_some(("overall", overall, OVERALL));
    verdict(rules.into_iter().chain(overall))
}

/// Holds what was counted against its threshold in percent.
fn verdict<'a>(thresholds: impl Iterator<Item = (&'a str, Lines, u64)>) -> anyhow::Result<()> {
    let (mut passed, mut failed) = (0, 0);
    for (name, lines, percent) in thresholds {
        if lines.are(percent) {
            passed += 1;
        } else {
            failed += 1;
            println!("{name}: at least {percent} % must be run");
        }
    }
    println!("{passed} passed, {failed} failed");
    if failed > 0 {
        bail!("the tests run too few lines");
    }
    Ok(())
}

/// Lines with code, and how many of them were run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Lines {
    run: u64,
    all: u64,
}

impl Lines {
    fn are(self, percent: u64) -> bool {
        self.all > 0 && self.run * 100 >= self.all * percent
    }

    fn and(self, other: Self) -> Self {
        Self { run: self.run + other.run, all: self.all + other.all }
    }
}

impl fmt::Display for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = (self.run * 1000).checked_div(self.all).unwrap_or_default();
        write!(f, "{:>6} of {:>6} lines {:>4}.{} %", self.run, self.all, tenths / 10, tenths % 10)
    }
}

/// The lines of each crate of the product, from a report in LCOV's format (geninfo(1), "Files"), without those of tests.
fn by_crate(report: &str, root: &Path) -> anyhow::Result<BTreeMap<String, Lines>> {
    let mut files: BTreeMap<String, BTreeMap<usize, bool>> = BTreeMap::new();
    let mut lines = None;
    for record in report.lines() {
        if let Some(path) = record.strip_prefix("SF:") {
            lines = of_product(path, root).map(|path| files.entry(path).or_default());
        } else if let (Some(lines), Some(data)) = (lines.as_mut(), record.strip_prefix("DA:")) {
            let mut numbers = data.split(',');
            let line = numbers.next().context("a record without a line")?.parse()?;
            *lines.entry(line).or_default() |= numbers.next().is_some_and(|times| times != "0");
        }
    }
    let mut crates: BTreeMap<String, Lines> = BTreeMap::new();
    let mut only_tests = BTreeSet::new();
    for (path, lines) in &mut files {
        let source = fs::read_to_string(root.join(path)).with_context(|| format!("reading {path}"))?;
        let tests = tests_of(&source);
        lines.retain(|line, _| !tests.lines.contains(line));
        let file = Path::new(path);
        let is_root = file.file_stem().is_some_and(|stem| stem == "lib" || stem == "main");
        let folder = if is_root { file.parent().unwrap_or(file).to_owned() } else { file.with_extension("") };
        only_tests.extend(tests.files.iter().map(|name| folder.join(name)));
    }
    for (path, lines) in &files {
        if only_tests.contains(&PathBuf::from(path)) {
            continue;
        }
        let (name, _) = path.split_once("/src/").with_context(|| format!("{path} is in no crate"))?;
        let counted = crates.entry(name.to_owned()).or_default();
        counted.all += u64::try_from(lines.len())?;
        counted.run += u64::try_from(lines.values().filter(|run| **run).count())?;
    }
    Ok(crates)
}

/// A file's path from the root, if its lines count.
fn of_product(path: &str, root: &Path) -> Option<String> {
    let path = Path::new(path).strip_prefix(root).ok()?.to_str()?;
    let counts = PRODUCT.iter().any(|folder| path.starts_with(folder)) && path.contains("/src/");
    counts.then(|| path.to_owned())
}

/// What of a file is compiled for tests only.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tests {
    /// From 1.
    lines: BTreeSet<usize>,
    /// Modules in files of their own.
    files: Vec<String>,
}

/// Finds `#[cfg(test)]` modules, as rustfmt writes them: they begin and end at a line's first column.
fn tests_of(source: &str) -> Tests {
    let mut tests = Tests::default();
    let mut lines = source.lines().zip(1..);
    while let Some((line, _)) = lines.next() {
        if line != "#[cfg(test)]" {
            continue;
        }
        let Some((module, first)) = lines.next() else { break };
        if let Some(name) = module.strip_prefix("mod ").and_then(|rest| rest.strip_suffix(';')) {
            tests.files.push(format!("{name}.rs"));
        } else if module.ends_with('{') {
            let rest = lines.by_ref().take_while(|(line, _)| *line != "}").map(|(_, number)| number);
            tests.lines.insert(first);
            tests.lines.extend(rest);
        }
    }
    tests
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_for_tests_only_is_found() {
        let source = "use x;\n#[cfg(test)]\nmod histories;\nfn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {\n    }\n}\nfn c() {}\n";
        let tests = tests_of(source);
        assert_eq!(tests.files, ["histories.rs"]);
        assert_eq!(tests.lines.into_iter().collect::<Vec<_>>(), [6, 7, 8]);
    }

    #[test]
    fn a_reports_lines_are_counted_once_and_without_tests() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let file = |path: &str| root.join(path).display().to_string();
        let report = format!(
            "SF:{rules}\nDA:1,0\nDA:2,7\nend_of_record\nSF:{rules}\nDA:1,1\nDA:3,0\nend_of_record\n\
             SF:{command}\nDA:1,0\nend_of_record\nSF:{tests}\nDA:1,0\nend_of_record\n",
            rules = file("shared/domain/src/order.rs"),
            command = file("xtask/src/main.rs"),
            tests = file("shared/domain/src/order/tests.rs"),
        );
        let crates = by_crate(&report, root).unwrap();
        assert_eq!(
            crates.into_iter().collect::<Vec<_>>(),
            [("shared/domain".into(), Lines { run: 2, all: 3 })]
        );
    }

    #[test]
    fn a_threshold_is_reached_exactly() {
        assert!(Lines { run: 80, all: 100 }.are(80) && !Lines { run: 799, all: 1000 }.are(80));
        assert!(!Lines::default().are(0), "nothing was counted");
    }
}
