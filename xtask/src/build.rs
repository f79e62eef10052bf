//! Building the functions for the hosts.

use akademi_functions::{FUNCTIONS, Plane};
use anyhow::Context;
use std::{fs, path::PathBuf};

use crate::run;

/// One component per edge function, into `build/spin`.
///
/// # Errors
/// When one does not build.
pub fn spin() -> anyhow::Result<()> {
    fs::create_dir_all("build/spin")?;
    for function in FUNCTIONS.iter().filter(|function| function.plane == Plane::Edge) {
        eprintln!("building the Spin component {}", function.name);
        run::cargo([
            "build",
            "--quiet",
            "--package",
            "akademi-spin",
            "--target",
            "wasm32-wasip2",
            "--profile",
            "component",
            "--features",
            function.name,
        ])?;
        let built = target_folder().join("wasm32-wasip2/component/akademi_spin.wasm");
        let wanted = format!("build/spin/{}.wasm", function.name);
        let bytes = fs::read(&built).with_context(|| format!("reading {}", built.display()))?;
        // A test host that has the old one mapped must not see it change.
        let fresh = format!("{wanted}.new");
        fs::write(&fresh, &bytes)?;
        fs::rename(&fresh, &wanted)?;
        println!("{wanted}  {} bytes", bytes.len());
    }
    Ok(())
}

/// The Worker, into `build/worker`.
///
/// # Errors
/// When it does not build.
pub fn worker() -> anyhow::Result<()> {
    run::cargo(["run", "--quiet", "--package", "akademi-worker-host", "--bin", "build-worker"])
}

/// Where cargo puts what it builds.
pub fn target_folder() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from)
}
