//! Scripts and styles of pages. They lie behind the CDN, under names that change with what is in them, so that browsers keep
//! them for ever; a page names their hash too (Subresource Integrity), so that nobody can put another file in their place.

/// One file.
#[derive(Debug, Clone, Copy)]
pub struct Asset {
    /// Below [`FOLDER`] of the CDN.
    pub name: &'static str,
    pub content_type: &'static str,
    /// As the attribute `integrity` has it.
    pub integrity: &'static str,
    #[cfg(feature = "files")]
    pub content: &'static [u8],
}

/// Where they are below the CDN's address: no academy's folder.
pub const FOLDER: &str = "assets";

/// All of them.
pub const ASSETS: [Asset; 2] = [PLAYER, STYLE];

include!(concat!(env!("OUT_DIR"), "/assets.rs"));
