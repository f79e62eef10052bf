//! Whatever a file is, its colours are what is seen.

use akademi_images::{Crop, Format, Limits, Preset, crop::Size, variants};
use image::{
    DynamicImage, GrayAlphaImage, GrayImage, ImageEncoder, RgbImage, RgbaImage, metadata::Orientation,
};
use jpeg_encoder::ColorType;
use moxcms::ColorProfile;

use crate::{
    oracle::{assert_near, assert_quarters, middle, opacity, pixels},
    sources::{
        COLORS, animated_webp, avatars, chunk, exif, exif_segment, extended, gif, grey, jpeg, jpeg_of,
        jpeg_with, lossless_webp, png, png_with, quarters, riff, webp,
    },
};

#[test]
fn every_kind_of_file_shows_its_colors() {
    let picture = quarters(300, 260);
    let wide = DynamicImage::from(picture.clone());
    let other = RgbImage::from_pixel(300, 260, [0, 0, 0].into());
    for (what, file) in [
        ("JPEG", jpeg(&picture)),
        ("progressive JPEG", jpeg_with(&picture, |encoder| encoder.set_progressive(true))),
        ("JPEG with restarts", jpeg_with(&picture, |encoder| encoder.set_restart_interval(4))),
        ("PNG", png(&wide)),
        ("PNG of 16 bits", png(&wide.to_rgb16().into())),
        ("PNG with opaque transparency", png(&wide.to_rgba8().into())),
        ("GIF, whose pixels are of a palette", gif(std::slice::from_ref(&picture))),
        ("animated GIF", gif(&[picture.clone(), other.clone()])),
        ("animated WebP", animated_webp(&[picture.clone(), other])),
        ("WebP", webp(&picture)),
        ("lossless WebP", lossless_webp(&picture)),
    ] {
        assert_quarters(&avatars(&file).unwrap(), COLORS, what);
    }
}

#[test]
fn grey_pictures_stay_grey() {
    let picture = grey(&quarters(260, 260));
    let expected =
        [(60, 60), (200, 60), (60, 200), (200, 200)].map(|(x, y)| [picture.get_pixel(x, y).0[0]; 3]);
    let whole = DynamicImage::from(picture.clone());
    let transparent = GrayAlphaImage::from_fn(260, 260, |x, y| [picture.get_pixel(x, y).0[0], 255].into());
    for (what, file) in [
        ("JPEG", jpeg_of(&picture, (260, 260), ColorType::Luma, |_| ())),
        ("PNG", png(&whole)),
        ("PNG of 16 bits", png(&whole.to_luma16().into())),
        ("PNG with transparency", png(&transparent.into())),
    ] {
        assert_quarters(&avatars(&file).unwrap(), expected, what);
    }
}

/// What is printed, inverted as Adobe's programs write it: without black, it is what is missing of each colour.
#[test]
fn cmyk_is_brought_to_rgb() {
    let picture = quarters(260, 260);
    let printed: Vec<u8> = picture
        .pixels()
        .flat_map(|pixel| [255 - pixel.0[0], 255 - pixel.0[1], 255 - pixel.0[2], 0])
        .collect();
    for color in [ColorType::Cmyk, ColorType::CmykAsYcck] {
        let file = jpeg_of(&printed, (260, 260), color, |_| ());
        assert_quarters(&avatars(&file).unwrap(), COLORS, &format!("{color:?}"));
    }
}

#[test]
fn a_palette_with_transparency_keeps_it() {
    // Two colours, of which one is transparent.
    let mut file = Vec::new();
    let mut encoder = ::png::Encoder::new(&mut file, 64, 64);
    encoder.set_color(::png::ColorType::Indexed);
    encoder.set_depth(::png::BitDepth::One);
    encoder.set_palette(vec![200, 30, 40, 30, 60, 200]);
    encoder.set_trns(vec![0, 255]);
    encoder.write_header().unwrap().write_image_data(&[0b0000_1111; 64 * 8]).unwrap();
    let variants = avatars(&file).unwrap();
    let webp = variants.iter().find(|variant| variant.format == Format::WebP).unwrap();
    let row: Vec<u8> = opacity(webp).into_iter().take(8).collect();
    assert_eq!(row, [0, 0, 0, 0, 255, 255, 255, 255]);
}

#[test]
fn transparency_is_kept_and_white_in_jpeg() {
    let half = RgbaImage::from_fn(256, 256, |x, _| {
        if x < 128 { [200, 30, 40, 0] } else { [30, 60, 200, 255] }.into()
    });
    for variant in avatars(&png(&half.into())).unwrap() {
        let (seen, opacity) = (pixels(&variant), opacity(&variant));
        let (width, format) = (variant.size.width, variant.format);
        let [left, right] = [width / 4, width * 3 / 4];
        assert_near(seen.get_pixel(right, right).0, [30, 60, 200], 10, &format!("{format:?}"));
        let at = |x: u32| opacity[(width * width / 2 + x) as usize];
        assert!(at(right) >= 253, "{format:?}: {}", at(right));
        if format == Format::Jpeg {
            assert_near(seen.get_pixel(left, left).0, [255, 255, 255], 3, "behind it");
        } else {
            assert!(at(left) <= 2, "{format:?}: {}", at(left));
        }
    }
}

