//! Deflates the documents (RFC 1951): as they stand they would be half of the component.

use miniz_oxide::deflate::compress_to_vec;
use std::{env, fs, io, path::Path};

const SMALLEST: u8 = 10;

fn main() -> io::Result<()> {
    let folder = env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?;
    for name in ["openapi.json", "openapi.html"] {
        println!("cargo::rerun-if-changed={name}");
        let deflated = compress_to_vec(&fs::read(name)?, SMALLEST);
        fs::write(Path::new(&folder).join(format!("{name}.deflated")), deflated)?;
    }
    Ok(())
}
