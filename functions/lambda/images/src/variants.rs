//! All that is made of one picture.

use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};
use image::DynamicImage;
use sha2::{Digest, Sha256};

use crate::{
    Crop, Format, ImageError, Limits, Preset, color,
    crop::{Area, Size, sizes, turned},
    decode::{Decoded, decode},
};

/// A file that is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    pub format: Format,
    pub size: Size,
    pub content: Vec<u8>,
}

impl Variant {
    /// The SHA-256 of its content in lower-case hex, and its extension: it never means another content.
    pub fn name(&self) -> String {
        format!("{}.{}", hex::encode(Sha256::digest(&self.content)), self.format.extension())
    }
}

/// Cuts a picture, turns it upright, brings it to sRGB, and writes it in the preset's sizes and all formats: the smallest size
/// first, each in the order of [`Format::ALL`]. Of the same file the same is made again.
///
/// Nothing is enlarged ([`sizes`]). Of an animation the first picture is taken. Transparency is kept but in JPEG, where white is
/// behind it. Keeps a processor busy for up to a few seconds.
///
/// # Errors
/// [`ImageError`].
pub fn variants(
    source: &[u8],
    preset: Preset,
    crop: Crop,
    limits: &Limits,
) -> Result<Vec<Variant>, ImageError> {
    let Decoded { pixels, orientation, profile } = decode(source, limits)?;
    let stored = Size { width: pixels.width(), height: pixels.height() };
    let upright = turned(stored, orientation);
    let area = crop.area(upright, preset.aspect_ratio())?;
    let sizes = sizes(area.size, preset)?;
    // Turned and converted is what is left after it was made small; the smaller ones are made of that.
    let Some(largest) = sizes.last() else { return Ok(Vec::new()) };
    let mut large = resized(&pixels, area.before(orientation, upright), turned(*largest, orientation))?;
    drop(pixels);
    large.apply_orientation(orientation);
    let large = color::into_srgb(large, profile.as_deref());
    let whole = Area { x: 0, y: 0, size: *largest };
    let mut variants = Vec::with_capacity(sizes.len() * Format::ALL.len());
    for size in &sizes {
        let small = if size == largest { None } else { Some(resized(&large, whole, *size)?) };
        for format in Format::ALL {
            let content = format.encode(small.as_ref().unwrap_or(&large))?;
            variants.push(Variant { format, size: *size, content });
        }
    }
    Ok(variants)
}

/// A part of a picture in another size.
fn resized(picture: &DynamicImage, area: Area, size: Size) -> Result<DynamicImage, ImageError> {
    let mut result = DynamicImage::new(size.width, size.height, picture.color());
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3)).crop(
        area.x.into(),
        area.y.into(),
        area.size.width.into(),
        area.size.height.into(),
    );
    Resizer::new()
        .resize(picture, &mut result, &options)
        .map_err(|error| ImageError::encoding("resizing", error))?;
    Ok(result)
}
