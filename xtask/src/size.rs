//! What the functions weigh, what their components import and how fast they start, beside their budgets.
//! Bytes and imports are checked; times are printed.

use akademi_functions::{FUNCTIONS, Function, Plane, WORKERS};
use anyhow::{Context, bail, ensure};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::Command,
};
use zip::ZipArchive;

use crate::{build, component, run};

/// Bytes as they are, and as gzip makes them.
#[derive(Clone, Copy)]
struct Bytes {
    raw: usize,
    compressed: usize,
}

/// Of every Spin component: `feed`, which knows every event, is the largest.
const COMPONENT: Bytes = Bytes { raw: 880_000, compressed: 350_000 };
/// Of each Worker: a third of what Cloudflare's free plan takes keeps a cold start short.
const WORKER_COMPRESSED: usize = 1_000_000;
/// Of a Lambda function's zip, but for `transcode`, which carries FFmpeg.
const ZIP: usize = 15_000_000;

/// What every component imports: its requests, the time, randomness, the log, and what Rust's standard library
/// asks for at its start.
const IMPORTS: &[&str] = &[
    "spin:variables/variables@3.0.0",
    "wasi:cli/environment@0.2.6",
    "wasi:cli/exit@0.2.6",
    "wasi:cli/stderr@0.2.6",
    "wasi:cli/stdin@0.2.6",
    "wasi:cli/stdout@0.2.6",
    "wasi:cli/terminal-input@0.2.6",
    "wasi:cli/terminal-output@0.2.6",
    "wasi:cli/terminal-stderr@0.2.6",
    "wasi:cli/terminal-stdin@0.2.6",
    "wasi:cli/terminal-stdout@0.2.6",
    "wasi:clocks/monotonic-clock@0.2.6",
    "wasi:clocks/wall-clock@0.2.6",
    "wasi:http/types@0.3.0",
    "wasi:io/error@0.2.6",
    "wasi:io/poll@0.2.6",
    "wasi:io/streams@0.2.6",
    "wasi:random/insecure-seed@0.2.6",
    "wasi:random/random@0.3.0",
];
/// What only a function with a database imports.
const DATABASE_IMPORTS: &[&str] = &["spin:sqlite/sqlite@3.1.0"];
/// What only a function that calls other hosts imports.
const OUTBOUND_IMPORTS: &[&str] = &["wasi:clocks/types@0.3.0", "wasi:http/client@0.3.0"];

/// Checks bytes and imports, and measures starts unless `only_check`.
///
/// # Errors
/// When something is over its budget, is not built, or cannot be measured.
pub fn size(only_check: bool) -> anyhow::Result<()> {
    let mut totals = Totals::default();
    let starts = if only_check { BTreeMap::new() } else { component_starts()? };
    println!(
        "{:<14}{:>10}{:>8}{:>10}{:>8}{:>9}  start p50, p99",
        "component", "raw", "left", "gzip", "left", "imports"
    );
    for function in FUNCTIONS.iter().filter(|function| function.plane == Plane::Edge) {
        let path = format!("build/spin/{}.wasm", function.name);
        let component =
            fs::read(&path).with_context(|| format!("{path}: `cargo xtask build --host spin` makes it"))?;
        let bytes = weigh(Path::new(&path))?;
        let found = component::imports(&component).with_context(|| format!("reading {path}"))?;
        println!(
            "{:<14}{:>10}{:>8}{:>10}{:>8}{:>9}  {}",
            function.name,
            bytes.raw,
            left(COMPONENT.raw, bytes.raw),
            bytes.compressed,
            left(COMPONENT.compressed, bytes.compressed),
            found.len(),
            starts.get(function.name).map_or("", String::as_str),
        );
        totals.check(bytes.raw <= COMPONENT.raw, || format!("{} is too large", function.name));
        totals.check(bytes.compressed <= COMPONENT.compressed, || {
            format!("{} is too large compressed", function.name)
        });
        let wrong = wrong_imports(function, &found);
        totals.check(wrong.is_empty(), || {
            format!("{} imports what it may not need: {}", function.name, wrong.join(", "))
        });
    }
    workers(&mut totals)?;
    lambda(&mut totals, only_check)?;
    if !only_check {
        println!("\nEvery component imports\n  {}", IMPORTS.join("\n  "));
        println!("and one with a database\n  {}", DATABASE_IMPORTS.join("\n  "));
        println!("and one that calls other hosts\n  {}\n", OUTBOUND_IMPORTS.join("\n  "));
    }
    println!("{} passed, {} failed", totals.passed, totals.failed);
    if totals.failed > 0 {
        bail!("{} budgets are exceeded", totals.failed);
    }
    Ok(())
}

#[derive(Default)]
struct Totals {
    passed: u32,
    failed: u32,
}

impl Totals {
    fn check(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if holds {
            self.passed += 1;
        } else {
            self.failed += 1;
            println!("  {}", what());
        }
    }
}

