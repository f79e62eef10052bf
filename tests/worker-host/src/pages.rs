//! The scripts of the academy's pages, bundled with esbuild. The bundle stands in the repository, as the document of the API
//! does, so that building needs no JavaScript tool; a test refuses a stale one.

use anyhow::Context;
use std::{fs, path::PathBuf, process::Command};

use crate::{Tools, tools::run, workspace};

/// The player of lessons: its entry, and where its bundle is.
const PLAYER: [&str; 2] = ["functions/edge/site/player/player.ts", "functions/edge/site/assets/player.js"];

/// Where the bundle is.
pub fn player() -> PathBuf {
    workspace().join(PLAYER[1])
}

/// What esbuild makes of the player and all that it imports.
///
/// # Errors
/// When the tools cannot be installed, or with what esbuild says.
pub fn bundled_player() -> anyhow::Result<String> {
    let tools = Tools::install()?;
    let platforms = fs::read_dir(tools.modules().join("@esbuild")).context("looking for esbuild")?;
    let programs = platforms.filter_map(Result::ok).map(|platform| platform.path().join("bin/esbuild"));
    let esbuild = programs.into_iter().find(|program| program.is_file()).context("there is no esbuild")?;
    let mut command = Command::new(esbuild);
    command
        .arg(PLAYER[0])
        .args(["--bundle", "--minify", "--format=esm", "--target=es2022", "--legal-comments=eof"])
        .args(["--log-level=warning"])
        .env("NODE_PATH", tools.modules())
        .current_dir(workspace());
    run(&mut command)
}
