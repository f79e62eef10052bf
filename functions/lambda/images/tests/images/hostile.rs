//! Files that nobody means well with.

use akademi_images::{Crop, ImageError, Limits, Preset, variants};
use image::RgbImage;
use proptest::prelude::*;

use crate::{
    allocations::peak,
    sources::{avatars, chunk, extended, gif, jpeg, jpeg_with, lossless_webp, pattern, png, riff, webp},
};

/// What a refusal may take beside the file.
const LITTLE: usize = 4 << 20;

#[test]
fn what_is_no_picture_is_refused() {
    let html = b"<!doctype html><script>alert(1)</script>".as_slice();
    let svg =
        b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>".as_slice();
    for (what, file, error) in [
        ("nothing", b"".as_slice(), ImageError::Empty),
        ("a byte", b"\xff", ImageError::NotPicture),
        ("text", b"once upon a time", ImageError::NotPicture),
        ("HTML", html, ImageError::NotPicture),
        ("SVG", svg, ImageError::NotPicture),
        ("PDF", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj", ImageError::NotPicture),
        ("BMP", b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0", ImageError::NotPicture),
        ("AVIF", b"\0\0\0\x20ftypavif\0\0\0\0avifmif1miaf", ImageError::NotPicture),
        ("the beginning of a JPEG", b"\xff\xd8\xff\xe0", ImageError::Damaged),
        ("the beginning of a PNG", b"\x89PNG\r\n\x1a\n", ImageError::Damaged),
        ("the beginning of a GIF", b"GIF89a", ImageError::Damaged),
        ("the beginning of a WebP", b"RIFF\x04\0\0\0WEBP", ImageError::Damaged),
    ] {
        assert_eq!(avatars(file), Err(error), "{what}");
    }
    let large = vec![0xff; Limits::default().source_bytes + 1];
    assert_eq!(avatars(&large), Err(ImageError::TooLarge { limit_bytes: 20 << 20 }));
}

#[test]
fn a_file_that_is_cut_off_is_refused() {
    let picture = pattern(150, 130);
    let with_profile = riff(&[extended(0x20, 150, 130), chunk(b"ICCP", b"x"), webp(&picture)[12..].to_vec()]);
    for (what, file, end) in [
        ("JPEG", jpeg(&picture), 0),
        ("progressive JPEG", jpeg_with(&picture, |encoder| encoder.set_progressive(true)), 0),
        ("JPEG with restarts", jpeg_with(&picture, |encoder| encoder.set_restart_interval(2)), 0),
        // The last chunk of a PNG says only that it ends, as do a GIF's last bytes.
        ("PNG", png(&picture.clone().into()), 12),
        ("GIF", gif(std::slice::from_ref(&picture)), 4),
        ("WebP", webp(&picture), 0),
        ("lossless WebP", lossless_webp(&picture), 0),
        ("extended WebP", with_profile, 0),
    ] {
        avatars(&file).unwrap_or_else(|error| panic!("{what}: {error}"));
        let cuts = (1..20).map(|part| file.len() * part / 20).chain([file.len() - end - 1]);
        for cut in cuts {
            let error = avatars(&file[..cut]).map(|made| made.len());
            assert!(
                matches!(error, Err(ImageError::Damaged | ImageError::NotPicture)),
                "{what}, {cut} of {} bytes: {error:?}",
                file.len()
            );
        }
    }
}

/// A few bytes that say that they are a large picture.
#[test]
fn bombs_are_refused_before_memory_is_taken() {
    let mut wide_jpeg = jpeg(&RgbImage::new(64, 64));
    // Height and width in the frame's header (ITU T.81, B.2.2).
    let frame = wide_jpeg.windows(2).position(|bytes| bytes == [0xff, 0xc0]).unwrap();
    wide_jpeg[frame + 5..frame + 9].copy_from_slice(&[0x3e, 0x80, 0x3e, 0x80]);
    let mut wide_gif = gif(&[RgbImage::new(64, 64)]);
    wide_gif[6..10].copy_from_slice(&[0x80, 0x3e, 0x80, 0x3e]);
    let mut lossy = webp(&RgbImage::new(64, 64))[12..].to_vec();
    lossy[14..18].copy_from_slice(&[0xff, 0x3f, 0xff, 0x3f]);
    let lossless_header = (0x3ffe_u32 | (0x3ffe << 14)).to_le_bytes();
    let lossless = chunk(b"VP8L", &[&[0x2f], lossless_header.as_slice(), &[0; 64]].concat());
    for (what, file, width, height) in [
        ("JPEG", wide_jpeg, 16_000, 16_000),
        ("GIF", wide_gif, 16_000, 16_000),
        ("PNG", wide_png(16_000, 16_000, 2, 8), 16_000, 16_000),
        ("PNG with a long side", wide_png(20_000, 1, 2, 8), 20_000, 1),
        ("PNG of 16 bits and four channels", wide_png(8000, 4000, 6, 16), 8000, 4000),
        ("PNG with a palette", wide_png(16_000, 16_000, 0, 1), 16_000, 16_000),
        ("WebP", riff(&[lossy.clone()]), 16_383, 16_383),
        ("lossless WebP", riff(&[lossless]), 16_383, 16_383),
        ("WebP with a large canvas", riff(&[extended(0, 1 << 24, 1 << 8), lossy.clone()]), 16_383, 16_383),
        ("WebP with a large picture on a small canvas", riff(&[extended(0, 64, 64), lossy]), 16_383, 16_383),
    ] {
        let (made, bytes) = peak(|| avatars(&file));
        assert_eq!(made, Err(ImageError::TooManyPixels { width, height }), "{what}");
        assert!(bytes < LITTLE, "{what} takes {bytes} bytes");
    }
}

/// A decoder that believed it would take four gigabytes.
#[test]
fn a_part_that_says_that_it_is_longer_than_the_file_is_refused() {
    let picture = lossless_webp(&RgbImage::new(64, 64))[12..].to_vec();
    for name in [b"ICCP", b"EXIF"] {
        let mut long = chunk(name, b"xxxx");
        long[4..8].copy_from_slice(&[0xff, 0xff, 0xff, 0x7f]);
        let mut file = riff(&[extended(0x28, 64, 64), picture.clone(), long]);
        for length in [u32::try_from(file.len() - 8).unwrap(), u32::MAX - 1] {
            file[4..8].copy_from_slice(&length.to_le_bytes());
            let (made, bytes) = peak(|| avatars(&file));
            assert_eq!(made, Err(ImageError::Damaged));
            assert!(bytes < LITTLE, "{bytes} bytes");
        }
    }
}

/// What is compressed beside the picture.
#[test]
fn a_profile_that_grows_is_refused_or_left_out() {
    let profile = vec![0; 300 << 20];
    let mut file = Vec::new();
    let mut info = ::png::Info::with_size(64, 64);
    info.color_type = ::png::ColorType::Rgb;
    info.icc_profile = Some(profile.into());
    let encoder = ::png::Encoder::with_info(&mut file, info).unwrap();
    encoder.write_header().unwrap().write_image_data(&[0; 64 * 64 * 3]).unwrap();
    assert!(file.len() < 1 << 20, "{} bytes", file.len());
    let (_, bytes) = peak(|| avatars(&file).map(|made| made.len()));
    assert!(bytes < 96 << 20, "{bytes} bytes");
}

/// Each scan goes over all pixels again, and may be a few bytes.
#[test]
fn a_jpeg_of_many_scans_is_refused() {
    let picture = pattern(128, 128);
    let with_scans = |scans| {
        avatars(&jpeg_with(&picture, |encoder| encoder.set_progressive_scans(scans))).map(|made| made.len())
    };
    assert_eq!(with_scans(4), Ok(6));
    // Of three colours each.
    assert_eq!(with_scans(20), Err(ImageError::Damaged));
}

#[test]
fn the_largest_picture_is_taken() {
    let limits = Limits { side_pixels: 200, decoded_bytes: 200 * 150 * 3, ..Limits::default() };
    let made = |width, height| {
        let file = png(&RgbImage::new(width, height).into());
        variants(&file, Preset::Avatar, Crop::default(), &limits).map(|made| made.len())
    };
    assert_eq!(made(200, 150), Ok(9));
    assert_eq!(made(200, 151), Err(ImageError::TooManyPixels { width: 200, height: 151 }));
    assert_eq!(made(201, 100), Err(ImageError::TooManyPixels { width: 201, height: 100 }));
}

/// A PNG that says so, and has nothing in it.
fn wide_png(width: u32, height: u32, color: u8, bits: u8) -> Vec<u8> {
    let with_checksum = |name: &[u8; 4], content: &[u8]| {
        let named = [name.as_slice(), content].concat();
        let checksum = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(&named);
        let length = u32::try_from(content.len()).unwrap();
        [&length.to_be_bytes()[..], &named, &checksum.to_be_bytes()].concat()
    };
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[bits, color, 0, 0, 0]].concat();
    [
        b"\x89PNG\r\n\x1a\n".to_vec(),
        with_checksum(b"IHDR", &header),
        with_checksum(b"IDAT", &[0x78, 0x9c, 0x03, 0, 0, 0, 0, 1]),
        with_checksum(b"IEND", b""),
    ]
    .concat()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever stands in a file, there is an answer, and it takes no more memory than the limits say.
    #[test]
    fn damage_is_no_accident(
        kind in 0..6_usize,
        damage in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..12),
    ) {
        let picture = pattern(66, 70);
        let mut file = match kind {
            0 => jpeg(&picture),
            1 => jpeg_with(&picture, |encoder| encoder.set_progressive(true)),
            2 => png(&picture.into()),
            3 => gif(&[picture]),
            4 => webp(&picture),
            _ => lossless_webp(&picture),
        };
        for (place, byte) in damage {
            let place = place.index(file.len());
            file[place] = byte;
        }
        let limits = Limits { decoded_bytes: 1 << 20, ..Limits::default() };
        let (made, bytes) = peak(|| variants(&file, Preset::Avatar, Crop::default(), &limits));
        if let Err(error) = made {
            prop_assert!(error.is_fault_of_source(), "{error:?}");
        }
        prop_assert!(bytes < 32 << 20, "{bytes} bytes");
    }
}
