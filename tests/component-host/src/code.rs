//! The engine, and components as machine code that is kept on disk between runs.

use sha2::{Digest, Sha256};
use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    io::Write,
    path::Path,
};
use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, component::Component};

/// An engine as Spin configures its own: pooled, copy-on-write memories, the asynchronous component model.
pub(crate) fn engine() -> wasmtime::Result<Engine> {
    let mut pool = PoolingAllocationConfig::new();
    // A component made by rustc holds about four core instances and tables, and one memory.
    pool.total_component_instances(1000)
        .total_core_instances(4000)
        .total_tables(4000)
        .total_memories(1000)
        .total_stacks(4000);
    let mut config = Config::new();
    config
        .wasm_component_model_async(true)
        .memory_init_cow(true)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    Engine::new(&config)
}

/// Compiles a component, or loads what an earlier run compiled. The name of a file in `cache` holds the
/// SHA-256 of the component and a hash of whatever else decides about the code.
pub(crate) fn load(engine: &Engine, source: &Path, cache: &Path) -> wasmtime::Result<Component> {
    let bytes = fs::read(source)?;
    let mut settings = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut settings);
    let name = format!("{}-{:016x}.cwasm", hex::encode(Sha256::digest(&bytes)), settings.finish());
    let cached = cache.join(name);
    if !cached.exists() {
        fs::create_dir_all(cache)?;
        let code = engine.precompile_component(&bytes)?;
        // Tests start in parallel: each renames a whole file to the same name.
        let mut file = tempfile::NamedTempFile::new_in(cache)?;
        file.write_all(&code)?;
        file.persist(&cached)?;
    }
    // SAFETY: the file was written by `precompile_component` of this program, under a name that holds the hash
    // of all that went into it, and appeared in one step. It lies in a build folder: whoever can change it can
    // change this program too.
    unsafe { Component::deserialize_file(engine, &cached) }
}
