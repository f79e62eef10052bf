//! What dependencies must be like: used, under a licence of the list, of one version, from crates.io.

use std::process::Command;

use crate::{
    install::{self, DENY, SHEAR, Tool},
    run,
};

/// Every crate uses each dependency that it names, and in the section where it stands.
///
/// # Errors
/// When one does not; cargo-shear has said which.
pub fn no_unused_dependency() -> anyhow::Result<()> {
    run::run(command(&SHEAR).arg("--deny-warnings"))
}

/// Dependencies are as `deny.toml` asks, and have no known vulnerability where the database of those is on this
/// machine.
///
/// # Errors
/// When one is not; cargo-deny has said which.
pub fn dependencies() -> anyhow::Result<()> {
    run::run(command(&DENY).args(["check", "--hide-inclusion-graph", "bans", "licenses", "sources"]))?;
    if has_advisories() {
        return run::run(command(&DENY).args(["--offline", "check", "advisories"]));
    }
    println!("advisories unchecked: `{} fetch db` brings RustSec's database", DENY.program().display());
    Ok(())
}

/// A command of cargo's, in the form in which cargo starts it.
pub fn command(tool: &Tool) -> Command {
    let mut command = Command::new(tool.program());
    run::clean(&mut command);
    command.arg(tool.name.trim_start_matches("cargo-"));
    command
}

/// cargo-deny keeps a clone of each database in a folder of its own.
fn has_advisories() -> bool {
    let databases = install::cargo_home().and_then(|home| std::fs::read_dir(home.join("advisory-dbs")).ok());
    databases.is_some_and(|databases| databases.flatten().any(|entry| entry.path().is_dir()))
}
