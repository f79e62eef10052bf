//! Which kind of file this is, by its content.

/// How much of a text is looked at.
const HEAD: usize = 4096;

/// The media type (RFC 6838) of a file. Names do not count: whoever sends a file chooses its name.
/// What is not known is `text/plain` if it is UTF-8 without control characters, else
/// `application/octet-stream`.
pub fn content_type_of(bytes: &[u8]) -> &'static str {
    // `infer` finds mark-up by its first tag only; it is decided below, with SVG.
    if let Some(kind) = infer::get(bytes).filter(|kind| !matches!(kind.mime_type(), "text/html" | "text/xml"))
    {
        return kind.mime_type();
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        return "application/octet-stream";
    };
    if text.chars().any(|letter| letter.is_control() && !matches!(letter, '\n' | '\r' | '\t' | '\u{c}')) {
        return "application/octet-stream";
    }
    let start = text.trim_start_matches('\u{feff}').trim_start();
    let head: String = start.chars().take(HEAD).collect::<String>().to_ascii_lowercase();
    if start.starts_with("WEBVTT") {
        "text/vtt"
    } else if ["<!doctype html", "<html", "<head", "<body", "<script", "<iframe"]
        .iter()
        .any(|tag| head.contains(tag))
    {
        "text/html"
    } else if head.starts_with('<') && head.contains("<svg") {
        "image/svg+xml"
    } else {
        "text/plain"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_decides_and_not_the_name() {
        for (bytes, expected) in [
            (&b"%PDF-1.4\n"[..], "application/pdf"),
            (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "image/png"),
            (b"\xff\xd8\xff\xe0\0\x10JFIF", "image/jpeg"),
            (b"GIF89a\x01\0", "image/gif"),
            (b"WEBVTT\n\n", "text/vtt"),
            (
                b"<?xml version=\"1.0\"?>\n<!-- x --><svg xmlns=\"http://www.w3.org/2000/svg\"/>",
                "image/svg+xml",
            ),
            (b"<svg><script>alert(1)</script></svg>", "text/html"),
            (b"  <!DOCTYPE html><p>x", "text/html"),
            (b"var a = 1;", "text/plain"),
            ("Işık".as_bytes(), "text/plain"),
            (b"a\0b", "application/octet-stream"),
            (b"\xfe\xff", "application/octet-stream"),
            (b"", "text/plain"),
        ] {
            assert_eq!(content_type_of(bytes), expected, "{:?}", String::from_utf8_lossy(bytes));
        }
    }
}
