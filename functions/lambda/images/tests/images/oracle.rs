//! What is in a file, as the `ffmpeg` program sees it.

use akademi_images::{Format, Variant};
use image::{Rgb, RgbImage};
use std::process::Command;

/// The frame of a file, in a pixel format of FFmpeg's.
pub fn decoded(name: &str, content: &[u8], pixels: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(name);
    std::fs::write(&file, content).unwrap();
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-i"])
        .arg(&file)
        .args(["-frames:v", "1", "-pix_fmt", pixels, "-f", "rawvideo", "-"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

pub fn pixels(variant: &Variant) -> RgbImage {
    let (width, height) = (variant.size.width, variant.size.height);
    let bytes = decoded(&variant.name(), &variant.content, "rgb24");
    assert_eq!(bytes.len(), (width * height * 3) as usize, "it is as large as it is said to be");
    RgbImage::from_raw(width, height, bytes).unwrap()
}

/// How opaque each pixel is.
pub fn opacity(variant: &Variant) -> Vec<u8> {
    match variant.format {
        Format::Avif => decoded("opacity.ivf", &opacity_film(&variant.content), "gray"),
        Format::WebP => {
            decoded(&variant.name(), &variant.content, "rgba").into_iter().skip(3).step_by(4).collect()
        }
        Format::Jpeg => vec![255; (variant.size.width * variant.size.height) as usize],
    }
}

/// An AVIF keeps its opacity in a picture of its own, its second item, which this program does not look for (ISO 14496-12,
/// 8.11.3): as a film of one frame in an IVF, which begins with a temporal delimiter (AV1, 5.6).
fn opacity_film(file: &[u8]) -> Vec<u8> {
    let items = file.windows(4).position(|bytes| bytes == b"iloc").unwrap() + 12;
    let number = |at: usize| u32::from_be_bytes(file[at..at + 4].try_into().unwrap()) as usize;
    let item = (0..2).map(|item| items + item * 14).find(|item| file[*item..item + 2] == [0, 2]).unwrap();
    let (start, length) = (number(item + 6), number(item + 10));
    let frame = [&[0x12, 0], &file[start..start + length]].concat();
    let header =
        [b"DKIF\0\0\x20\0AV01".as_slice(), &[0; 4], &[1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0], &[0; 4]].concat();
    [header, u32::try_from(frame.len()).unwrap().to_le_bytes().to_vec(), vec![0; 8], frame].concat()
}

/// The colours in the middle of each quarter.
pub fn quarters(picture: &RgbImage) -> [[u8; 3]; 4] {
    let (width, height) = picture.dimensions();
    [(1, 1), (3, 1), (1, 3), (3, 3)].map(|(x, y)| picture.get_pixel(width * x / 4, height * y / 4).0)
}

/// Each channel is at most `by` off.
#[track_caller]
pub fn assert_near(found: [u8; 3], expected: [u8; 3], by: u8, what: &str) {
    let far = found.iter().zip(expected).any(|(found, expected)| found.abs_diff(expected) > by);
    assert!(!far, "{what}: {found:?} is not {expected:?}");
}

/// The largest file of each format shows these quarters.
#[track_caller]
pub fn assert_quarters(variants: &[Variant], expected: [[u8; 3]; 4], what: &str) {
    for variant in variants.iter().rev().take(Format::ALL.len()) {
        let found = quarters(&pixels(variant));
        for (quarter, (found, expected)) in found.into_iter().zip(expected).enumerate() {
            assert_near(found, expected, 10, &format!("{what}, {:?}, quarter {quarter}", variant.format));
        }
    }
}

/// The colour in the middle.
pub fn middle(variant: &Variant) -> [u8; 3] {
    let Rgb(color) = *pixels(variant).get_pixel(variant.size.width / 2, variant.size.height / 2);
    color
}
