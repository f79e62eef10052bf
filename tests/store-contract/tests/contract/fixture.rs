//! This crate for another machine.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// Compiles the cases for `target` as rustc leaves them; cargo knows if there is nothing to do. The profile is the
/// product's, so that what both stand on is compiled once.
pub fn compile(target: &str, profile: &str) -> PathBuf {
    let target_folder = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let mut cargo = Command::new(env!("CARGO"));
    // Flags that are meant for the native build, such as coverage, do not suit Wasm; and what cargo says about this
    // test would make build scripts run again.
    for (name, _) in std::env::vars_os() {
        let prefixes = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_ENCODED_RUSTFLAGS", "RUSTFLAGS"];
        if prefixes.iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
            cargo.env_remove(name);
        }
    }
    let built = cargo
        .args(["rustc", "--quiet", "--package", env!("CARGO_PKG_NAME"), "--lib", "--crate-type", "cdylib"])
        .args(["--target", target, "--profile", profile])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("CARGO_TARGET_DIR", target_folder)
        .status()
        .unwrap();
    assert!(built.success(), "the cases do not build for {target}");
    target_folder.join(target).join(profile).join("akademi_store_contract.wasm")
}
