//! The files of the folder `static`: which become assets, and how the blocks of a course refer to them.

use std::collections::{BTreeMap, BTreeSet};

use crate::{archive::Archive, content_type::content_type_of, subtitles::webvtt_from_srt};

/// What becomes of one static file.
pub(crate) enum Fate {
    Asset {
        content_type: &'static str,
    },
    /// A subtitle file; the asset `asset` holds it as WebVTT.
    Subtitles {
        asset: String,
        webvtt: String,
    },
    Skipped {
        reason: &'static str,
    },
}

/// The static files of an archive by their path below `static`.
pub(crate) struct Statics {
    fates: BTreeMap<String, Fate>,
    /// Path by name as references write it.
    by_reference: BTreeMap<String, String>,
}

impl Statics {
    pub fn of(archive: &Archive) -> Self {
        let names: BTreeSet<&str> = archive.statics().map(|(path, _)| path).collect();
        let mut fates = BTreeMap::new();
        let mut by_reference: BTreeMap<String, String> = BTreeMap::new();
        for (path, bytes) in archive.statics() {
            fates.insert(path.to_owned(), fate(path, bytes, &names));
            by_reference.entry(cleaned(path)).or_insert_with(|| path.to_owned());
        }
        Self { fates, by_reference }
    }

    pub fn fates(&self) -> &BTreeMap<String, Fate> {
        &self.fates
    }

    /// The file that a name means: as it is, or as Studio writes names in references.
    pub fn find(&self, name: &str) -> Option<&str> {
        let path = match self.fates.get_key_value(name) {
            Some((path, _)) => path,
            None => self.by_reference.get(&cleaned(name))?,
        };
        Some(path)
    }

    /// The asset that a URL of a block means, or `None` if it means none that is served.
    pub fn asset(&self, url: &str) -> Option<&str> {
        let path = self.find(&static_name(url)?)?;
        matches!(self.fates.get(path), Some(Fate::Asset { .. })).then_some(path)
    }

    pub fn content_type(&self, path: &str) -> Option<&'static str> {
        match self.fates.get(path) {
            Some(Fate::Asset { content_type }) => Some(content_type),
            Some(Fate::Subtitles { .. } | Fate::Skipped { .. }) | None => None,
        }
    }

    /// The PDF files that the source of a block refers to in any way, each once, in order.
    pub fn documents_in(&self, source: &str) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        let starts = ["/static/", "/asset-v1:", "/c4x/"];
        let mut places: Vec<usize> =
            starts.iter().flat_map(|start| source.match_indices(start).map(|(at, _)| at)).collect();
        places.sort_unstable();
        for at in places {
            let url = source.get(at..).unwrap_or_default();
            let end = url.find(['"', '\'', '<', '>', '\\', '\n', ')', '&']).unwrap_or(url.len());
            if let Some(path) = self.asset(url.get(..end).unwrap_or_default())
                && self.content_type(path) == Some("application/pdf")
                && !found.iter().any(|known| known == path)
            {
                found.push(path.to_owned());
            }
        }
        found
    }
}

fn fate(path: &str, bytes: &[u8], names: &BTreeSet<&str>) -> Fate {
    let extension =
        path.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase()).unwrap_or_default();
    if extension == "srt" {
        let Ok(text) = std::str::from_utf8(bytes) else {
            return Fate::Skipped { reason: "subtitles that are not UTF-8" };
        };
        let Ok(webvtt) = webvtt_from_srt(text) else {
            return Fate::Skipped { reason: "subtitles without a cue" };
        };
        let beside = format!("{}.vtt", path.get(..path.len() - 4).unwrap_or(path));
        let asset = if names.contains(beside.as_str()) { format!("{path}.vtt") } else { beside };
        return Fate::Subtitles { asset, webvtt };
    }
    let content_type = content_type_of(bytes);
    if content_type == "text/html"
        || ["html", "htm", "xhtml", "js", "mjs", "css"].contains(&extension.as_str())
    {
        return Fate::Skipped { reason: "pages, scripts and style sheets of a course are not served" };
    }
    Fate::Asset { content_type }
}

/// The file name in a URL as the blocks of a course write it: `/static/NAME`, `static/NAME`,
/// `/asset-v1:…@NAME` or `/c4x/ORG/COURSE/asset/NAME`.
fn static_name(url: &str) -> Option<String> {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let name = if let Some(name) = url.strip_prefix("/static/").or_else(|| url.strip_prefix("static/")) {
        name
    } else if let Some(key) = url.strip_prefix("/asset-v1:") {
        key.rsplit_once('@')?.1
    } else {
        url.strip_prefix("/c4x/")?.split_once("/asset/")?.1
    };
    Some(percent_decoded(name))
}

/// A name as Studio writes it in references (`clean_keeping_underscores` of Open edX): what is no letter,
/// digit, `_`, `.`, `-` or `%` is one underscore.
fn cleaned(name: &str) -> String {
    let mut cleaned = String::with_capacity(name.len());
    for letter in name.chars() {
        let letter = if letter.is_alphanumeric() || "_.-%".contains(letter) { letter } else { '_' };
        if letter != '_' || !cleaned.ends_with('_') {
            cleaned.push(letter);
        }
    }
    cleaned
}

/// RFC 3986 §2.1; what is not valid stays as it is.
pub(crate) fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = |byte: &u8| char::from(*byte).to_digit(16);
        let decoded = match (first, after) {
            (b'%', [high, low, ..]) => hex(high).zip(hex(low)).map(|(high, low)| high * 16 + low),
            _ => None,
        };
        match decoded.and_then(|byte| u8::try_from(byte).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

/// RFC 3986 §2.3: everything but unreserved characters and `/` as `%XX`.
pub(crate) fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}
