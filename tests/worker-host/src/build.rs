//! From the Workers' crates to what wrangler uploads or runs.

use akademi_functions::{WORKERS, Worker};
use anyhow::Context;
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::UNIX_EPOCH,
};
use wasm_bindgen_cli_support::Bindgen;

use crate::{
    tools::{Tools, lock, run},
    workspace,
};

/// A Worker's entry. wasm-bindgen's module brings a new instance after a trap by itself.
const SHIM: &str = "import { fetch } from \"./index.js\";\nexport default { fetch };\n";

/// What workerd runs, and no more: wasm-opt may use these and nothing newer. They are what rustc uses by default,
/// and the exceptions with which wasm-bindgen notices a trap.
const FEATURES: [&str; 7] = [
    "bulk-memory",
    "exception-handling",
    "multivalue",
    "mutable-globals",
    "nontrapping-float-to-int",
    "reference-types",
    "sign-ext",
];

/// A built Worker.
#[derive(Debug, Clone)]
pub struct Built {
    /// The product's are those in `build/worker` of the workspace. `shim.js` in it is the entry, as `main` in the
    /// Worker's configuration names it.
    pub folder: PathBuf,
    /// The WebAssembly module in it.
    pub wasm: PathBuf,
}

/// Builds the Workers, in the order of the table, unless they are there and nothing changed.
///
/// # Errors
/// When a step fails, with what it said.
pub fn build() -> anyhow::Result<Vec<Built>> {
    let folder = workspace().join("build").join("worker");
    fs::create_dir_all(&folder)?;
    let _alone = lock(&folder.with_extension("lock"))?;
    WORKERS.iter().map(|worker| build_one(worker, &folder.join(worker.name))).collect()
}

fn build_one(worker: &Worker, folder: &Path) -> anyhow::Result<Built> {
    let built = Built { wasm: folder.join("index_bg.wasm"), folder: folder.to_owned() };
    let compiled = compile(worker)?;
    let stamp = stamp(&compiled)?;
    if fs::read_to_string(folder.join("made-from")).is_ok_and(|found| found == stamp) {
        return Ok(built);
    }
    let tools = Tools::install()?;
    // A server that reads the old files keeps them: the new ones come in a new folder.
    let fresh = folder.with_extension("new");
    if fresh.exists() {
        fs::remove_dir_all(&fresh)?;
    }
    optimise(&tools, &bundle(&compiled, &fresh)?.wasm)?;
    fs::write(fresh.join("made-from"), stamp)?;
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::rename(&fresh, folder)?;
    Ok(built)
}

/// Makes a Worker in `folder` of a module as rustc leaves it, for `wasm32-unknown-unknown`. It is not optimised.
///
/// # Errors
/// When wasm-bindgen does not know what it finds, or a file cannot be written.
pub fn bundle(compiled: &Path, folder: &Path) -> anyhow::Result<Built> {
    fs::create_dir_all(folder)?;
    bind(compiled, folder)?;
    fs::write(folder.join("shim.js"), SHIM)?;
    Ok(Built { wasm: folder.join("index_bg.wasm"), folder: folder.to_owned() })
}

/// Compiles a Worker's crate with its functions; the module as rustc leaves it.
fn compile(worker: &Worker) -> anyhow::Result<PathBuf> {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // What cargo sets for the program that runs this would make build scripts run again.
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("CARGO_PKG_")
            || name.to_string_lossy().starts_with("CARGO_MANIFEST_")
        {
            cargo.env_remove(name);
        }
    }
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace().join("target"), PathBuf::from);
    cargo.current_dir(workspace()).env("CARGO_TARGET_DIR", &target);
    let functions: Vec<String> =
        worker.functions.iter().map(|name| format!("akademi-edge-functions/{name}")).collect();
    cargo.args(["rustc", "--quiet", "--package", worker.package, "--lib", "--crate-type", "cdylib"]);
    cargo.args(["--target", "wasm32-unknown-unknown", "--profile", "wasm"]);
    run(cargo.args(["--features", &functions.join(",")]))?;
    let module = Path::new(&worker.package.replace('-', "_")).with_extension("wasm");
    Ok(target.join("wasm32-unknown-unknown").join("wasm").join(module))
}

/// Which file that is: cargo leaves the time alone when there was nothing to compile.
fn stamp(compiled: &Path) -> anyhow::Result<String> {
    let metadata = fs::metadata(compiled).with_context(|| format!("reading {}", compiled.display()))?;
    let modified = metadata.modified()?.duration_since(UNIX_EPOCH)?.as_nanos();
    Ok(format!("{} {} {modified}", compiled.display(), metadata.len()))
}

/// Writes the module and the JavaScript around it.
fn bind(compiled: &Path, folder: &Path) -> anyhow::Result<()> {
    let mut bindgen = Bindgen::new();
    bindgen.input_path(compiled).out_name("index").typescript(false).force_enable_abort_handler(true);
    bindgen.module(true)?.generate(folder).context("wasm-bindgen")?;
    // workerd gives the compiled module to a plain import; the source phase proposal's word for it is not known to
    // every bundler.
    let script = folder.join("index.js");
    let text = fs::read_to_string(&script)?;
    fs::write(&script, text.replace("import source ", "import "))?;
    Ok(())
}

fn optimise(tools: &Tools, wasm: &Path) -> anyhow::Result<()> {
    let optimised = wasm.with_extension("optimised");
    let mut wasm_opt = tools.command("wasm-opt");
    wasm_opt.arg(wasm).arg("-o").arg(&optimised).arg("-Os");
    wasm_opt.args(FEATURES.map(|feature| format!("--enable-{feature}")));
    run(&mut wasm_opt)?;
    fs::rename(optimised, wasm)?;
    Ok(())
}
