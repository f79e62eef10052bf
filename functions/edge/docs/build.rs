//! Deflates the document (RFC 1951) without its indentation: as it stands it would be half of the component.

use std::{env, fs, io, path::Path};
use zopfli::{Format, Options};

const DOCUMENT: &str = "openapi.json";

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed={DOCUMENT}");
    let folder = env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?;
    // A string in JSON holds no line break (RFC 8259 §7).
    let text: String = fs::read_to_string(DOCUMENT)?.lines().map(str::trim_start).collect();
    let mut deflated = Vec::new();
    zopfli::compress(Options::default(), Format::Deflate, text.as_bytes(), &mut deflated)?;
    fs::write(Path::new(&folder).join(format!("{DOCUMENT}.deflated")), deflated)
}
