//! What one picture may cost.

/// What a file may be, and what decoding it may take. Time is bounded by these: what is made of a picture is of fixed sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Of the file.
    pub source_bytes: usize,
    /// Its width and height, in pixels, whichever is larger.
    pub side_pixels: u32,
    /// Of all pixels: width times height times channels times bytes of each. A decoder may hold three times as many while
    /// it works (coefficients of a progressive JPEG).
    pub decoded_bytes: u64,
    /// Scans of a progressive JPEG: each goes over all pixels again, and may be a few bytes.
    pub scans: usize,
}

impl Default for Limits {
    /// 64 megapixels of a photo; cameras write ten scans.
    fn default() -> Self {
        Self { source_bytes: 20 << 20, side_pixels: 16_384, decoded_bytes: 192 << 20, scans: 32 }
    }
}
