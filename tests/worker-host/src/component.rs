//! Spin's components made smaller by wasm-opt, which reads core modules only: the module is taken out of its
//! component (WebAssembly Component Model, "Binary Format"), optimised and put back.

use anyhow::{Context, ensure};
use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::Path,
};
use wasm_encoder::{Component, ComponentSectionId, RawSection};
use wasmparser::{Parser, Payload};

use crate::tools::{Tools, run};

/// What Spin runs, and no more: rustc uses these by default for `wasm32-wasip2`, and wasm-opt may.
const FEATURES: [&str; 6] = [
    "bulk-memory",
    "multivalue",
    "mutable-globals",
    "nontrapping-float-to-int",
    "reference-types",
    "sign-ext",
];

/// With the control flow built anew, which rustc's own leaves nearly a hundredth larger.
const ARGUMENTS: [&str; 8] = [
    "--flatten",
    "--rereloop",
    "-Oz",
    "-Oz",
    "-Oz",
    "--reorder-functions",
    "--strip-debug",
    "--strip-producers",
];

/// Writes the component `compiled`, made smaller, to `wanted`, unless it is there and nothing changed.
///
/// # Errors
/// When `compiled` is no component, or wasm-opt cannot be had or fails.
pub fn optimise_component(compiled: &Path, wanted: &Path) -> anyhow::Result<()> {
    let component = fs::read(compiled).with_context(|| format!("reading {}", compiled.display()))?;
    let made_from = wanted.with_extension("made-from");
    let stamp = stamp(&component);
    if wanted.exists() && fs::read_to_string(&made_from).is_ok_and(|found| found == stamp) {
        return Ok(());
    }
    let sections = sections(&component).with_context(|| format!("reading {}", compiled.display()))?;
    // The others only hand calls on to it.
    let modules =
        (0..).zip(&sections).filter(|(_, section)| section.id == ComponentSectionId::CoreModule as u8);
    let (main, module) =
        modules.max_by_key(|(_, section)| section.data.len()).context("there is no module in it")?;
    let folder = tempfile::TempDir::new()?;
    let unoptimised = folder.path().join("module.wasm");
    fs::write(&unoptimised, module.data)?;
    let optimised = folder.path().join("optimised.wasm");
    let mut wasm_opt = Tools::install()?.command("wasm-opt");
    wasm_opt.arg(&unoptimised).arg("-o").arg(&optimised).args(ARGUMENTS);
    wasm_opt.args(FEATURES.map(|feature| format!("--enable-{feature}")));
    run(&mut wasm_opt)?;
    let optimised = fs::read(optimised)?;

    let mut smaller = Component::new();
    for (number, section) in (0..).zip(&sections) {
        // Names, and which programs made it.
        if section.id != ComponentSectionId::CoreCustom as u8 {
            let data = if number == main { &optimised } else { section.data };
            smaller.section(&RawSection { id: section.id, data });
        }
    }
    // A host that has the old one mapped must not see it change.
    let fresh = wanted.with_extension("new");
    fs::write(&fresh, smaller.finish())?;
    fs::rename(fresh, wanted)?;
    fs::write(made_from, stamp)?;
    Ok(())
}

/// Which component that is, and what is done to it.
fn stamp(component: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    (ARGUMENTS, FEATURES, component).hash(&mut hasher);
    format!("{} {:016x}", component.len(), hasher.finish())
}

/// The sections on the outermost level.
fn sections(component: &[u8]) -> anyhow::Result<Vec<RawSection<'_>>> {
    ensure!(Parser::is_component(component), "it is no component");
    let mut found = Vec::new();
    let mut depth = 0_u32;
    for payload in Parser::new(0).parse_all(component) {
        let payload = payload?;
        if depth == 0
            && let Some((id, range)) = payload.as_section()
        {
            found.push(RawSection { id, data: component.get(range).context("it ends within a section")? });
        }
        match payload {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasm_encoder::{CustomSection, Module, ModuleSection, NestedComponentSection};

    /// A component with a module, another component that has one too, and a custom section.
    fn component() -> Component {
        let custom = CustomSection { name: "name".into(), data: (&[7; 300]).into() };
        let mut module = Module::new();
        module.section(&custom);
        let mut inner = Component::new();
        inner.section(&ModuleSection(&module));
        let mut outer = Component::new();
        outer.section(&ModuleSection(&module)).section(&NestedComponentSection(&inner)).section(&custom);
        outer
    }

    #[test]
    fn the_outermost_sections_make_the_same_component_again() {
        let component = component().finish();
        let found = sections(&component).unwrap();
        assert_eq!(found.iter().map(|section| section.id).collect::<Vec<_>>(), [1, 4, 0]);
        let mut again = Component::new();
        for section in &found {
            again.section(section);
        }
        assert_eq!(again.finish(), component);
    }

    #[test]
    fn what_is_cut_off_or_no_component_is_refused() {
        let component = component().finish();
        let custom = sections(&component).unwrap().pop().unwrap();
        for end in component.len() - custom.data.len()..component.len() {
            assert!(sections(&component[..end]).is_err(), "{end}");
        }
        assert!(sections(&Module::new().finish()).is_err(), "a core module");
    }
}
