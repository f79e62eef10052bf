//! What the functions run on, each started as a process of its own on the servers' core.

use akademi_functions::{FUNCTIONS, Plane};
use akademi_worker_host::{Built, Options as WorkerOptions, Running as RunningWorker, WorkerHost};
use anyhow::{Context, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde::Serialize;
use std::{
    any::Any,
    collections::BTreeMap,
    env,
    fs::{self, File},
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use crate::{
    academy::Academy,
    load::Target,
    pinning::{Cores, Side},
    processes,
    server::Running,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Engine {
    /// Natively on rusqlite.
    Local,
    /// The components of `spin.toml` on wasmtime.
    ComponentHost,
    /// The Workers of the table of functions.
    Workerd,
    /// The components of `spin.toml` on the program that `SPIN` names.
    Spin,
}

impl Engine {
    /// Those that are on this machine, what the others are compared with first.
    pub fn present() -> Vec<Self> {
        let mut present = vec![Self::Local, Self::ComponentHost, Self::Workerd];
        if env::var_os("SPIN").is_some_and(|program| !program.is_empty()) {
            present.push(Self::Spin);
        }
        present
    }

    pub const fn label(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::ComponentHost => "component-host",
            Self::Workerd => "workerd",
            Self::Spin => "spin",
        }
    }
}

/// What runs on an engine.
#[derive(Clone, Copy)]
pub enum Load<'a> {
    /// The academy, on a copy of its store.
    Academy(&'a Academy),
    /// The function that does nothing.
    Empty,
}

/// A program that answers until it is dropped.
pub struct Deployment {
    pub engine: Engine,
    pub target: Target,
    /// Whatever it is, dropping it ends it.
    _program: Box<dyn Any>,
}

/// Where cargo put what `cargo xtask bench hosts` has built.
pub struct Artefacts {
    target: PathBuf,
}

impl Artefacts {
    /// Beside this program.
    ///
    /// # Errors
    /// When it does not lie in a target folder.
    pub fn find() -> anyhow::Result<Self> {
        let program = env::current_exe()?;
        let target = program.ancestors().nth(2).context("this program lies in no target folder")?;
        Ok(Self { target: target.to_owned() })
    }

    /// The function that does nothing, as rustc leaves it.
    fn empty(&self, target: &str, profile: &str) -> PathBuf {
        self.target.join(target).join(profile).join("akademi_bench_empty.wasm")
    }
}

impl Deployment {
    /// Starts `load` on `engine`, with what it writes in `folder`, and waits until it answers.
    ///
    /// # Errors
    /// When something has not been built, or it does not answer.
    pub async fn start(
        engine: Engine,
        load: Load<'_>,
        artefacts: &Artefacts,
        folder: &Path,
        cores: &Cores,
    ) -> anyhow::Result<Self> {
        let (target, program): (_, Box<dyn Any>) = match engine {
            Engine::Local => {
                let running = match load {
                    Load::Academy(academy) => Running::start(&academy.folder, None, cores)?,
                    Load::Empty => Running::start_empty(cores)?,
                };
                (running.target, Box::new(running))
            }
            Engine::ComponentHost | Engine::Spin => {
                let components = Components::start(engine, load, artefacts, folder)?;
                (components.target(engine)?, Box::new(components))
            }
            Engine::Workerd => {
                let running = start_worker(load, artefacts, folder)?;
                (find_workerd(&running)?, Box::new(running))
            }
        };
        cores.move_process(target.process, Side::Server)?;
        Ok(Self { engine, target, _program: program })
    }
}

/// The program `component-host`, which hands over to a real Spin where `SPIN` names one.
struct Components {
    process: Child,
    address: SocketAddr,
}

impl Components {
    fn start(engine: Engine, load: Load<'_>, artefacts: &Artefacts, folder: &Path) -> anyhow::Result<Self> {
        let mut command = Command::new(artefacts.target.join("release/component-host"));
        command.args(["--listen", "127.0.0.1:0", "--manifest"]);
        match load {
            Load::Academy(academy) => {
                let database = folder.join("edge.sqlite");
                academy.copy_store(&database)?;
                command.arg(workspace().join("spin.toml"));
                command.arg("--sqlite").arg(format!("default={}", database.display()));
                for (name, value) in edge_variables(academy)? {
                    command.arg("--variable").arg(format!("{name}={value}"));
                }
            }
            Load::Empty => {
                let component = folder.join("empty.wasm");
                let compiled = artefacts.empty("wasm32-wasip2", "component");
                akademi_worker_host::optimise_component(&compiled, &component)?;
                command.arg(write_manifest(folder)?);
            }
        }
        if engine == Engine::ComponentHost {
            command.env_remove("SPIN");
        }
        // To a file, as the local host writes its log.
        let log = File::create(folder.join("log"))?;
        let mut process = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .with_context(|| format!("starting {}", command.get_program().to_string_lossy()))?;
        let stdout = process.stdout.take().context("the component host has no output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let address = line.trim().trim_start_matches("http://").parse().with_context(|| {
            format!("the component host does not serve; see {}", folder.join("log").display())
        })?;
        Ok(Self { process, address })
    }

    /// Who answers: this program, or the Spin below it.
    fn target(&self, engine: Engine) -> anyhow::Result<Target> {
        let process = match engine {
            Engine::Spin => processes::below(self.process.id())?
                .into_iter()
                .find(|process| processes::listening_ports(*process).contains(&self.address.port()))
                .context("no process of Spin listens")?,
            Engine::Local | Engine::ComponentHost | Engine::Workerd => self.process.id(),
        };
        Ok(Target { address: self.address, process })
    }
}

impl Drop for Components {
    fn drop(&mut self) {
        let process = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw);
        // It ends a real Spin with itself. An error says that it has ended already.
        let _ = process.map(|process| kill_process(process, Signal::INT));
        let _ = self.process.wait();
    }
}

