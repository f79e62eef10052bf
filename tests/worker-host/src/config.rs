//! The Workers' configurations as a test runs them: the same Workers and database, other variables, other folders.

use akademi_functions::{WORKERS, Worker};
use anyhow::{Context, ensure};
use std::{
    collections::BTreeMap,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};
use toml::{Table, Value};

use crate::{build::Built, workspace};

/// The binding of the edge store, as the configurations and the Workers call it.
pub const DATABASE: &str = "DB";

/// Writes into folders of their own in `folder` the configurations of the product's Workers, each with those of these
/// variables (lower-case names, as the table of functions has them) that its functions read, instead of its own and
/// its secrets. Gives the configurations, that of the first Worker first.
///
/// # Errors
/// When a configuration is not there or not what this knows, or a value cannot be written.
pub fn write_all(folder: &Path, variables: &BTreeMap<String, String>) -> anyhow::Result<Vec<PathBuf>> {
    let write_one = |worker: &Worker| {
        let own: Vec<_> = worker.rows().flat_map(|function| function.variables).collect();
        let is_own = |name: &str| own.iter().any(|variable| variable.name == name);
        let folder = folder.join(worker.name);
        write(&folder, read(worker)?, variables.iter().filter(|(name, _)| is_own(name)))
    };
    WORKERS.iter().map(write_one).collect()
}

/// As [`write_all`], of one Worker that is not the product's, on the bindings of the first.
///
/// # Errors
/// As [`write_all`].
pub fn write_other(
    folder: &Path,
    variables: &BTreeMap<String, String>,
    worker: &Built,
) -> anyhow::Result<Vec<PathBuf>> {
    let mut config = read(WORKERS.first().context("there are no Workers")?)?;
    config.remove("services");
    let entry = worker.folder.join("shim.js").display().to_string();
    config.insert("main".into(), Value::from(entry));
    Ok(vec![write(&folder.join("other"), config, variables.iter())?])
}

/// The configuration of a Worker, to be read from any folder, without what only a deployment has.
fn read(worker: &Worker) -> anyhow::Result<Table> {
    let name = worker.configuration;
    let text = fs::read_to_string(workspace().join(name)).with_context(|| format!("reading {name}"))?;
    let mut config: Table = toml::from_str(&text).context(name)?;
    config.remove("secrets");
    config.remove("vars");
    // wrangler would call every request's host that of the route's zone.
    config.remove("routes");
    make_absolute(&mut config, "main").context(name)?;
    for database in config.get_mut("d1_databases").and_then(Value::as_array_mut).into_iter().flatten() {
        make_absolute(database.as_table_mut().context("d1_databases holds no tables")?, "migrations_dir")?;
    }
    Ok(config)
}

fn write<'a>(
    folder: &Path,
    config: Table,
    variables: impl Iterator<Item = (&'a String, &'a String)>,
) -> anyhow::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let file = folder.join("wrangler.toml");
    fs::write(&file, toml::to_string(&config)?)?;

    // wrangler takes these for secrets, and so shows none of them in what it writes.
    let mut secrets = String::new();
    for (name, value) in variables {
        ensure!(!value.contains(['\'', '\n', '\r']), "the value of {name} cannot be quoted");
        writeln!(secrets, "{}='{value}'", name.to_ascii_uppercase())?;
    }
    fs::write(folder.join(".dev.vars"), secrets)?;
    Ok(file)
}

fn make_absolute(table: &mut Table, key: &str) -> anyhow::Result<()> {
    let relative = table.get(key).and_then(Value::as_str).with_context(|| format!("there is no {key}"))?;
    let absolute = workspace().join(relative).display().to_string();
    table.insert(key.into(), Value::from(absolute));
    Ok(())
}
