//! A QR code (ISO/IEC 18004) as vectors.

use std::fmt::Write;

use qrcode::bits::encode_auto;
use qrcode::canvas::{Canvas, MaskPattern};
use qrcode::ec::construct_codewords;
use qrcode::{Color, EcLevel};

/// Modules of white around the code that ISO/IEC 18004 asks for.
const QUIET_ZONE: usize = 4;

/// The code of `text` as an SVG of one path, one unit per module, with its quiet zone; error correction level M.
/// `None` if the text is longer than a code can hold.
pub fn svg(text: &str) -> Option<String> {
    let modules = modules(text)?;
    let width = modules.len().isqrt();
    let side = width + 2 * QUIET_ZONE;
    let mut path = String::with_capacity(width * width * 4);
    for (y, row) in modules.chunks(width).enumerate() {
        let mut x = QUIET_ZONE;
        for run in row.chunk_by(|left, right| left == right) {
            if run.first() == Some(&Color::Dark) {
                // A run of dark modules is one stroke, one unit thick: half the operators of a rectangle.
                write!(path, "M{x} {}.5h{}", y + QUIET_ZONE, run.len()).ok()?;
            }
            x += run.len();
        }
    }
    Some(format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{side}" height="{side}" viewBox="0 0 {side} {side}"><path fill="none" stroke="#000" stroke-width="1" d="{path}"/></svg>"##
    ))
}

/// The modules of the smallest code that holds `text`, row by row.
fn modules(text: &str) -> Option<Vec<Color>> {
    let bits = encode_auto(text.as_bytes(), EcLevel::M).ok()?;
    let version = bits.version();
    let (data, correction) = construct_codewords(&bits.into_bytes(), version, EcLevel::M).ok()?;
    let mut canvas = Canvas::new(version, EcLevel::M);
    canvas.draw_all_functional_patterns();
    canvas.draw_data(&data, &correction);
    // The code names its mask, so a reader takes any of the eight. Scoring all of them for the most even one is an
    // eighth of the whole certificate's time.
    canvas.apply_mask(MaskPattern::Checkerboard);
    Some(canvas.into_colors())
}