/// By `gzip -9` itself: others that are called so compress less well.
fn weigh(file: &Path) -> anyhow::Result<Bytes> {
    let raw = fs::metadata(file)?.len().try_into()?;
    let gzip = Command::new("gzip").args(["-9", "--stdout"]).arg(file).output().context("starting gzip")?;
    ensure!(gzip.status.success(), "gzip ended with {}", gzip.status);
    Ok(Bytes { raw, compressed: gzip.stdout.len() })
}

/// What remains of a budget, in kilobytes; negative when it is exceeded.
fn left(budget: usize, used: usize) -> String {
    let kilobytes = |bytes: usize| bytes.div_ceil(1000);
    if used <= budget {
        format!("{}k", (budget - used) / 1000)
    } else {
        format!("-{}k", kilobytes(used - budget))
    }
}

/// What a component imports although its row in the table of functions does not ask for it.
fn wrong_imports(function: &Function, found: &[String]) -> Vec<String> {
    let is_allowed = |name: &str| {
        IMPORTS.contains(&name)
            || (function.database && DATABASE_IMPORTS.contains(&name))
            || (!function.outbound.is_empty() && OUTBOUND_IMPORTS.contains(&name))
    };
    found.iter().filter(|name| !is_allowed(name)).cloned().collect()
}

fn workers(totals: &mut Totals) -> anyhow::Result<()> {
    for worker in WORKERS {
        let path = format!("build/worker/{}/index_bg.wasm", worker.name);
        let bytes = weigh(Path::new(&path))
            .with_context(|| format!("{path}: `cargo xtask build --host worker` makes it"))?;
        let left = left(WORKER_COMPRESSED, bytes.compressed);
        println!("{:<14}{:>10}{:>8}{:>10}{left:>8}", worker.name, bytes.raw, "", bytes.compressed);
        totals.check(bytes.compressed <= WORKER_COMPRESSED, || {
            format!("the Worker {} is too large compressed", worker.name)
        });
    }
    Ok(())
}

/// The zips that are there: building them all is no part of the tests.
fn lambda(totals: &mut Totals, only_check: bool) -> anyhow::Result<()> {
    for function in FUNCTIONS.iter().filter(|function| function.plane == Plane::Lambda) {
        let zip = PathBuf::from(format!("build/lambda/{}.zip", function.name));
        let Ok(metadata) = fs::metadata(&zip) else {
            println!("{:<14}{:>10}", function.name, "not built");
            continue;
        };
        let packed = usize::try_from(metadata.len())?;
        let start = if only_check { String::new() } else { lambda_start(&zip, function)? };
        let has_budget = function.name != "transcode";
        let left = if has_budget { left(ZIP, packed) } else { String::new() };
        println!("{:<14}{:>10}{:>8}{packed:>10}{left:>8}{:>9}  {start}", function.name, "", "", "");
        if has_budget {
            totals.check(packed <= ZIP, || format!("{} is too large zipped", function.name));
        }
    }
    Ok(())
}

/// From instantiation to the first byte of an answer, by component; measured by a program of its own.
fn component_starts() -> anyhow::Result<BTreeMap<String, String>> {
    run::cargo(["build", "--release", "--package", "akademi-component-host", "--example", "starts"])?;
    let program = build::target_folder().join("release/examples/starts");
    let printed = run::output(&mut Command::new(program)).context("measuring the components' starts")?;
    let times = printed.lines().filter_map(|line| line.split_once(' '));
    Ok(times.map(|(name, times)| (name.to_owned(), times.to_owned())).collect())
}

/// From the start of the process to its first poll of the Runtime API.
fn lambda_start(zip: &Path, function: &Function) -> anyhow::Result<String> {
    run::cargo(["build", "--quiet", "--package", "akademi-runtime-api", "--example", "start"])?;
    let folder = build::target_folder().join("size");
    fs::create_dir_all(&folder)?;
    let program = folder.join(function.name);
    let mut archive = ZipArchive::new(File::open(zip)?)?;
    io::copy(&mut archive.by_name("bootstrap")?, &mut File::create(&program)?)?;
    fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    let example = build::target_folder().join("debug/examples/start");
    let printed = run::output(Command::new(example).arg(&program));
    Ok(printed.map_or_else(|| "does not start here".to_owned(), |times| times.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_without_outbound_hosts_may_not_import_the_client() {
        let named = |name| akademi_functions::function(name).unwrap();
        let found = ["wasi:http/types@0.3.0", "wasi:http/client@0.3.0"].map(str::to_owned);
        assert_eq!(wrong_imports(named("catalog"), &found), ["wasi:http/client@0.3.0"]);
        assert!(wrong_imports(named("origin"), &found).is_empty());
    }

    #[test]
    fn what_is_left_is_negative_beyond_the_budget() {
        assert_eq!(left(900_000, 899_001), "0k");
        assert_eq!(left(900_000, 800_000), "100k");
        assert_eq!(left(900_000, 900_001), "-1k");
    }
}
