//! From pixels to files. Nothing is in them but the pixels: no profile (they are sRGB), no metadata.

use image::{DynamicImage, RgbImage, Rgba};
use jpeg_encoder::{ChromaSubsamplingMethod, ColorType};
use ravif::{Img, RGB8, RGBA8};
use std::borrow::Cow;

use crate::ImageError;

/// How a picture is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// The smallest, for browsers since 2020 to 2024.
    Avif,
    WebP,
    /// For all others, and for mail.
    Jpeg,
}

/// From 1 to 100, each on a scale of its own.
const JPEG_QUALITY: u8 = 80;
const WEBP_QUALITY: f32 = 78.0;
const AVIF_QUALITY: f32 = 70.0;
/// From 1, the smallest files, to 10, the least time.
const AVIF_SPEED: u8 = 9;
/// What is behind a transparent picture in JPEG, which knows no transparency.
const BACKGROUND: u8 = 255;

impl Format {
    /// In the order in which a page offers them.
    pub const ALL: [Self; 3] = [Self::Avif, Self::WebP, Self::Jpeg];

    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Avif => "image/avif",
            Self::WebP => "image/webp",
            Self::Jpeg => "image/jpeg",
        }
    }

    /// Of a file's name.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Avif => "avif",
            Self::WebP => "webp",
            Self::Jpeg => "jpg",
        }
    }

    /// The file of a picture in RGB or RGBA.
    pub(crate) fn encode(self, picture: &DynamicImage) -> Result<Vec<u8>, ImageError> {
        match self {
            Self::Avif => avif(picture),
            Self::WebP => webp(picture),
            Self::Jpeg => jpeg(picture),
        }
    }
}

fn avif(picture: &DynamicImage) -> Result<Vec<u8>, ImageError> {
    let encoder = ravif::Encoder::new()
        .with_quality(AVIF_QUALITY)
        .with_alpha_quality(AVIF_QUALITY)
        .with_speed(AVIF_SPEED);
    let (width, height) = (pixels(picture.width()), pixels(picture.height()));
    let file = if picture.color().has_alpha() {
        let pixels: Vec<RGBA8> =
            picture.as_bytes().as_chunks().0.iter().map(|&[r, g, b, a]| RGBA8::new(r, g, b, a)).collect();
        encoder.encode_rgba(Img::new(&pixels, width, height))
    } else {
        let pixels: Vec<RGB8> =
            picture.as_bytes().as_chunks().0.iter().map(|&[r, g, b]| RGB8::new(r, g, b)).collect();
        encoder.encode_rgb(Img::new(&pixels, width, height))
    };
    Ok(file.map_err(|error| ImageError::encoding("AVIF", error))?.avif_file)
}

fn webp(picture: &DynamicImage) -> Result<Vec<u8>, ImageError> {
    let layout = if picture.color().has_alpha() { webp::PixelLayout::Rgba } else { webp::PixelLayout::Rgb };
    let encoder = webp::Encoder::new(picture.as_bytes(), layout, picture.width(), picture.height());
    let file = encoder.encode_simple(false, WEBP_QUALITY);
    Ok(file.map_err(|error| ImageError::encoding("WebP", format!("{error:?}")))?.to_vec())
}

fn jpeg(picture: &DynamicImage) -> Result<Vec<u8>, ImageError> {
    let opaque = match picture {
        DynamicImage::ImageRgb8(pixels) => Cow::Borrowed(pixels),
        picture => Cow::Owned(on_background(picture)),
    };
    let mut file = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut file, JPEG_QUALITY);
    encoder.set_chroma_subsampling_method(ChromaSubsamplingMethod::Average);
    encoder.set_progressive(true);
    encoder.set_optimized_huffman_tables(true);
    let side = |pixels| u16::try_from(pixels).map_err(|error| ImageError::encoding("JPEG", error));
    let (width, height) = (side(opaque.width())?, side(opaque.height())?);
    encoder
        .encode(&opaque, width, height, ColorType::Rgb)
        .map_err(|error| ImageError::encoding("JPEG", error))?;
    Ok(file)
}

fn on_background(picture: &DynamicImage) -> RgbImage {
    let picture = picture.to_rgba8();
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let Rgba([r, g, b, alpha]) = *picture.get_pixel(x, y);
        let over = |color: u8| {
            let (color, alpha) = (u32::from(color), u32::from(alpha));
            let mixed = (color * alpha + u32::from(BACKGROUND) * (255 - alpha) + 127) / 255;
            u8::try_from(mixed).unwrap_or(u8::MAX)
        };
        [over(r), over(g), over(b)].into()
    })
}

fn pixels(side: u32) -> usize {
    usize::try_from(side).unwrap_or(usize::MAX)
}
