//! What the platform's administrators do with academies, by a program of its own.

use anyhow::{Context, bail};
use std::process::Command;

use crate::{build, run};

/// Hands `arguments` on.
///
/// # Errors
/// When the program does not build, or fails.
pub fn tenant(arguments: &[String]) -> anyhow::Result<()> {
    run::cargo(["build", "--quiet", "--package", "akademi-local", "--bin", "tenant"])?;
    let mut program = Command::new(build::target_folder().join("debug/tenant"));
    if !program.args(arguments).status().context("starting tenant")?.success() {
        bail!("nothing was changed");
    }
    Ok(())
}
