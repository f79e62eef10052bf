//! Pictures as pages show them.

use serde::{Deserialize, Serialize};

use crate::text::{InvalidForm, text_type};

/// What a name has before its extension: a SHA-256 in lower-case hex.
const DIGEST_LETTERS: usize = 64;
/// The extensions of names, and the media types that they stand for.
const TYPES: [(&str, &str); 3] = [("avif", "image/avif"), ("webp", "image/webp"), ("jpg", "image/jpeg")];

text_type! {
    /// The name of a picture's file: the SHA-256 of its content in lower-case hex, and its extension. It never means another
    /// content.
    PictureName, InvalidForm, |text| {
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let well_formed = text.split_once('.').is_some_and(|(digest, extension)| {
            digest.len() == DIGEST_LETTERS
                && digest.bytes().all(is_hex)
                && TYPES.iter().any(|(known, _)| *known == extension)
        });
        if well_formed { Ok(text.to_owned()) } else { Err(InvalidForm("is not the name of a picture")) }
    }
}

impl PictureName {
    /// Its media type.
    pub fn content_type(&self) -> &'static str {
        let found = TYPES.iter().find(|(extension, _)| self.0.ends_with(extension));
        found.map_or("application/octet-stream", |(_, content_type)| content_type)
    }

    /// Its path on the academy's host.
    pub fn path(&self) -> String {
        format!("/api/v1/pictures/{self}")
    }
}

/// A picture in one size and format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PictureFile {
    /// A path of the academy's host. It never means another content.
    pub url: String,
    /// In pixels, as the height.
    pub width: u32,
    pub height: u32,
    /// Its media type: AVIF, WebP or JPEG.
    pub content_type: String,
    /// Its size in bytes.
    pub bytes: u64,
}

impl PictureFile {
    pub fn new(name: &PictureName, (width, height): (u32, u32), bytes: u64) -> Self {
        Self { url: name.path(), width, height, content_type: name.content_type().to_owned(), bytes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_digest_and_one_of_three_extensions() {
        let digest = "0123456789abcdef".repeat(4);
        for (extension, content_type) in TYPES {
            let name: PictureName = format!("{digest}.{extension}").parse().unwrap();
            assert_eq!(name.content_type(), content_type);
            assert_eq!(name.path(), format!("/api/v1/pictures/{digest}.{extension}"));
        }
        let (upper, short) = (digest.to_uppercase(), &digest[1..]);
        for bad in [
            "",
            ".",
            &digest,
            &format!("{digest}."),
            &format!("{digest}.png"),
            &format!("{digest}.jpg.jpg"),
            &format!("{upper}.jpg"),
            &format!("{short}.jpg"),
            &format!("../{}.jpg", &digest[3..]),
            &format!("{}ğ.jpg", &digest[2..]),
        ] {
            assert!(bad.parse::<PictureName>().is_err(), "{bad}");
        }
    }
}
