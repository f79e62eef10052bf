//! Writes the API document from the code.

use akademi_contract::document_json;

fn main() -> anyhow::Result<()> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../functions/edge/docs");
    std::fs::write(format!("{folder}/openapi.json"), document_json()?)?;
    println!("wrote functions/edge/docs/openapi.json");
    Ok(())
}
