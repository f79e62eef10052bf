//! What part of a picture is shown, and in which sizes; pure.

use image::metadata::Orientation;
use serde::{Deserialize, Serialize};

use crate::{
    ImageError,
    preset::{AspectRatio, Preset},
};

/// Whole pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub width: u32,
    pub height: u32,
}

/// A part of a picture, in whole pixels from its upper left corner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Area {
    pub x: u32,
    pub y: u32,
    pub size: Size,
}

/// What must be seen. All numbers are fractions, from 0 to 1, of the width or height of the *upright* picture, as a browser
/// shows it: whoever chooses them sees it in another size than it has, and after it was turned.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[schema(as = ImageCrop)]
pub enum Crop {
    /// As much as the shape allows, with this point as near to the middle as the edges allow.
    FocalPoint { x: f64, y: f64 },
    /// The largest part of this rectangle that has the shape, around its middle.
    Rectangle { x: f64, y: f64, width: f64, height: f64 },
}

impl Default for Crop {
    /// Around the middle.
    fn default() -> Self {
        Self::FocalPoint { x: 0.5, y: 0.5 }
    }
}

/// What fractions may exceed 1 by, as 0.1 + 0.9 may.
const ROUNDING: f64 = 1e-9;

impl Crop {
    /// The part of an upright picture that is shown: within it, never empty, of the shape as nearly as whole pixels allow.
    ///
    /// # Errors
    /// [`ImageError::Crop`] if this is no point or part of the picture.
    pub fn area(self, picture: Size, ratio: Option<AspectRatio>) -> Result<Area, ImageError> {
        let (within, focus) = match self {
            Self::FocalPoint { x, y } => {
                if !(is_fraction(x) && is_fraction(y)) {
                    return Err(ImageError::Crop);
                }
                (Area { x: 0, y: 0, size: picture }, (x, y))
            }
            Self::Rectangle { x, y, width, height } => {
                let (x, width) = span(x, width, picture.width).ok_or(ImageError::Crop)?;
                let (y, height) = span(y, height, picture.height).ok_or(ImageError::Crop)?;
                (Area { x, y, size: Size { width, height } }, (0.5, 0.5))
            }
        };
        let size = ratio.map_or(within.size, |ratio| largest(within.size, ratio));
        Ok(Area {
            x: within.x + offset(within.size.width, size.width, focus.0),
            y: within.y + offset(within.size.height, size.height, focus.1),
            size,
        })
    }
}

fn is_fraction(number: f64) -> bool {
    (0.0..=1.0).contains(&number)
}

/// Where a part begins, and how long it is, in pixels: at least one.
fn span(start: f64, length: f64, pixels: u32) -> Option<(u32, u32)> {
    let end = start + length;
    if !(is_fraction(start) && length > 0.0 && end <= 1.0 + ROUNDING) {
        return None;
    }
    let first = round(start * f64::from(pixels)).min(pixels.saturating_sub(1));
    let last = round(end * f64::from(pixels)).clamp(first + 1, pixels);
    Some((first, last - first))
}

/// The largest size of this shape within another one.
fn largest(within: Size, ratio: AspectRatio) -> Size {
    let width_of_all = scaled(within.height, ratio.width, ratio.height);
    if width_of_all <= within.width {
        Size { width: width_of_all, height: within.height }
    } else {
        Size {
            width: within.width,
            height: scaled(within.width, ratio.height, ratio.width).min(within.height),
        }
    }
}

/// How far from the edge a part begins that has the focus in its middle, if it can.
fn offset(whole: u32, part: u32, focus: f64) -> u32 {
    let start = focus * f64::from(whole) - f64::from(part) / 2.0;
    round(start).min(whole.saturating_sub(part))
}

/// `pixels` times `to` by `from`, rounded, at least 1.
fn scaled(pixels: u32, to: u32, from: u32) -> u32 {
    let (to, from) = (u64::from(to), u64::from(from.max(1)));
    let rounded = (u64::from(pixels) * to * 2 + from) / (from * 2);
    u32::try_from(rounded).unwrap_or(u32::MAX).max(1)
}

/// Below zero it is zero.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
fn round(number: f64) -> u32 {
    number.round() as u32
}

/// The sizes that are made of such a part, the smallest first: those of the preset that it has enough pixels for. In the place
/// of the first that it has too few for, its own size is made; of the others nothing is.
///
/// # Errors
/// [`ImageError::TooSmall`] if it has too few for the smallest.
pub fn sizes(part: Size, preset: Preset) -> Result<Vec<Size>, ImageError> {
    let widths = preset.widths();
    let of_width = |width: u32| match preset.aspect_ratio() {
        Some(ratio) => Size { width, height: scaled(width, ratio.height, ratio.width) },
        None if part.width >= part.height => Size { width, height: scaled(width, part.height, part.width) },
        None => Size { width: scaled(width, part.width, part.height), height: width },
    };
    let fits = |size: &Size| size.width <= part.width && size.height <= part.height;
    let mut sizes: Vec<Size> = widths.into_iter().map(of_width).take_while(fits).collect();
    let Some(largest) = sizes.last() else {
        let [least_width, ..] = widths;
        return Err(ImageError::TooSmall { width: part.width, height: part.height, least_width });
    };
    if sizes.len() < widths.len() && largest.width < part.width && largest.height < part.height {
        sizes.push(part);
    }
    Ok(sizes)
}

impl Area {
    /// The same part of the picture as it is stored: before it is turned upright.
    pub fn before(self, turned: Orientation, upright: Size) -> Self {
        let Self { x, y, size } = self;
        let (right, below) = (upright.width - x - size.width, upright.height - y - size.height);
        let lying = Size { width: size.height, height: size.width };
        let area = |x, y, size| Self { x, y, size };
        match turned {
            Orientation::NoTransforms => self,
            Orientation::FlipHorizontal => area(right, y, size),
            Orientation::Rotate180 => area(right, below, size),
            Orientation::FlipVertical => area(x, below, size),
            Orientation::Rotate90FlipH => area(y, x, lying),
            Orientation::Rotate90 => area(y, right, lying),
            Orientation::Rotate270FlipH => area(below, right, lying),
            Orientation::Rotate270 => area(below, x, lying),
        }
    }
}

/// The size of a picture before it is turned upright, or after.
pub const fn turned(size: Size, by: Orientation) -> Size {
    match by {
        Orientation::Rotate90
        | Orientation::Rotate270
        | Orientation::Rotate90FlipH
        | Orientation::Rotate270FlipH => Size { width: size.height, height: size.width },
        _ => size,
    }
}
