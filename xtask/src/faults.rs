//! The proof for money, by a program of its own in a release build.

use crate::{build, install, run};

/// Lives through so many histories from this seed on; the program prints those that break a rule.
///
/// # Errors
/// When something does not build, or a history breaks a rule.
pub fn faults(seeds: u64, first: u64) -> anyhow::Result<()> {
    install::install(install::Purpose::Test)?;
    run::cargo(["build", "--release", "--package", "akademi-faults"])?;
    let mut program = std::process::Command::new(build::target_folder().join("release/akademi-faults"));
    program.args(["--seeds", &seeds.to_string(), "--first", &first.to_string()]);
    run::run(&mut program)
}
