//! Where the names of playlists lead.

use akademi_domain::ids::AssetId;

use crate::{playlist::Names, signed_policy::SignedPolicy};

/// What stands before a segment's number, beside the playlist that has it.
pub const SEGMENTS: &str = "segments";
/// … and in the place of the number, for the media initialisation section.
pub const INITIALISATION: &str = "init";

/// Names are links to the CDN.
pub struct Linked {
    pub asset: AssetId,
    pub policy: SignedPolicy,
}

impl Names for Linked {
    fn file(&self, path: &str, _: Option<usize>) -> String {
        self.policy.link(path)
    }

    fn key(&self) -> String {
        key_path(self.asset)
    }
}

/// Names are asked for here.
pub struct HandedOut(pub AssetId);

impl Names for HandedOut {
    fn file(&self, _: &str, segment: Option<usize>) -> String {
        match segment {
            Some(number) => format!("{SEGMENTS}/{number}"),
            None => format!("{SEGMENTS}/{INITIALISATION}"),
        }
    }

    fn key(&self) -> String {
        key_path(self.0)
    }
}

/// Who may watch is asked again for the key of an encrypted video.
fn key_path(asset: AssetId) -> String {
    format!("/api/v1/media/{asset}/hls/key")
}
