//! What a WebAssembly component imports.

use anyhow::{Context, ensure};
use wasmparser::{Parser, Payload};

/// The interfaces that `component` imports, such as `wasi:http/types@0.3.0`, in its own order.
///
/// # Errors
/// When it is no component.
pub fn imports(component: &[u8]) -> anyhow::Result<Vec<String>> {
    ensure!(Parser::is_component(component), "it is no component");
    let mut found = Vec::new();
    // What is within it imports from it.
    let mut depth = 0_u32;
    for payload in Parser::new(0).parse_all(component) {
        match payload? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    found.push(import.context("reading an import")?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    Ok(found)
}
