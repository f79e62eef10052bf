//! Builds the Worker and says how large it is.

fn main() -> anyhow::Result<()> {
    let built = akademi_worker_host::build()?;
    println!("{}  {} bytes", built.wasm.display(), std::fs::metadata(&built.wasm)?.len());
    Ok(())
}
