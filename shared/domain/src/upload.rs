//! Files that staff send: what kinds there are, how large each may be, and the parts that they are sent in.

use serde::{Deserialize, Serialize};
use std::{ops::Range, str::FromStr};

use crate::text::InvalidForm;

const MEBIBYTE: u64 = 1 << 20;
/// How large the parts of a new upload are, in bytes; the last one is what is left.
pub const PART_BYTES: u64 = 16 * MEBIBYTE;

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileKind {
    /// PDF, DOCX, XLSX, PPTX.
    Document,
    Image,
    Audio,
    Video,
}

impl FileKind {
    pub const ALL: [Self; 4] = [Self::Document, Self::Image, Self::Audio, Self::Video];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Document => "document",
            Self::Image => "image",
            Self::Audio => "audio",
            Self::Video => "video",
        }
    }

    /// The largest file, in bytes.
    pub const fn max_bytes(self) -> u64 {
        match self {
            Self::Document => 5 * MEBIBYTE,
            Self::Image => 20 * MEBIBYTE,
            Self::Audio => 512 * MEBIBYTE,
            Self::Video => 20 * 1024 * MEBIBYTE,
        }
    }

    /// The media types that a file of this kind may have. None of them runs a script in a browser, and all images among them can be
    /// cropped.
    pub const fn content_types(self) -> &'static [&'static str] {
        match self {
            Self::Document => &[
                "application/pdf",
                "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
                "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
                "application/vnd.openxmlformats-officedocument.presentationml.presentation",
            ],
            Self::Image => &["image/jpeg", "image/png", "image/gif", "image/webp"],
            Self::Audio => &[
                "audio/mpeg",
                "audio/m4a",
                "audio/ogg",
                "audio/opus",
                "audio/x-flac",
                "audio/x-wav",
                "audio/aac",
            ],
            Self::Video => &[
                "video/mp4",
                "video/x-m4v",
                "video/webm",
                "video/x-matroska",
                "video/quicktime",
                "video/x-msvideo",
            ],
        }
    }
}

impl FromStr for FileKind {
    type Err = InvalidForm;

    fn from_str(name: &str) -> Result<Self, InvalidForm> {
        let kind = Self::ALL.into_iter().find(|kind| kind.name() == name);
        kind.ok_or(InvalidForm("is no kind of file"))
    }
}

/// How a file is cut: parts of one size, numbered from 1, of which the last may be smaller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts {
    bytes: u64,
    part_bytes: u64,
}

impl Parts {
    /// Of a file of `bytes`, in parts of `part_bytes`, which are at least 1.
    pub const fn new(bytes: u64, part_bytes: u64) -> Self {
        Self { bytes, part_bytes: if part_bytes == 0 { 1 } else { part_bytes } }
    }

    pub const fn bytes(self) -> u64 {
        self.bytes
    }

    pub const fn part_bytes(self) -> u64 {
        self.part_bytes
    }

    pub const fn count(self) -> u64 {
        self.bytes.div_ceil(self.part_bytes)
    }

    /// The bytes of a part; `None` if there is no part of this number.
    pub const fn size(self, number: u64) -> Option<u64> {
        if number == 0 || number > self.count() {
            return None;
        }
        let left = self.bytes - (number - 1) * self.part_bytes;
        Some(if left < self.part_bytes { left } else { self.part_bytes })
    }

    /// Where a range of the file lies, cut at its end: ranges of parts, in order, none of them empty.
    pub fn pieces(self, range: Range<u64>) -> impl Iterator<Item = (u64, Range<u64>)> {
        let end = range.end.min(self.bytes);
        let mut at = range.start;
        std::iter::from_fn(move || {
            if at >= end {
                return None;
            }
            let before = at / self.part_bytes;
            let begins = before * self.part_bytes;
            let until = (end - begins).min(self.part_bytes);
            let piece = (before + 1, at - begins..until);
            at = begins + until;
            Some(piece)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn kinds_are_read_by_their_names_and_the_largest_has_some_thousand_parts() {
        for kind in FileKind::ALL {
            assert_eq!(kind.name().parse(), Ok(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
            assert!(Parts::new(kind.max_bytes(), PART_BYTES).count() <= 10_000);
        }
        assert!("folder".parse::<FileKind>().is_err());
    }

    proptest! {
        #[test]
        fn parts_are_of_one_size_but_the_last_and_make_the_file(bytes in 1u64..10_000, part_bytes in 1u64..500) {
            let parts = Parts::new(bytes, part_bytes);
            let sizes: Vec<u64> = (1..=parts.count()).map(|number| parts.size(number).unwrap()).collect();
            prop_assert_eq!(sizes.iter().sum::<u64>(), bytes);
            let (last, others) = sizes.split_last().unwrap();
            prop_assert!((1..=part_bytes).contains(last) && others.iter().all(|size| *size == part_bytes));
            prop_assert_eq!((parts.size(0), parts.size(parts.count() + 1)), (None, None));
        }

        #[test]
        fn pieces_are_the_range_and_nothing_twice(
            bytes in 0u64..10_000, part_bytes in 1u64..500, from in 0u64..11_000, length in 0u64..11_000,
        ) {
            let parts = Parts::new(bytes, part_bytes);
            let mut at = from;
            for (number, piece) in parts.pieces(from..from + length) {
                prop_assert!(!piece.is_empty() && piece.end <= parts.size(number).unwrap());
                prop_assert_eq!((number - 1) * part_bytes + piece.start, at);
                at += piece.end - piece.start;
            }
            prop_assert_eq!(at, if from >= bytes { from } else { bytes.min(from + length) });
        }
    }
}
