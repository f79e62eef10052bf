//! `wrangler.toml` as a test runs it: the same Worker and database, other variables, another folder.

use anyhow::{Context, ensure};
use std::{collections::BTreeMap, fmt::Write, fs, path::Path};
use toml::{Table, Value};

use crate::{build::Built, workspace};

/// The binding of the edge store, as `wrangler.toml` and the Worker call it.
pub const DATABASE: &str = "DB";

/// Writes into `folder` the workspace's `wrangler.toml`, and these variables (lower-case names, as the table of
/// functions has them) instead of its own and its secrets. `worker` takes the place of the product's.
///
/// # Errors
/// When `wrangler.toml` is not there or not what this knows, or a value cannot be written.
pub fn write(
    folder: &Path,
    variables: &BTreeMap<String, String>,
    worker: Option<&Built>,
) -> anyhow::Result<()> {
    let text = fs::read_to_string(workspace().join("wrangler.toml")).context("reading wrangler.toml")?;
    let mut config: Table = toml::from_str(&text).context("wrangler.toml")?;
    config.remove("secrets");
    config.remove("vars");
    // wrangler would call every request's host that of the route's zone.
    config.remove("routes");
    match worker {
        Some(worker) => {
            let entry = worker.folder.join("shim.js").display().to_string();
            config.insert("main".into(), Value::from(entry));
        }
        None => make_absolute(&mut config, "main")?,
    }
    for database in config.get_mut("d1_databases").and_then(Value::as_array_mut).into_iter().flatten() {
        make_absolute(database.as_table_mut().context("d1_databases holds no tables")?, "migrations_dir")?;
    }
    fs::write(folder.join("wrangler.toml"), toml::to_string(&config)?)?;

    // wrangler takes these for secrets, and so shows none of them in what it writes.
    let mut secrets = String::new();
    for (name, value) in variables {
        ensure!(!value.contains(['\'', '\n', '\r']), "the value of {name} cannot be quoted");
        writeln!(secrets, "{}='{value}'", name.to_ascii_uppercase())?;
    }
    fs::write(folder.join(".dev.vars"), secrets)?;
    Ok(())
}

fn make_absolute(table: &mut Table, key: &str) -> anyhow::Result<()> {
    let relative =
        table.get(key).and_then(Value::as_str).with_context(|| format!("wrangler.toml has no {key}"))?;
    let absolute = workspace().join(relative).display().to_string();
    table.insert(key.into(), Value::from(absolute));
    Ok(())
}
