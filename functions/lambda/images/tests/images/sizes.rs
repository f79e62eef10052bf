//! What is made of a picture, and what it is called.

use akademi_images::{Crop, Format, ImageError, Limits, Preset, variants};
use image::RgbImage;
use sha2::{Digest, Sha256};

use crate::{
    oracle::pixels,
    sources::{avatars, jpeg, pattern, png, quarters},
};

#[test]
fn three_sizes_in_three_formats() {
    let file = jpeg(&quarters(2000, 1200));
    for (preset, expected) in [
        (Preset::CourseCard, [(320, 180), (640, 360), (1280, 720)]),
        (Preset::Banner, [(640, 213), (1280, 427), (1920, 640)]),
        (Preset::Avatar, [(64, 64), (128, 128), (256, 256)]),
        (Preset::CertificateLogo, [(160, 96), (320, 192), (640, 384)]),
        (Preset::ProductGallery, [(320, 320), (640, 640), (1200, 1200)]),
    ] {
        let made = variants(&file, preset, Crop::default(), &Limits::default()).unwrap();
        let found: Vec<_> =
            made.iter().map(|variant| (variant.size.width, variant.size.height, variant.format)).collect();
        let expected: Vec<_> = expected
            .into_iter()
            .flat_map(|(width, height)| Format::ALL.map(|format| (width, height, format)))
            .collect();
        assert_eq!(found, expected, "{preset:?}");
        for variant in &made {
            // It checks the size.
            pixels(variant);
            let kind: &[u8] = match variant.format {
                Format::Avif => b"ftypavif",
                Format::WebP => b"WEBPVP8",
                Format::Jpeg => b"\xff\xd8\xff",
            };
            let head = &variant.content[..16];
            assert!(head.windows(kind.len()).any(|bytes| bytes == kind), "{:?}: {head:?}", variant.format);
        }
    }
}

#[test]
fn nothing_is_enlarged() {
    let sizes = |width, height, preset| {
        let file = png(&RgbImage::new(width, height).into());
        let made = variants(&file, preset, Crop::default(), &Limits::default())?;
        let jpegs = made.iter().filter(|variant| variant.format == Format::Jpeg);
        Ok(jpegs.map(|variant| (variant.size.width, variant.size.height)).collect::<Vec<_>>())
    };
    let too_small = |width, height, least_width| Err(ImageError::TooSmall { width, height, least_width });
    for (width, height, preset, expected) in [
        (100, 100, Preset::Avatar, Ok(vec![(64, 64), (100, 100)])),
        (100, 70, Preset::Avatar, Ok(vec![(64, 64), (70, 70)])),
        (64, 64, Preset::Avatar, Ok(vec![(64, 64)])),
        (128, 200, Preset::Avatar, Ok(vec![(64, 64), (128, 128)])),
        (63, 400, Preset::Avatar, too_small(63, 63, 64)),
        (1, 1, Preset::Avatar, too_small(1, 1, 64)),
        (200, 20, Preset::CertificateLogo, Ok(vec![(160, 16), (200, 20)])),
        (20, 200, Preset::CertificateLogo, Ok(vec![(16, 160), (20, 200)])),
        (159, 159, Preset::CertificateLogo, too_small(159, 159, 160)),
        (900, 1, Preset::CertificateLogo, Ok(vec![(160, 1), (320, 1), (640, 1)])),
    ] {
        assert_eq!(sizes(width, height, preset), expected, "{width}×{height} as {preset:?}");
    }
}

#[test]
fn a_name_is_of_its_content() {
    let file = jpeg(&pattern(300, 300));
    let (made, again) = (avatars(&file).unwrap(), avatars(&file).unwrap());
    assert_eq!(made, again, "of the same file the same is made");
    let mut names = Vec::new();
    for variant in made {
        let name = variant.name();
        let (digest, extension) = name.split_once('.').unwrap();
        assert_eq!(digest, hex::encode(Sha256::digest(&variant.content)));
        assert_eq!(extension, variant.format.extension());
        names.push(name);
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 9);
}
