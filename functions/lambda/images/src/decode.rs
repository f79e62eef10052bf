//! From a file that nobody vouches for to pixels: RGB or RGBA with 8 bits a channel, of its first picture.
//!
//! What a file says of its size is looked at before memory is taken for it. The decoders are Rust; one that panics has met
//! a damaged file.

mod jpeg;
mod webp;

use image::{
    DynamicImage, ImageDecoder, ImageError as DecoderError, ImageFormat,
    codecs::{gif::GifDecoder, png::PngDecoder, webp::WebPDecoder},
    metadata::Orientation,
};
use std::{io::Cursor, panic};

use crate::{ImageError, Limits};

/// As it is stored: it may have to be turned.
pub struct Decoded {
    /// [`DynamicImage::ImageRgb8`] or [`DynamicImage::ImageRgba8`].
    pub pixels: DynamicImage,
    /// What turns it upright.
    pub orientation: Orientation,
    /// The ICC profile of its colours; none is sRGB.
    pub profile: Option<Vec<u8>>,
}

/// The picture in a file, told by its content.
///
/// # Errors
/// [`ImageError`] if there is none, or it is larger than the limits allow.
pub fn decode(source: &[u8], limits: &Limits) -> Result<Decoded, ImageError> {
    if source.is_empty() {
        return Err(ImageError::Empty);
    }
    if source.len() > limits.source_bytes {
        return Err(ImageError::TooLarge { limit_bytes: limits.source_bytes });
    }
    let format = image::guess_format(source).map_err(|_| ImageError::NotPicture)?;
    panic::catch_unwind(|| match format {
        ImageFormat::Jpeg => jpeg::decode(source, limits),
        // Profiles are packed: none may become larger than a file.
        ImageFormat::Png => {
            let own = at_most(u64::try_from(limits.source_bytes).unwrap_or(u64::MAX));
            read(PngDecoder::with_limits(Cursor::new(source), own).map_err(refused)?, limits)
        }
        ImageFormat::WebP => {
            webp::check(source, limits)?;
            read(WebPDecoder::new(Cursor::new(source)).map_err(refused)?, limits)
        }
        ImageFormat::Gif => read(GifDecoder::new(Cursor::new(source)).map_err(refused)?, limits),
        _ => Err(ImageError::NotPicture),
    })
    .unwrap_or(Err(ImageError::Damaged))
}

fn read(mut decoder: impl ImageDecoder, limits: &Limits) -> Result<Decoded, ImageError> {
    decoder.set_limits(at_most(limits.decoded_bytes)).map_err(refused)?;
    let (width, height) = decoder.dimensions();
    check(width, height, decoder.color_type().bytes_per_pixel(), limits)?;
    // Of what is told beside the picture nothing is needed.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let profile = decoder.icc_profile().ok().flatten();
    let pixels = DynamicImage::from_decoder(decoder).map_err(refused)?;
    let pixels = if pixels.color().has_alpha() {
        pixels.into_rgba8().into()
    } else {
        DynamicImage::from(pixels.into_rgb8())
    };
    Ok(Decoded { pixels, orientation, profile })
}

/// How many bytes the pixels take.
fn check(width: u32, height: u32, bytes_per_pixel: u8, limits: &Limits) -> Result<usize, ImageError> {
    if width == 0 || height == 0 {
        return Err(ImageError::Damaged);
    }
    let bytes = u64::from(width) * u64::from(height) * u64::from(bytes_per_pixel);
    if width.max(height) > limits.side_pixels || bytes > limits.decoded_bytes {
        return Err(ImageError::TooManyPixels { width, height });
    }
    usize::try_from(bytes).map_err(|_| ImageError::TooManyPixels { width, height })
}

/// For a decoder's own buffers.
fn at_most(bytes: u64) -> image::Limits {
    let mut limits = image::Limits::no_limits();
    limits.max_alloc = Some(bytes);
    limits
}

/// A decoder's own limits are beside what the picture says of its size.
fn refused(_: DecoderError) -> ImageError {
    ImageError::Damaged
}
