//! A database with all migrations, as wrangler makes it.

use anyhow::{Context, bail};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{
    config,
    host::quiet,
    tools::{Tools, lock, run},
    workspace,
};

/// Applies to the database in `persist_dir` the migrations that it lacks: all of them where there is none yet. What that
/// leaves is made once and copied, since each migration takes wrangler half a second.
///
/// # Errors
/// When wrangler fails or a file cannot be written.
pub fn migrate(tools: &Tools, persist_dir: &Path) -> anyhow::Result<()> {
    if persist_dir.join("v3").exists() {
        return apply(tools, persist_dir);
    }
    let made = workspace().join("build").join("d1");
    fs::create_dir_all(&made)?;
    let _alone = lock(&made.with_extension("lock"))?;
    let stamp = made.join("made-from");
    let wanted = migrations()?;
    if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return Ok(copy(&made.join("state"), persist_dir)?);
    }
    fs::remove_dir_all(&made)?;
    fs::create_dir_all(made.join("state"))?;
    apply(tools, &made.join("state"))?;
    fs::write(stamp, wanted)?;
    Ok(copy(&made.join("state"), persist_dir)?)
}

/// The text of all migrations, in their order.
fn migrations() -> io::Result<String> {
    let entries = fs::read_dir(workspace().join("shared/edge-store/migrations"))?;
    let mut files = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    files.sort();
    files.iter().map(fs::read_to_string).collect()
}

/// `wrangler d1 migrations apply`.
fn apply(tools: &Tools, persist_dir: &Path) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let configs = config::write_all(folder.path(), &[].into())?;
    let mut wrangler = quiet(tools.command("wrangler"), tools, folder.path());
    wrangler
        .args(["d1", "migrations", "apply", config::DATABASE, "--local", "--persist-to"])
        .arg(persist_dir);
    run(wrangler.arg("--config").arg(configs.first().context("there are no Workers")?))?;
    Ok(())
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &to)?;
        } else {
            fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}

/// miniflare keeps each database in a file named by a hash, beside one with its own notes.
///
/// # Errors
/// When there is no database.
pub fn find(persist_dir: &Path) -> anyhow::Result<PathBuf> {
    let folder = persist_dir.join("v3").join("d1").join("miniflare-D1DatabaseObject");
    let entries = fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        let is_database = path.extension().is_some_and(|extension| extension == "sqlite");
        if is_database && path.file_stem().is_none_or(|stem| stem != "metadata") {
            return Ok(path);
        }
    }
    bail!("no database in {}", folder.display())
}
