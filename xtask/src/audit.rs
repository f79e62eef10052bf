//! The chains of the academies' audit logs, walked by a program of their own.

use anyhow::{Context, bail};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{build, run};

/// Verifies all chains, or one academy's, in the database of `database`, of `DATABASE_URL`, or of the `cargo xtask dev` that
/// runs with its usual data folder.
///
/// # Errors
/// When a chain is broken, or there is no database.
pub fn verify(tenant: Option<&str>, database: Option<&str>) -> anyhow::Result<()> {
    let given = database.map(str::to_owned).or_else(|| std::env::var("DATABASE_URL").ok());
    let url = match given {
        Some(url) => url,
        None => of_dev(Path::new(".akademi"))
            .context("name the database by --database or DATABASE_URL, or start `cargo xtask dev`")?,
    };
    run::cargo(["build", "--quiet", "--package", "akademi-audit", "--bin", "verify-audit"])?;
    // In the environment, where a password is nobody else's to see.
    let mut program = Command::new(build::target_folder().join("debug/verify-audit"));
    if !program.args(tenant).env("DATABASE_URL", url).status().context("starting verify-audit")?.success() {
        bail!("the audit log does not verify");
    }
    Ok(())
}

/// The address of the private PostgreSQL of a data folder, if it runs: in the folder, or where the server's own account
/// can enter.
fn of_dev(data: &Path) -> Option<String> {
    let data = fs::canonicalize(data).ok()?;
    let elsewhere = data.to_string_lossy().trim_start_matches('/').replace('/', "-");
    let folders: [PathBuf; 2] = [data.clone(), Path::new("/var/lib/akademi").join(elsewhere)];
    let sockets = folders.map(|folder| folder.join("postgres/socket"));
    let socket = sockets.iter().find(|socket| socket.join(".s.PGSQL.5432").exists())?;
    Some(format!("postgres://akademi_login@localhost/akademi?host={}&sslmode=disable", socket.display()))
}
