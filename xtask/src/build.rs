//! Building the functions for the hosts.

use akademi_functions::{FUNCTIONS, Plane};
use anyhow::Context;
use std::{fs, path::PathBuf, process::Command};

use crate::run;

/// One component per edge function, into `build/spin`.
///
/// # Errors
/// When one does not build.
pub fn spin() -> anyhow::Result<()> {
    fs::create_dir_all("build/spin")?;
    run::cargo(["build", "--quiet", "--package", "akademi-worker-host", "--bin", "optimise-component"])?;
    let optimise = target_folder().join("debug/optimise-component");
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
        run::run(Command::new(&optimise).arg(&built).arg(&wanted))?;
        let bytes = fs::metadata(&wanted).with_context(|| format!("reading {wanted}"))?.len();
        println!("{wanted}  {bytes} bytes");
    }
    Ok(())
}

/// The Workers, into `build/worker`.
///
/// # Errors
/// When one does not build.
pub fn workers() -> anyhow::Result<()> {
    run::cargo(["run", "--quiet", "--package", "akademi-worker-host", "--bin", "build-worker"])
}

/// Where cargo puts what it builds.
pub fn target_folder() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from)
}