/// What is transparent has a colour too, which must not be seen at the edge.
#[test]
fn the_colors_of_what_is_transparent_do_not_bleed() {
    let half =
        RgbaImage::from_fn(1024, 1024, |x, _| if x < 510 { [0, 255, 0, 0] } else { [255, 0, 0, 255] }.into());
    for variant in avatars(&png(&half.into())).unwrap() {
        if variant.format == Format::Jpeg {
            continue;
        }
        let (seen, opacity) = (pixels(&variant), opacity(&variant));
        for (pixel, opacity) in seen.pixels().zip(opacity) {
            assert!(opacity < 100 || pixel.0[1] < 90, "{:?}: {pixel:?} {opacity}", variant.format);
        }
    }
}

/// (200, 100, 50) in Display P3 is (215, 93, 31) in sRGB (CSS Color 4, sections 10 and 19).
#[test]
fn colors_of_a_profile_become_srgb() {
    let picture = RgbImage::from_pixel(256, 256, [200, 100, 50].into());
    let p3 = ColorProfile::new_display_p3().encode().unwrap();
    let with_alpha = DynamicImage::from(DynamicImage::from(picture.clone()).into_rgba8());
    let lossless = lossless_webp(&picture)[12..].to_vec();
    for (what, file, expected) in [
        ("without", jpeg(&picture), [200, 100, 50]),
        ("JPEG", jpeg_with(&picture, |encoder| encoder.add_icc_profile(&p3).unwrap()), P3_IN_SRGB),
        (
            "PNG",
            png_with(&picture.clone().into(), |encoder| encoder.set_icc_profile(p3.clone()).unwrap()),
            P3_IN_SRGB,
        ),
        (
            "PNG with transparency",
            png_with(&with_alpha, |encoder| encoder.set_icc_profile(p3.clone()).unwrap()),
            P3_IN_SRGB,
        ),
        ("WebP", riff(&[extended(0x20, 256, 256), chunk(b"ICCP", &p3), lossless]), P3_IN_SRGB),
        (
            "damaged profile",
            jpeg_with(&picture, |encoder| encoder.add_icc_profile(&p3[..p3.len() / 2]).unwrap()),
            [200, 100, 50],
        ),
    ] {
        for variant in avatars(&file).unwrap() {
            assert_near(middle(&variant), expected, 5, &format!("{what}, {:?}", variant.format));
        }
    }
}

const P3_IN_SRGB: [u8; 3] = [215, 93, 31];

/// Of linear grey, 64 of 255 is 137 in sRGB (IEC 61966-2-1).
#[test]
fn a_grey_profile_becomes_srgb() {
    let profile = ColorProfile::new_gray_with_gamma(1.0).encode().unwrap();
    let picture = DynamicImage::from(GrayImage::from_pixel(64, 64, [64].into()));
    let with_alpha = DynamicImage::from(picture.to_luma_alpha8());
    for picture in [picture, with_alpha] {
        let file = png_with(&picture, |encoder| encoder.set_icc_profile(profile.clone()).unwrap());
        for variant in avatars(&file).unwrap() {
            assert_near(middle(&variant), [137; 3], 3, &format!("{:?}", variant.format));
        }
    }
}

/// As it was held when it was taken: all eight ways, in each kind of file that can say so.
#[test]
fn pictures_are_turned_upright() {
    let upright = DynamicImage::from(quarters(300, 260));
    for orientation in 1..=8_u8 {
        let turn = Orientation::from_exif(orientation).unwrap();
        // Back again: only a quarter of a turn has another one as its opposite.
        let back = match orientation {
            6 => 8,
            8 => 6,
            same => same,
        };
        let mut stored = upright.clone();
        stored.apply_orientation(Orientation::from_exif(back).unwrap());
        let mut again = stored.clone();
        again.apply_orientation(turn);
        assert_eq!(again, upright);
        let stored = stored.into_rgb8();
        let tags = exif(orientation.into());
        let lossless = lossless_webp(&stored)[12..].to_vec();
        for (what, file) in [
            (
                "JPEG",
                jpeg_with(&stored, |encoder| {
                    encoder.add_app_segment(1, exif_segment(orientation.into())).unwrap()
                }),
            ),
            (
                "PNG",
                png_with(&stored.clone().into(), |encoder| encoder.set_exif_metadata(tags.clone()).unwrap()),
            ),
            (
                "WebP",
                riff(&[extended(0x08, stored.width(), stored.height()), lossless, chunk(b"EXIF", &tags)]),
            ),
        ] {
            let made = variants(&file, Preset::CertificateLogo, Crop::default(), &Limits::default()).unwrap();
            assert_quarters(&made, COLORS, &format!("{what}, orientation {orientation}"));
            assert_eq!(made.last().unwrap().size, Size { width: 300, height: 260 });
        }
    }
}
