//! What a WebP file says of its parts, before it is decoded: the decoder takes its word for how long they are, and for the
//! size of a lossy picture within another one.

use crate::{ImageError, Limits};

/// "RIFF", the length of what follows, "WEBP" (RFC 9649, section 2.4).
const HEADER_BYTES: usize = 12;
/// What begins an animation's frame (section 2.7.1.1).
const FRAME_BYTES: usize = 16;

/// # Errors
/// [`ImageError::Damaged`] where a part reaches beyond the file, [`ImageError::TooManyPixels`] where one is too large.
pub fn check(source: &[u8], limits: &Limits) -> Result<(), ImageError> {
    let (header, rest) = source.split_at_checked(HEADER_BYTES).ok_or(ImageError::Damaged)?;
    // Four bytes of the header are of what follows; more than that may stand behind it.
    let length = header.get(4..8).and_then(length).and_then(|length| length.checked_sub(4));
    let chunks = length.and_then(|length| rest.get(..length)).ok_or(ImageError::Damaged)?;
    check_chunks(chunks, limits)
}

fn check_chunks(mut chunks: &[u8], limits: &Limits) -> Result<(), ImageError> {
    while !chunks.is_empty() {
        let (name, rest) = chunks.split_at_checked(4).ok_or(ImageError::Damaged)?;
        let (bytes, rest) = rest.split_at_checked(4).ok_or(ImageError::Damaged)?;
        let length = length(bytes).ok_or(ImageError::Damaged)?;
        let (content, rest) = rest.split_at_checked(length).ok_or(ImageError::Damaged)?;
        match name {
            b"VP8 " => check_size(content, limits)?,
            b"ANMF" => {
                check_chunks(content.get(FRAME_BYTES..).ok_or(ImageError::Damaged)?, limits)?;
            }
            _ => (),
        }
        // A byte fills up to an even length; the last one may be missing.
        chunks = rest.get(length % 2..).unwrap_or_default();
    }
    Ok(())
}

/// Of a lossy picture (RFC 6386, section 9.1): fourteen bits each.
fn check_size(picture: &[u8], limits: &Limits) -> Result<(), ImageError> {
    let side = |at| {
        let bytes = picture.get(at..at + 2)?.try_into().ok()?;
        Some(u32::from(u16::from_le_bytes(bytes) & 0x3fff))
    };
    let (width, height) = side(6).zip(side(8)).ok_or(ImageError::Damaged)?;
    super::check(width, height, 3, limits).map(|_| ())
}

fn length(bytes: &[u8]) -> Option<usize> {
    usize::try_from(u32::from_le_bytes(bytes.try_into().ok()?)).ok()
}
