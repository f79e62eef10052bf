//! A QR code (ISO/IEC 18004) as vectors.

use std::fmt::Write;

use qrcode::{Color, EcLevel, QrCode};

/// Modules of white around the code that ISO/IEC 18004 asks for.
const QUIET_ZONE: usize = 4;

/// The code of `text` as an SVG of one path, one unit per module, with its quiet zone; error correction level M.
/// `None` if the text is longer than a code can hold.
pub fn svg(text: &str) -> Option<String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    let width = code.width();
    let side = width + 2 * QUIET_ZONE;
    let mut path = String::with_capacity(width * width * 6);
    for (y, row) in code.to_colors().chunks(width).enumerate() {
        let mut x = 0;
        for run in row.chunk_by(|left, right| left == right) {
            if run.first() == Some(&Color::Dark) {
                // A run of dark modules is one bar: drawn one by one, seams would show between them.
                write!(path, "M{} {}h{}v1h-{}z", x + QUIET_ZONE, y + QUIET_ZONE, run.len(), run.len())
                    .ok()?;
            }
            x += run.len();
        }
    }
    Some(format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{side}" height="{side}" viewBox="0 0 {side} {side}"><path fill="#000" d="{path}"/></svg>"##
    ))
}
