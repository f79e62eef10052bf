//! The table of the pages' files: each under a name that changes with what is in it, and with its hash.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha384};
use std::{env, ffi::OsStr, fs, io, path::Path};

/// What the code calls it, its file, its media type.
const ASSETS: [(&str, &str, &str); 2] =
    [("PLAYER", "assets/player.js", "text/javascript"), ("STYLE", "assets/site.css", "text/css")];

fn main() -> io::Result<()> {
    let out = env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?;
    let mut table = String::new();
    for (constant, file, content_type) in ASSETS {
        println!("cargo::rerun-if-changed={file}");
        let digest = Sha384::digest(fs::read(file)?);
        let part = |part: Option<&OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
        let (stem, extension) = (part(Path::new(file).file_stem()), part(Path::new(file).extension()));
        let start: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let integrity = format!("sha384-{}", STANDARD.encode(digest));
        table += &format!(
            "pub const {constant}: Asset = Asset {{ name: \"{stem}-{start}.{extension}\", \
             content_type: \"{content_type}\", integrity: \"{integrity}\", #[cfg(feature = \"files\")] \
             content: include_bytes!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/{file}\")) }};\n"
        );
    }
    fs::write(Path::new(&out).join("assets.rs"), table)
}
