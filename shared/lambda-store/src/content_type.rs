//! What kind of file an object is: a media type (RFC 6838), as HTTP writes it.

use std::{fmt, str::FromStr};

/// Of what a browser may run scripts.
const ACTIVE: [&str; 5] =
    ["text/html", "image/svg+xml", "application/xhtml+xml", "text/xml", "application/xml"];

/// Text that is no media type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a media type")]
pub struct InvalidContentType;

/// A media type with its parameters, for example `text/vtt; charset=utf-8`: visible ASCII and spaces, so that it can stand
/// in a header and in a signed text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ContentType(String);

impl ContentType {
    /// `application/octet-stream`: bytes of which nothing is known.
    pub fn unknown() -> Self {
        Self("application/octet-stream".into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a browser may run scripts of such a file.
    pub fn is_active(&self) -> bool {
        let essence = self.0.split(';').next().unwrap_or_default().trim();
        ACTIVE.iter().any(|active| active.eq_ignore_ascii_case(essence))
    }
}

impl fmt::Display for ContentType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ContentType {
    type Err = InvalidContentType;

    fn from_str(text: &str) -> Result<Self, InvalidContentType> {
        let essence = text.split(';').next().unwrap_or_default().trim_end();
        let token = |name: &str| {
            // RFC 9110 §5.6.2
            !name.is_empty()
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
        };
        let named = essence.split_once('/').is_some_and(|(kind, subtype)| token(kind) && token(subtype));
        let visible = text.len() <= 255 && text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        if named && visible { Ok(Self(text.to_owned())) } else { Err(InvalidContentType) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_stand_in_a_header_is_a_media_type() {
        for text in ["video/mp4", "text/vtt; charset=utf-8", "image/svg+xml"] {
            assert_eq!(text.parse::<ContentType>().unwrap().as_str(), text);
        }
        for text in ["", "mp4", "video/", "/mp4", "video/mp4\r\nX-Evil: 1", "video /mp4", "vidéo/mp4"] {
            assert_eq!(text.parse::<ContentType>(), Err(InvalidContentType), "{text:?}");
        }
    }

    #[test]
    fn pages_and_drawings_may_run_scripts() {
        for (text, is_active) in [
            ("text/html; charset=utf-8", true),
            ("IMAGE/SVG+XML", true),
            ("image/png", false),
            ("text/css", false),
        ] {
            assert_eq!(text.parse::<ContentType>().unwrap().is_active(), is_active, "{text}");
        }
    }
}
