//! Writes the API document and its reading page from the code.

use akademi_contract::{document_json, reading_page};

fn main() -> anyhow::Result<()> {
    let json = document_json()?;
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../functions/edge/docs");
    let page = reading_page(&serde_json::from_str(&json)?);
    for (name, text) in [("openapi.json", json), ("openapi.html", page)] {
        std::fs::write(format!("{folder}/{name}"), text)?;
        println!("wrote functions/edge/docs/{name}");
    }
    Ok(())
}
