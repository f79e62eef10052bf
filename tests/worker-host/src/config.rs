//! `wrangler.toml` as a test runs it: the same Worker and database, other variables, another folder.

use anyhow::Context;
use std::{collections::BTreeMap, fs, path::Path};
use toml::{Table, Value};

use crate::workspace;

/// The binding of the edge store, as `wrangler.toml` and the Worker call it.
pub const DATABASE: &str = "DB";

/// Writes to `path` the workspace's `wrangler.toml` with these variables (lower-case names, as the table of
/// functions has them) instead of its own variables and secrets.
///
/// # Errors
/// When `wrangler.toml` is not there or not what this knows.
pub fn write(path: &Path, variables: &BTreeMap<String, String>) -> anyhow::Result<()> {
    let text = fs::read_to_string(workspace().join("wrangler.toml")).context("reading wrangler.toml")?;
    let mut config: Table = toml::from_str(&text).context("wrangler.toml")?;
    config.remove("secrets");
    let variables = variables.iter().map(|(name, value)| (name.to_ascii_uppercase(), Value::from(value.as_str())));
    config.insert("vars".into(), Value::Table(variables.collect()));
    make_absolute(&mut config, "main")?;
    for database in config.get_mut("d1_databases").and_then(Value::as_array_mut).into_iter().flatten() {
        make_absolute(database.as_table_mut().context("d1_databases holds no tables")?, "migrations_dir")?;
    }
    fs::write(path, toml::to_string(&config)?)?;
    Ok(())
}

fn make_absolute(table: &mut Table, key: &str) -> anyhow::Result<()> {
    let relative = table.get(key).and_then(Value::as_str).with_context(|| format!("wrangler.toml has no {key}"))?;
    let absolute = workspace().join(relative).display().to_string();
    table.insert(key.into(), Value::from(absolute));
    Ok(())
}
