//! What is shown is what was asked for.

use akademi_images::{Crop, ImageError, Limits, Preset, variants};
use image::{DynamicImage, metadata::Orientation};

use crate::{
    oracle::{assert_near, middle},
    sources::{BLUE, GREEN, RED, YELLOW, exif_segment, jpeg, jpeg_with, quarters},
};

fn rectangle(x: f64, y: f64, width: f64, height: f64) -> Crop {
    Crop::Rectangle { x, y, width, height }
}

#[test]
fn a_rectangle_is_of_the_upright_picture() {
    let upright = quarters(400, 300);
    // As a camera stores it that was held upright: it lies on its side.
    let mut lying = DynamicImage::from(upright.clone());
    lying.apply_orientation(Orientation::Rotate270);
    let lying = jpeg_with(&lying.into_rgb8(), |encoder| encoder.add_app_segment(1, exif_segment(6)).unwrap());
    for (what, file) in [("stored upright", jpeg(&upright)), ("stored on its side", lying)] {
        for (crop, color) in [
            (rectangle(0.0, 0.0, 0.5, 0.5), RED),
            (rectangle(0.5, 0.0, 0.5, 0.5), GREEN),
            (rectangle(0.0, 0.5, 0.5, 0.5), BLUE),
            (rectangle(0.5, 0.5, 0.5, 0.5), YELLOW),
            (rectangle(0.6, 0.1, 0.3, 0.3), GREEN),
        ] {
            let made = variants(&file, Preset::Avatar, crop, &Limits::default()).unwrap();
            for variant in made.into_iter().rev().take(3) {
                assert_near(middle(&variant), color, 10, &format!("{what}, {crop:?}, {:?}", variant.format));
            }
        }
    }
}

#[test]
fn a_focal_point_moves_what_is_shown() {
    let file = jpeg(&quarters(800, 200));
    for (x, color) in [(0.0, RED), (0.2, RED), (0.8, GREEN), (1.0, GREEN)] {
        let crop = Crop::FocalPoint { x, y: 0.0 };
        let made = variants(&file, Preset::Avatar, crop, &Limits::default()).unwrap();
        for variant in made.into_iter().rev().take(3) {
            let pixels = crate::oracle::pixels(&variant);
            let upper = pixels.get_pixel(variant.size.width / 2, variant.size.height / 4).0;
            assert_near(upper, color, 10, &format!("{x}, {:?}", variant.format));
        }
    }
}

#[test]
fn a_crop_outside_of_the_picture_is_refused() {
    let file = jpeg(&quarters(400, 300));
    for crop in [
        Crop::FocalPoint { x: -0.1, y: 0.5 },
        Crop::FocalPoint { x: 0.5, y: 1.1 },
        Crop::FocalPoint { x: f64::NAN, y: 0.5 },
        rectangle(0.0, 0.0, 0.0, 1.0),
        rectangle(0.0, 0.0, 1.0, -1.0),
        rectangle(0.5, 0.0, 0.6, 1.0),
        rectangle(-0.1, 0.0, 0.5, 1.0),
        rectangle(0.0, 0.0, f64::INFINITY, 1.0),
        rectangle(f64::NAN, 0.0, 1.0, 1.0),
    ] {
        let made = variants(&file, Preset::Avatar, crop, &Limits::default());
        assert_eq!(made, Err(ImageError::Crop), "{crop:?}");
    }
    let tiny = variants(&file, Preset::Avatar, rectangle(0.0, 0.0, 0.1, 0.1), &Limits::default());
    assert_eq!(tiny, Err(ImageError::TooSmall { width: 30, height: 30, least_width: 64 }));
}

#[test]
fn a_crop_is_read_as_it_is_documented() {
    let read = |text| serde_json::from_str::<Crop>(text).ok();
    let focal = r#"{"focal_point":{"x":0.25,"y":1}}"#;
    assert_eq!(read(focal), Some(Crop::FocalPoint { x: 0.25, y: 1.0 }));
    let part = r#"{"rectangle":{"x":0,"y":0,"width":0.5,"height":1}}"#;
    assert_eq!(read(part), Some(rectangle(0.0, 0.0, 0.5, 1.0)));
    for other in
        [r#"{"focal_point":{"x":0.25}}"#, r#"{"focal_point":{"x":0,"y":0,"z":0}}"#, r#"{"x":0,"y":0}"#]
    {
        assert_eq!(read(other), None, "{other}");
    }
}
