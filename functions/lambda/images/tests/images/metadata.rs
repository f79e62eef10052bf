//! Nothing is told beside the picture.

use akademi_images::{Format, Variant};
use image::{DynamicImage, ImageEncoder};
use moxcms::ColorProfile;

use crate::sources::{
    avatars, chunk, exif, exif_segment, extended, jpeg_with, lossless_webp, png_with, quarters, riff,
};

const XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta><dc:creator>Ay\xc5\x9fe Y\xc4\xb1lmaz</dc:creator></x:xmpmeta>";
const COMMENT: &[u8] = b"taken at home";
/// Any of these gives it away.
const TELLING: [&[u8]; 7] = [b"Exif", b"II*\0", b"ns.adobe.com", b"xmpmeta", b"lmaz", b"at home", b"acsp"];

fn has(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

fn tells(bytes: &[u8]) -> bool {
    TELLING.iter().any(|part| has(bytes, part))
}

#[test]
fn metadata_is_gone() {
    let picture = quarters(300, 300);
    let profile = ColorProfile::new_display_p3().encode().unwrap();
    let jpeg = jpeg_with(&picture, |encoder| {
        encoder.add_app_segment(1, exif_segment(1)).unwrap();
        encoder.add_app_segment(1, XMP.to_vec()).unwrap();
        encoder.add_app_segment(13, COMMENT.to_vec()).unwrap();
        encoder.add_icc_profile(&profile).unwrap();
    });
    let png = png_with(&DynamicImage::from(picture.clone()), |encoder| {
        encoder.set_icc_profile(profile.clone()).unwrap();
        encoder.set_exif_metadata(exif(1)).unwrap();
    });
    let webp = riff(&[
        extended(0x2c, 300, 300),
        chunk(b"ICCP", &profile),
        lossless_webp(&picture)[12..].to_vec(),
        chunk(b"EXIF", &exif(1)),
        chunk(b"XMP ", XMP),
    ]);
    // Another picture stands behind some cameras' pictures.
    let with_trailer = [jpeg.as_slice(), XMP].concat();
    for (what, file) in [("JPEG", jpeg), ("PNG", png), ("WebP", webp), ("with a trailer", with_trailer)] {
        assert!(tells(&file), "{what} told before");
        for variant in avatars(&file).unwrap() {
            assert!(!tells(&variant.content), "{what} as {:?}", variant.format);
            assert_plain(&variant);
        }
    }
}

/// A file has only the parts that its picture needs.
fn assert_plain(variant: &Variant) {
    let content = &variant.content;
    match variant.format {
        Format::Jpeg => {
            // Up to the first scan (ITU T.81, B.1.1): JFIF, tables, frame.
            let mut at = 2;
            loop {
                let [0xff, marker, high, low] = content[at..at + 4] else { panic!("no marker at {at}") };
                assert!(matches!(marker, 0xe0 | 0xdb | 0xc0 | 0xc2 | 0xc4 | 0xda), "marker {marker:x}");
                if marker == 0xda {
                    break;
                }
                at += 2 + usize::from(u16::from_be_bytes([high, low]));
            }
        }
        Format::WebP => {
            let mut at = 12;
            while at < content.len() {
                let name = &content[at..at + 4];
                assert!(matches!(name, b"VP8 " | b"VP8X" | b"ALPH"), "{name:?}");
                let length = u32::from_le_bytes(content[at + 4..at + 8].try_into().unwrap());
                at += 8 + usize::try_from(length.next_multiple_of(2)).unwrap();
            }
        }
        Format::Avif => {
            // Items (ISO 14496-12, 8.11.6): pictures only.
            for kind in [b"mime", b"uri ", b"prof", b"rICC"] {
                assert!(!has(content, kind), "{kind:?}");
            }
        }
    }
}
