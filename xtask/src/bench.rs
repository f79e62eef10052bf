//! What the hot routes cost, measured by a program of its own in a release build.

use crate::{build, run};

/// Measures one route, or all; the program checks the name.
///
/// # Errors
/// When it does not build, or an answer is not as it must be.
pub fn bench(name: Option<&str>, seconds: u32, json: bool) -> anyhow::Result<()> {
    run::cargo(["build", "--release", "--package", "akademi-bench"])?;
    let target = build::target_folder();
    let mut program = std::process::Command::new(target.join("release/akademi-bench"));
    program.args(name).args(["--seconds", &seconds.to_string()]);
    program.arg("--data").arg(target.join("bench"));
    if json {
        program.arg("--json");
    }
    run::run(&mut program)
}