/// The `spin.toml` of the component `empty.wasm` beside it.
fn write_manifest(folder: &Path) -> anyhow::Result<PathBuf> {
    let manifest = folder.join("spin.toml");
    fs::write(
        &manifest,
        "spin_manifest_version = 2\n[application]\nname = \"empty\"\n[[trigger.http]]\nroute = \"/...\"\n\
         component = \"empty\"\n[component.empty]\nsource = \"empty.wasm\"\n",
    )?;
    Ok(manifest)
}

fn start_worker(load: Load<'_>, artefacts: &Artefacts, folder: &Path) -> anyhow::Result<RunningWorker> {
    let options = match load {
        Load::Academy(academy) => {
            WorkerOptions { variables: edge_variables(academy)?, ..WorkerOptions::default() }
        }
        Load::Empty => {
            let compiled = artefacts.empty("wasm32-unknown-unknown", "wasm");
            let worker: Built = akademi_worker_host::bundle(&compiled, &folder.join("empty"))?;
            WorkerOptions { worker: Some(worker), ..WorkerOptions::default() }
        }
    };
    let host = WorkerHost::prepare(options)?;
    if let Load::Academy(academy) = load {
        let database = host.database_path();
        for file in [
            database.to_owned(),
            database.with_extension("sqlite-wal"),
            database.with_extension("sqlite-shm"),
        ] {
            if file.exists() {
                fs::remove_file(file)?;
            }
        }
        academy.copy_store(database)?;
    }
    host.start()
}

/// The workerd that runs the Workers.
fn find_workerd(running: &RunningWorker) -> anyhow::Result<Target> {
    let address = running.base_url().trim_start_matches("http://").parse()?;
    let group = running.process_group().context("the Worker has no processes")?;
    let processes = processes::below(group.as_raw_nonzero().get().unsigned_abs())?;
    let is_workerd = |process: &u32| processes::name(*process).is_some_and(|name| name == "workerd");
    let process = processes.into_iter().find(is_workerd).context("there is no workerd")?;
    Ok(Target { address, process })
}

/// The variables of the edge's functions; nobody answers at the other plane's address.
fn edge_variables(academy: &Academy) -> anyhow::Result<BTreeMap<String, String>> {
    let mut variables = academy.variables()?;
    variables.insert("lambda_url".into(), "http://127.0.0.1:9".into());
    variables.insert("dns_url".into(), "http://127.0.0.1:9".into());
    variables.insert("media_url".into(), "http://127.0.0.1:9".into());
    variables.insert("media_signing_keys".into(), "k1:BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc".into());
    let functions = FUNCTIONS.iter().filter(|function| function.plane == Plane::Edge);
    let wanted = functions.flat_map(|function| function.variables).map(|variable| variable.name);
    let edge: BTreeMap<_, _> =
        wanted.filter_map(|name| Some((name.to_owned(), variables.get(name)?.clone()))).collect();
    ensure!(!edge.is_empty(), "the edge has no variables");
    Ok(edge)
}

fn workspace() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here)
}
