//! Spin's components made smaller by wasm-opt, which reads core modules only: the module is taken out of its
//! component (WebAssembly Component Model, "Binary Format"), optimised and put back.

use anyhow::{Context, bail};
use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    ops::Range,
    path::Path,
};

use crate::tools::{Tools, run};

/// `\0asm`, version 13 of the layer of components.
const PREAMBLE: &[u8] = b"\0asm\x0d\0\x01\0";
const CUSTOM: u8 = 0;
const CORE_MODULE: u8 = 1;

/// What Spin runs, and no more: rustc uses these by default for `wasm32-wasip2`, and wasm-opt may.
const FEATURES: [&str; 6] = [
    "bulk-memory",
    "multivalue",
    "mutable-globals",
    "nontrapping-float-to-int",
    "reference-types",
    "sign-ext",
];

const ARGUMENTS: [&str; 3] = ["-Oz", "--strip-debug", "--strip-producers"];

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
    let modules = sections.iter().filter(|section| section.id == CORE_MODULE);
    let main = modules.max_by_key(|section| section.content.len()).context("there is no module in it")?;
    let folder = tempfile::TempDir::new()?;
    let module = folder.path().join("module.wasm");
    fs::write(&module, main.content)?;
    let optimised = folder.path().join("optimised.wasm");
    let mut wasm_opt = Tools::install()?.command("wasm-opt");
    wasm_opt.arg(&module).arg("-o").arg(&optimised).args(ARGUMENTS);
    wasm_opt.args(FEATURES.map(|feature| format!("--enable-{feature}")));
    run(&mut wasm_opt)?;
    let optimised = fs::read(optimised)?;

    let mut smaller = PREAMBLE.to_vec();
    for section in &sections {
        // Names, and which programs made it.
        if section.id == CUSTOM {
            continue;
        }
        let is_main = section.bytes == main.bytes;
        write_section(&mut smaller, section.id, if is_main { &optimised } else { section.content })?;
    }
    // A host that has the old one mapped must not see it change.
    let fresh = wanted.with_extension("new");
    fs::write(&fresh, smaller)?;
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

struct Section<'a> {
    id: u8,
    /// Where it stands.
    bytes: Range<usize>,
    content: &'a [u8],
}

/// The sections on the outermost level: an id, a length in LEB128, content.
fn sections(component: &[u8]) -> anyhow::Result<Vec<Section<'_>>> {
    let mut rest = component.strip_prefix(PREAMBLE).context("it is no component")?;
    let mut found = Vec::new();
    while let Some((&id, after)) = rest.split_first() {
        let start = component.len() - rest.len();
        let (length, after) = read_length(after)?;
        let (content, after) = after.split_at_checked(length).context("it ends within a section")?;
        found.push(Section { id, bytes: start..component.len() - after.len(), content });
        rest = after;
    }
    Ok(found)
}

fn read_length(bytes: &[u8]) -> anyhow::Result<(usize, &[u8])> {
    let mut length = 0;
    for (position, &byte) in bytes.iter().enumerate().take(5) {
        length |= usize::from(byte & 0x7f) << (7 * position);
        if byte < 0x80 {
            return Ok((length, bytes.get(position + 1..).unwrap_or_default()));
        }
    }
    bail!("it ends within a length")
}

fn write_section(out: &mut Vec<u8>, id: u8, content: &[u8]) -> anyhow::Result<()> {
    out.push(id);
    let mut length = u32::try_from(content.len())?;
    while length >= 0x80 {
        out.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
    out.extend(content);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_read_as_they_are_written() {
        let mut component = PREAMBLE.to_vec();
        let contents = [vec![], vec![7; 127], vec![8; 128], vec![9; 70_000]];
        for (id, content) in (0..).zip(&contents) {
            write_section(&mut component, id, content).unwrap();
        }
        let found = sections(&component).unwrap();
        assert_eq!(found.iter().map(|section| section.id).collect::<Vec<_>>(), [0, 1, 2, 3]);
        assert!(found.iter().map(|section| section.content).eq(contents.iter().map(Vec::as_slice)));
        assert!(found.windows(2).all(|pair| pair[0].bytes.end == pair[1].bytes.start));
    }

    #[test]
    fn what_is_cut_off_or_no_component_is_refused() {
        let mut component = PREAMBLE.to_vec();
        write_section(&mut component, CORE_MODULE, &[0; 300]).unwrap();
        for end in PREAMBLE.len() + 1..component.len() {
            assert!(sections(&component[..end]).is_err(), "{end}");
        }
        assert!(sections(b"\0asm\x01\0\0\0").is_err(), "a core module");
    }
}
