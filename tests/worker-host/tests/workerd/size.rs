//! What the Worker weighs.

use akademi_worker_host::build;
use flate2::{Compression, write::GzEncoder};
use std::io::Write;

/// The free plan takes 3 MB; a third of that keeps a cold start short.
const BUDGET_BYTES: usize = 1_000_000;

#[test]
fn the_module_is_at_most_a_megabyte_compressed() {
    let wasm = std::fs::read(build().unwrap().wasm).unwrap();
    let mut compressed = GzEncoder::new(Vec::new(), Compression::default());
    compressed.write_all(&wasm).unwrap();
    let compressed = compressed.finish().unwrap().len();
    println!("{} bytes, {compressed} compressed", wasm.len());
    assert!(compressed <= BUDGET_BYTES, "{compressed} bytes");
}
