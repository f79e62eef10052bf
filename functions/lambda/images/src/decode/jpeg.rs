//! JPEG, by its decoder's own options: what is missing of a file is no picture, and scans are counted.

use image::{RgbImage, metadata::Orientation};
use zune_core::{bytestream::ZCursor, colorspace::ColorSpace, options::DecoderOptions};
use zune_jpeg::{JpegDecoder, errors::DecodeErrors};

use super::{Decoded, check};
use crate::{ImageError, Limits};

/// A marker (ITU T.81, table B.1).
const END_OF_IMAGE: u8 = 0xd9;

/// CMYK is brought to RGB without its profile.
pub fn decode(source: &[u8], limits: &Limits) -> Result<Decoded, ImageError> {
    let damaged = |_: DecodeErrors| ImageError::Damaged;
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(usize::MAX)
        .set_max_height(usize::MAX)
        .jpeg_set_max_scans(limits.scans)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(source), options);
    decoder.decode_headers().map_err(damaged)?;
    let (width, height) = decoder.dimensions().ok_or(ImageError::Damaged)?;
    let side = |pixels| u32::try_from(pixels).map_err(|_| ImageError::Damaged);
    let (width, height) = (side(width)?, side(height)?);
    let bytes = check(width, height, 3, limits)?;
    if !has_end(source) {
        return Err(ImageError::Damaged);
    }
    let is_printed = matches!(decoder.input_colorspace(), Some(ColorSpace::CMYK | ColorSpace::YCCK));
    let profile = if is_printed { None } else { decoder.icc_profile() };
    let orientation = decoder.exif().and_then(|exif| Orientation::from_exif_chunk(exif));
    let mut pixels = vec![0; bytes];
    decoder.decode_into(&mut pixels).map_err(damaged)?;
    let pixels = RgbImage::from_raw(width, height, pixels).ok_or(ImageError::Damaged)?;
    let orientation = orientation.unwrap_or(Orientation::NoTransforms);
    Ok(Decoded { pixels: pixels.into(), orientation, profile })
}

/// Whether the picture's end is in the file: the decoder is content with less than its last row. Behind it may stand anything,
/// as a phone's short film.
fn has_end(source: &[u8]) -> bool {
    let mut rest = source.get(2..).unwrap_or_default();
    loop {
        // Of what is encoded, 0xFF is followed by zero or a restart (B.1.1.5); before a marker it may stand more than once.
        let Some(at) = rest.windows(2).position(|pair| matches!(pair, [0xff, 1..=0xcf | 0xd8..=0xfe])) else {
            return false;
        };
        let Some([marker, behind @ ..]) = rest.get(at + 1..) else { return false };
        rest = match *marker {
            END_OF_IMAGE => return true,
            // What follows its header is encoded.
            _ => match behind {
                [high, low, ..] => {
                    let length = usize::from(u16::from_be_bytes([*high, *low]));
                    behind.get(length..).unwrap_or_default()
                }
                _ => return false,
            },
        };
    }
}
