//! Crops of any picture: what always holds.

use akademi_images::{
    Crop, Preset,
    crop::{Area, Size, sizes, turned},
    preset::AspectRatio,
};
use image::{DynamicImage, Rgb, RgbImage, metadata::Orientation};
use proptest::prelude::*;

fn size(most: u32) -> impl Strategy<Value = Size> {
    (1..=most, 1..=most).prop_map(|(width, height)| Size { width, height })
}

fn crop() -> impl Strategy<Value = Crop> {
    let part = || (0.0..0.99_f64, 0.001..=1.0_f64).prop_map(|(start, part)| (start, (1.0 - start) * part));
    prop_oneof![
        (0.0..=1.0_f64, 0.0..=1.0_f64).prop_map(|(x, y)| Crop::FocalPoint { x, y }),
        (part(), part()).prop_map(|((x, width), (y, height))| Crop::Rectangle { x, y, width, height }),
    ]
}

fn ratio() -> impl Strategy<Value = AspectRatio> {
    (1..=20_u32, 1..=20_u32).prop_map(|(width, height)| AspectRatio { width, height })
}

fn orientation() -> impl Strategy<Value = Orientation> {
    (1..=8_u8).prop_map(|tag| Orientation::from_exif(tag).unwrap())
}

fn is_within(area: Area, picture: Size) -> bool {
    let Area { x, y, size } = area;
    size.width > 0 && size.height > 0 && x + size.width <= picture.width && y + size.height <= picture.height
}

proptest! {
    #[test]
    fn a_part_is_within_the_picture(picture in size(20_000), crop in crop(), ratio in proptest::option::of(ratio())) {
        prop_assert!(is_within(crop.area(picture, ratio).unwrap(), picture));
    }

    /// But for what whole pixels do not allow.
    #[test]
    fn a_part_has_the_shape(picture in size(20_000), crop in crop(), ratio in ratio()) {
        let Size { width, height } = crop.area(picture, Some(ratio)).unwrap().size;
        let expected = f64::from(height) * f64::from(ratio.width) / f64::from(ratio.height);
        let pixel = (f64::from(ratio.width) / f64::from(ratio.height)).max(1.0);
        prop_assert!((f64::from(width) - expected).abs() <= pixel, "{width}×{height} is not {ratio:?}");
    }

    /// One more pixel in one direction would not fit.
    #[test]
    fn a_part_is_as_large_as_its_shape_allows(picture in size(20_000), ratio in ratio(), x in 0.0..=1.0_f64) {
        let area = Crop::FocalPoint { x, y: 0.5 }.area(picture, Some(ratio)).unwrap();
        prop_assert!(area.size.width == picture.width || area.size.height == picture.height);
    }

    #[test]
    fn the_focal_point_is_in_the_part_and_in_its_middle_where_the_edges_allow(
        picture in size(20_000), ratio in ratio(), x in 0.0..=1.0_f64, y in 0.0..=1.0_f64
    ) {
        let area = Crop::FocalPoint { x, y }.area(picture, Some(ratio)).unwrap();
        for (start, length, whole, focus) in [
            (area.x, area.size.width, picture.width, x),
            (area.y, area.size.height, picture.height, y),
        ] {
            let (start, length, whole) = (f64::from(start), f64::from(length), f64::from(whole));
            let point = focus * whole;
            prop_assert!(start - 1.0 <= point && point <= start + length + 1.0);
            let is_at_edge = start == 0.0 || start + length == whole;
            prop_assert!(is_at_edge || (start + length / 2.0 - point).abs() <= 0.5 + 1e-6);
        }
    }

    #[test]
    fn sizes_grow_and_are_never_larger_than_the_part(part in size(3000), index in 0..5_usize) {
        let preset = Preset::ALL[index];
        let Ok(sizes) = sizes(part, preset) else { return Ok(()) };
        prop_assert!((1..=3).contains(&sizes.len()));
        for size in &sizes {
            let area = Area { x: 0, y: 0, size: *size };
            prop_assert!(is_within(area, part));
        }
        for pair in sizes.windows(2) {
            prop_assert!(pair[0].width < pair[1].width || pair[0].height < pair[1].height);
        }
    }

    /// Cut and then turned is the same as turned and then cut.
    #[test]
    fn a_part_is_the_same_before_it_is_turned(stored in size(12), by in orientation(), crop in crop()) {
        let number = |x: u32, y: u32| u8::try_from(y * 12 + x).unwrap();
        let stored = DynamicImage::from(RgbImage::from_fn(stored.width, stored.height, |x, y| Rgb([number(x, y); 3])));
        let mut upright = stored.clone();
        upright.apply_orientation(by);
        let whole = Size { width: upright.width(), height: upright.height() };
        prop_assert_eq!(turned(Size { width: stored.width(), height: stored.height() }, by), whole);
        let cut = |picture: &DynamicImage, Area { x, y, size }| picture.crop_imm(x, y, size.width, size.height);
        let area = crop.area(whole, None).unwrap();
        let mut part = cut(&stored, area.before(by, whole));
        part.apply_orientation(by);
        prop_assert_eq!(part, cut(&upright, area));
    }
}
