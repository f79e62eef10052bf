//! What the hot routes cost, measured by a program of its own in a release build.

use crate::{build, run};

/// Measures one route, or all, on the local host, or with `hosts` all of them on every engine; the program checks the
/// name.
///
/// # Errors
/// When something does not build, or an answer is not as it must be.
pub fn bench(name: Option<&str>, seconds: u32, json: bool) -> anyhow::Result<()> {
    // Those that need nothing but their own crate.
    let of_crate = match name {
        Some("images") => Some(("akademi-images", "images")),
        Some("media") => Some(("akademi-transcode", "media")),
        _ => None,
    };
    if let Some((package, bench)) = of_crate {
        let bench = ["bench", "--quiet", "--package", package, "--bench", bench, "--"];
        return run::cargo(bench.into_iter().chain(json.then_some("--json")));
    }
    run::cargo(["build", "--release", "--package", "akademi-bench"])?;
    if name == Some("hosts") {
        build_hosts()?;
    }
    let target = build::target_folder();
    let mut program = std::process::Command::new(target.join("release/akademi-bench"));
    program.args(name).args(["--seconds", &seconds.to_string()]);
    program.arg("--data").arg(target.join("bench"));
    if json {
        program.arg("--json");
    }
    run::run(&mut program)
}

/// What the engines run: the product, and the function that does nothing.
fn build_hosts() -> anyhow::Result<()> {
    run::cargo(["build", "--release", "--package", "akademi-component-host", "--bin", "component-host"])?;
    build::spin()?;
    build::workers()?;
    for (target, profile) in [("wasm32-wasip2", "component"), ("wasm32-unknown-unknown", "wasm")] {
        let empty =
            ["rustc", "--quiet", "--package", "akademi-bench-empty", "--lib", "--crate-type", "cdylib"];
        run::cargo(empty.into_iter().chain(["--target", target, "--profile", profile]))?;
    }
    Ok(())
}
