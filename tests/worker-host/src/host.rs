//! The Workers with their database on workerd.

use anyhow::{Context, bail};
use rusqlite::Connection;
use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::Duration,
};
use tempfile::TempDir;

use crate::{
    build::Built,
    config, database,
    process::{Group, Output},
    tools::Tools,
};

/// Starts workerd with the Workers of configurations.
const SERVE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/serve.mjs");

/// How often 100 ms pass before a Worker that does not answer is given up.
const PATIENCE: u32 = 600;

/// What a Worker is started with.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// By their lower-case names. Those of the edge's functions that are missing make the Worker answer 503.
    pub variables: BTreeMap<String, String>,
    /// Another Worker than the product's, on the bindings of their first.
    pub worker: Option<Built>,
    /// Where the database is kept; a folder of its own that goes with the Worker when there is none.
    pub persist_dir: Option<PathBuf>,
    /// 0 for any that is free.
    pub port: u16,
}

/// A migrated database and a configuration, ready to be seeded and started.
#[derive(Debug)]
pub struct WorkerHost {
    /// Configuration, temporary files and logs of wrangler.
    folder: TempDir,
    /// The first Worker's first.
    configs: Vec<PathBuf>,
    tools: Tools,
    port: u16,
    persist_dir: PathBuf,
    database: PathBuf,
}

impl WorkerHost {
    /// Makes or migrates the database. The Worker must have been built.
    ///
    /// # Errors
    /// When a tool cannot be installed or wrangler fails.
    pub fn prepare(options: Options) -> anyhow::Result<Self> {
        let tools = Tools::install()?;
        let folder = tempfile::Builder::new().prefix("akademi-worker-").tempdir()?;
        let configs = match &options.worker {
            None => config::write_all(folder.path(), &options.variables)?,
            Some(worker) => config::write_other(folder.path(), &options.variables, worker)?,
        };
        let persist_dir = options.persist_dir.unwrap_or_else(|| folder.path().join("state"));
        let persist_dir = std::path::absolute(persist_dir)?;
        database::migrate(&tools, &persist_dir)?;
        let database = database::find(&persist_dir)?;
        Ok(Self { folder, configs, tools, port: options.port, persist_dir, database })
    }

    /// The SQLite file of the database.
    pub fn database_path(&self) -> &Path {
        &self.database
    }

    /// Runs these statements on the database as one transaction, foreign keys on.
    ///
    /// # Errors
    /// When one of them fails.
    pub fn seed(&self, sql: &str) -> anyhow::Result<()> {
        let connection = Connection::open(&self.database)?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.execute_batch(&format!("BEGIN;\n{sql};\nCOMMIT;")).context("seeding")?;
        Ok(())
    }

    /// Starts the Worker and waits until it answers.
    ///
    /// # Errors
    /// When it does not, with what it wrote.
    pub fn start(self) -> anyhow::Result<Running> {
        let mut command = quiet(Command::new("node"), &self.tools, self.folder.path());
        command.arg(SERVE).arg(self.tools.modules()).arg(&self.persist_dir).arg(self.port.to_string());
        command.args(&self.configs);
        let group = Group::start(&command)?;
        for _ in 0..PATIENCE {
            let output = group.output().text();
            if let Some(base_url) = find_address(&output)
                && answers(&base_url)
            {
                return Ok(Running { base_url, group, host: self });
            }
            thread::sleep(Duration::from_millis(100));
        }
        bail!("the Worker does not answer:\n{}", group.output().text())
    }
}

/// A Worker that answers. Dropping it stops it, and with it every process it started.
#[derive(Debug)]
pub struct Running {
    base_url: String,
    // Before the folder, which must stay as long as somebody works in it.
    group: Group,
    host: WorkerHost,
}

impl Running {
    /// As `http://127.0.0.1:8787`. The academy is chosen by the Host header.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// What the Workers and what runs them wrote so far: the Workers' log lines are JSON objects.
    pub fn log(&self) -> String {
        self.output().text()
    }

    /// The log as it grows, for after the end too.
    pub fn output(&self) -> Output {
        self.group.output().clone()
    }

    /// The SQLite file of the database.
    pub fn database_path(&self) -> &Path {
        &self.host.database
    }

    /// The id of the process group.
    pub fn process_group(&self) -> Option<rustix::process::Pid> {
        self.group.id()
    }
}

/// wrangler, or what uses it, in `folder`, kept from writing or asking anywhere else.
pub fn quiet(mut command: Command, tools: &Tools, folder: &Path) -> Command {
    command.current_dir(folder).env("PATH", tools.path());
    for name in ["HOME", "TMPDIR", "XDG_CONFIG_HOME", "WRANGLER_LOG_PATH"] {
        command.env(name, folder);
    }
    let quiet = [
        ("CI", "true"),
        ("CLOUDFLARE_CF_FETCH_ENABLED", "false"),
        ("NO_COLOR", "1"),
        ("WRANGLER_CI_DISABLE_CONFIG_WATCHING", "true"),
        ("WRANGLER_HIDE_BANNER", "true"),
        ("WRANGLER_SEND_ERROR_REPORTS", "false"),
        ("WRANGLER_SEND_METRICS", "false"),
    ];
    command.envs(quiet);
    command
}

/// The address in the line `Ready on http://127.0.0.1:8787`.
fn find_address(output: &str) -> Option<String> {
    let (_, rest) = output.split_once("Ready on ")?;
    rest.split_whitespace().next().map(str::to_owned)
}

/// Whether anything that looks like HTTP comes back.
fn answers(base_url: &str) -> bool {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(base_url.trim_start_matches("http://"))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line)?;
        Ok(line)
    };
    ask().is_ok_and(|line| line.starts_with("HTTP/1.1 "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_read_from_what_is_written() {
        let output = "a warning\nReady on http://127.0.0.1:41235\n";
        assert_eq!(find_address(output).as_deref(), Some("http://127.0.0.1:41235"));
        assert_eq!(find_address("starting\n"), None);
    }
}
