//! Builds the Workers and says how large they are.

fn main() -> anyhow::Result<()> {
    for built in akademi_worker_host::build()? {
        println!("{}  {} bytes", built.wasm.display(), std::fs::metadata(&built.wasm)?.len());
    }
    Ok(())
}
