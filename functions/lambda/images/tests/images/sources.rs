//! Pictures, and files of them.

use akademi_images::{Crop, ImageError, Limits, Preset, Variant, variants};
use image::{
    DynamicImage, ExtendedColorType, GrayImage, Rgb, RgbImage,
    codecs::{gif::GifEncoder, png::PngEncoder},
};
use jpeg_encoder::{ColorType, Encoder};

pub const RED: [u8; 3] = [200, 30, 40];
pub const GREEN: [u8; 3] = [40, 180, 60];
pub const BLUE: [u8; 3] = [30, 60, 200];
pub const YELLOW: [u8; 3] = [230, 210, 50];
/// Upper left, upper right, lower left, lower right.
pub const COLORS: [[u8; 3]; 4] = [RED, GREEN, BLUE, YELLOW];

/// Four colours.
pub fn quarters(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        Rgb(COLORS[usize::from(x >= width / 2) + 2 * usize::from(y >= height / 2)])
    })
}

/// With something to see everywhere, so that all of a file is needed.
pub fn pattern(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let mixed = (x * 37 + y * 91) ^ (x * y);
        Rgb([mixed.to_le_bytes()[0], (x * 3).to_le_bytes()[0], (y * 5).to_le_bytes()[0]])
    })
}

pub fn jpeg(picture: &RgbImage) -> Vec<u8> {
    jpeg_with(picture, |_| ())
}

pub fn jpeg_with(picture: &RgbImage, adjust: impl FnOnce(&mut Encoder<&mut Vec<u8>>)) -> Vec<u8> {
    jpeg_of(picture, (picture.width(), picture.height()), ColorType::Rgb, adjust)
}

pub fn jpeg_of(
    pixels: &[u8],
    (width, height): (u32, u32),
    color: ColorType,
    adjust: impl FnOnce(&mut Encoder<&mut Vec<u8>>),
) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, 92);
    adjust(&mut encoder);
    encoder.encode(pixels, width.try_into().unwrap(), height.try_into().unwrap(), color).unwrap();
    file
}

pub fn png(picture: &DynamicImage) -> Vec<u8> {
    png_with(picture, |_| ())
}

pub fn png_with(picture: &DynamicImage, adjust: impl FnOnce(&mut PngEncoder<&mut Vec<u8>>)) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = PngEncoder::new(&mut file);
    adjust(&mut encoder);
    picture.write_with_encoder(encoder).unwrap();
    file
}

pub fn gif(pictures: &[RgbImage]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = GifEncoder::new(&mut file);
    for picture in pictures {
        encoder.encode(picture, picture.width(), picture.height(), ExtendedColorType::Rgb8).unwrap();
    }
    drop(encoder);
    file
}

pub fn webp(picture: &RgbImage) -> Vec<u8> {
    webp::Encoder::from_rgb(picture, picture.width(), picture.height()).encode(90.0).to_vec()
}

pub fn lossless_webp(picture: &RgbImage) -> Vec<u8> {
    webp::Encoder::from_rgb(picture, picture.width(), picture.height()).encode_lossless().to_vec()
}

/// Its frames are as large as it is.
pub fn animated_webp(pictures: &[RgbImage]) -> Vec<u8> {
    let (width, height) = pictures[0].dimensions();
    let config = webp::WebPConfig::new().unwrap();
    let mut encoder = webp::AnimEncoder::new(width, height, &config);
    for (picture, number) in pictures.iter().zip(0..) {
        encoder.add_frame(webp::AnimFrame::from_rgb(picture, width, height, number * 100));
    }
    encoder.encode().to_vec()
}

pub fn grey(picture: &RgbImage) -> GrayImage {
    DynamicImage::from(picture.clone()).into_luma8()
}

/// A chunk of a RIFF file.
pub fn chunk(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_le_bytes();
    let filling = &[0][..content.len() % 2];
    [name.as_slice(), &length, content, filling].concat()
}

/// A WebP file of these chunks.
pub fn riff(chunks: &[Vec<u8>]) -> Vec<u8> {
    chunk(b"RIFF", &[b"WEBP".as_slice(), &chunks.concat()].concat())
}

/// What begins a WebP file that is more than a picture (RFC 9649, section 2.7).
pub fn extended(flags: u8, width: u32, height: u32) -> Vec<u8> {
    let side = |pixels: u32| (pixels - 1).to_le_bytes()[..3].to_vec();
    chunk(b"VP8X", &[vec![flags, 0, 0, 0], side(width), side(height)].concat())
}

/// What a camera says: how it was held, where it was, who it belongs to (TIFF 6.0, little-endian; Exif 2.32).
pub fn exif(orientation: u16) -> Vec<u8> {
    let entry = |tag: u16, kind: u16, count: u32, value: u32| {
        [&tag.to_le_bytes()[..], &kind.to_le_bytes(), &count.to_le_bytes(), &value.to_le_bytes()].concat()
    };
    let (first, artist) = (8 + 2 + 3 * 12 + 4, b"Ay\xc5\x9fe Y\xc4\xb1lmaz\0");
    let places = u32::try_from(first + artist.len()).unwrap();
    [
        b"II*\0\x08\0\0\0\x03\0".to_vec(),
        entry(0x0112, 3, 1, orientation.into()),
        entry(0x013b, 2, artist.len().try_into().unwrap(), first.try_into().unwrap()),
        // The position: north.
        entry(0x8825, 4, 1, places),
        vec![0; 4],
        artist.to_vec(),
        b"\x01\0".to_vec(),
        entry(0x0001, 2, 2, u32::from(b'N')),
        vec![0; 4],
    ]
    .concat()
}

/// As it stands in a JPEG.
pub fn exif_segment(orientation: u16) -> Vec<u8> {
    [b"Exif\0\0".as_slice(), &exif(orientation)].concat()
}

/// In the small sizes of avatars.
pub fn avatars(source: &[u8]) -> Result<Vec<Variant>, ImageError> {
    variants(source, Preset::Avatar, Crop::default(), &Limits::default())
}
