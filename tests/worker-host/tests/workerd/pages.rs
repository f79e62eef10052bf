//! The bundle in the repository.

use akademi_worker_host::{bundled_player, player};

#[test]
fn the_scripts_of_pages_are_what_their_sources_make() {
    let stands = std::fs::read_to_string(player()).unwrap();
    let is_current = stands == bundled_player().unwrap();
    assert!(is_current, "a source has changed: `cargo xtask pages` bundles it");
}
