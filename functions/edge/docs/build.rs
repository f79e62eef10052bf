//! Deflates the documents (RFC 1951), the JSON without its indentation: as they stand they would be half of the component.

use std::{env, fs, io, path::Path};
use zopfli::{Format, Options};

fn main() -> io::Result<()> {
    let folder = env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?;
    for name in ["openapi.json", "openapi.html"] {
        println!("cargo::rerun-if-changed={name}");
        let mut text = fs::read_to_string(name)?;
        if name.ends_with(".json") {
            // A string in JSON holds no line break (RFC 8259 §7).
            text = text.lines().map(str::trim_start).collect();
        }
        let mut deflated = Vec::new();
        zopfli::compress(Options::default(), Format::Deflate, text.as_bytes(), &mut deflated)?;
        fs::write(Path::new(&folder).join(format!("{name}.deflated")), deflated)?;
    }
    Ok(())
}
