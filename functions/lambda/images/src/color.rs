//! Colours in sRGB, which a picture without a profile has.

use image::DynamicImage;
use moxcms::{ColorProfile, DataColorSpace, Layout, TransformOptions};

/// Brings the colours from those of an ICC profile to sRGB. A profile that cannot be read, or is of other colours than RGB and
/// grey, changes nothing.
pub fn into_srgb(picture: DynamicImage, profile: Option<&[u8]>) -> DynamicImage {
    let Some(profile) = profile.and_then(|profile| ColorProfile::new_from_slice(profile).ok()) else {
        return picture;
    };
    let (width, height, has_alpha) = (picture.width(), picture.height(), picture.color().has_alpha());
    let color = if has_alpha { Layout::Rgba } else { Layout::Rgb };
    let (from, own) = match profile.color_space {
        DataColorSpace::Rgb => (color, None),
        DataColorSpace::Gray if has_alpha => (Layout::GrayAlpha, Some(picture.to_luma_alpha8().into_raw())),
        DataColorSpace::Gray => (Layout::Gray, Some(picture.to_luma8().into_raw())),
        _ => return picture,
    };
    let srgb = ColorProfile::new_srgb();
    let mut converted = DynamicImage::new(width, height, picture.color());
    let done = profile.create_transform_8bit(from, &srgb, color, TransformOptions::default()).and_then(
        |transform| {
            let source = own.as_deref().unwrap_or(picture.as_bytes());
            match &mut converted {
                DynamicImage::ImageRgba8(pixels) => transform.transform(source, pixels),
                DynamicImage::ImageRgb8(pixels) => transform.transform(source, pixels),
                _ => Ok(()),
            }
        },
    );
    if done.is_ok() { converted } else { picture }
}
