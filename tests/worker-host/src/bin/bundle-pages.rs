//! Bundles the scripts of pages into the repository.

fn main() -> anyhow::Result<()> {
    let bundle = akademi_worker_host::bundled_player()?;
    std::fs::write(akademi_worker_host::player(), &bundle)?;
    println!("{}  {} bytes", akademi_worker_host::player().display(), bundle.len());
    Ok(())
}
