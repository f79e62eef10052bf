//! Video blocks: a YouTube id, or a file of the archive, with its subtitles.

use roxmltree::Node;
use std::collections::BTreeMap;

use akademi_domain::course::{Language, YoutubeId};

use crate::{
    ImportError, Subtitles, Video, VideoSource,
    statics::{Fate, Statics, percent_decoded},
    xml::{self, elements, filled},
};

/// A video block as a lesson, or the reason why it stays as it is.
pub(crate) enum Converted {
    Video { video: Video, notes: Vec<String> },
    Raw { reason: String },
}

pub(crate) fn convert(path: &str, source: &str, statics: &Statics) -> Result<Converted, ImportError> {
    let document = xml::parse(path, source)?;
    let node = document.root_element();
    let source = match youtube_id(node) {
        Some(id) => VideoSource::Youtube(id),
        None => match file(node, statics) {
            Ok(asset) => VideoSource::Asset(asset),
            Err(reason) => return Ok(Converted::Raw { reason }),
        },
    };
    let mut notes = Vec::new();
    let subtitles = subtitles(path, node, statics, &mut notes)?;
    let start_seconds = filled(node, "start_time").and_then(seconds).filter(|start| *start > 0);
    let end_seconds =
        filled(node, "end_time").and_then(seconds).filter(|end| *end > start_seconds.unwrap_or_default());
    Ok(Converted::Video { video: Video { source, start_seconds, end_seconds, subtitles }, notes })
}

/// The id for normal speed: `youtube_id_1_0`, or `youtube="0.75:…,1.00:ID"`.
fn youtube_id(node: Node<'_, '_>) -> Option<YoutubeId> {
    filled(node, "youtube_id_1_0")
        .or_else(|| {
            let speeds = filled(node, "youtube")?.split(',').filter_map(|speed| speed.split_once(':'));
            speeds.into_iter().find(|(speed, _)| speed.trim().starts_with("1.0")).map(|(_, id)| id.trim())
        })
        .and_then(|id| id.parse().ok())
}

/// The static file of the archive that one of the block's source URLs names.
fn file(node: Node<'_, '_>, statics: &Statics) -> Result<String, String> {
    let listed: Vec<String> =
        filled(node, "html5_sources").and_then(|list| serde_json::from_str(list).ok()).unwrap_or_default();
    let written =
        elements(node).filter(|child| child.has_tag_name("source")).filter_map(|child| filled(child, "src"));
    let urls: Vec<&str> =
        written.chain(filled(node, "source")).chain(listed.iter().map(String::as_str)).collect();
    let named = urls.iter().find_map(|url| {
        let path = statics.asset(url).or_else(|| {
            let name = url.split(['?', '#']).next()?.rsplit('/').next()?;
            statics.find(&percent_decoded(name))
        })?;
        statics.content_type(path).is_some_and(|kind| kind.starts_with("video/")).then(|| path.to_owned())
    });
    named.ok_or_else(|| match urls.first() {
        Some(url) => format!("its video {url:?} is neither at YouTube nor in the archive"),
        None => "it names no video".to_owned(),
    })
}

/// The subtitles that the block lists; a listed file that is missing breaks the archive.
fn subtitles(
    path: &str,
    node: Node<'_, '_>,
    statics: &Statics,
    notes: &mut Vec<String>,
) -> Result<Vec<Subtitles>, ImportError> {
    let mut files: BTreeMap<String, String> =
        filled(node, "transcripts").and_then(|list| serde_json::from_str(list).ok()).unwrap_or_default();
    for child in elements(node).filter(|child| child.has_tag_name("transcript")) {
        if let (Some(language), Some(file)) = (filled(child, "language"), filled(child, "src")) {
            files.insert(language.to_owned(), file.to_owned());
        }
    }
    let mut subtitles = Vec::new();
    for (language, file) in files {
        let Some(found) = statics.find(&file) else {
            return Err(ImportError::MissingFile {
                path: format!("static/{file}"),
                needed_by: path.to_owned(),
            });
        };
        match (language.parse::<Language>(), statics.fates().get(found)) {
            (Ok(language), Some(Fate::Subtitles { asset, .. })) => {
                subtitles.push(Subtitles { language, asset: asset.clone() });
            }
            (Ok(language), Some(Fate::Asset { content_type: "text/vtt" })) => {
                subtitles.push(Subtitles { language, asset: found.to_owned() });
            }
            _ => {
                notes.push(format!("the subtitles {file:?} in {language:?} cannot be read and were left out"))
            }
        }
    }
    Ok(subtitles)
}

/// `hh:mm:ss`, or seconds with a fraction, in whole seconds.
fn seconds(clock: &str) -> Option<u32> {
    let whole = clock.split('.').next().unwrap_or_default();
    whole
        .split(':')
        .try_fold(0_u32, |seconds, part| seconds.checked_mul(60)?.checked_add(part.trim().parse().ok()?))
}
