//! Playlists (RFC 8216) and lists of small pictures (W3C WebVTT) whose names lead somewhere. Pure.

/// Where names are to lead.
pub trait Names {
    /// The file of this path below the video's folder; of a media playlist's segments with their number, of its
    /// initialisation section and of pictures without one.
    fn file(&self, path: &str, segment: Option<usize>) -> String;
    /// The key of an encrypted video.
    fn key(&self) -> String;
}

/// A segment of a media playlist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Below the video's folder.
    pub path: String,
    /// When it begins, in milliseconds of media time.
    pub from_ms: u64,
    pub to_ms: u64,
}

/// The text at `path` with other names: of segments (the lines that are neither tags nor comments, §4.1), of media
/// initialisation sections (§4.3.2.5), of keys (§4.3.2.4) and of small pictures (Media Fragments §4.2.2). Names of playlists
/// stay, which stand beside the one that names them.
pub fn renamed(path: &str, text: &str, names: &impl Names) -> String {
    let folder = folder_of(path);
    let is_media = text.lines().any(|line| line.starts_with("#EXTINF:"));
    let mut renamed = String::with_capacity(text.len() * 4);
    let mut segments = 0;
    for line in text.lines() {
        let uri = |replace: &dyn Fn(&str) -> String| {
            let (start, rest) = line.split_once("URI=\"")?;
            let (name, end) = rest.split_once('"')?;
            Some(format!("{start}URI=\"{}\"{end}", replace(name)))
        };
        let changed = if line.starts_with("#EXT-X-MAP:") {
            uri(&|name| names.file(&beside(folder, name), None))
        } else if line.starts_with("#EXT-X-KEY:") {
            uri(&|_| names.key())
        } else if line.starts_with('#') || line.is_empty() {
            None
        } else if is_media {
            segments += 1;
            Some(names.file(&beside(folder, line), Some(segments - 1)))
        } else {
            let picture = line.split_once("#xywh=");
            picture.map(|(name, place)| format!("{}#xywh={place}", names.file(&beside(folder, name), None)))
        };
        renamed.push_str(changed.as_deref().unwrap_or(line));
        renamed.push('\n');
    }
    renamed
}

/// The segment of this number, from 0, of the media playlist at `path`.
pub fn segment(path: &str, text: &str, number: usize) -> Option<Segment> {
    let (mut from_ms, mut to_ms) = (0.0, 0.0);
    let mut left = number;
    for line in text.lines() {
        if let Some(length) = line.strip_prefix("#EXTINF:") {
            let seconds: f64 = length.split(',').next()?.parse().ok()?;
            (from_ms, to_ms) = (to_ms, seconds.mul_add(1000.0, to_ms));
        } else if !line.starts_with('#') && !line.is_empty() {
            if left == 0 {
                let path = beside(folder_of(path), line);
                return Some(Segment { path, from_ms: from_ms.round() as u64, to_ms: to_ms.round() as u64 });
            }
            left -= 1;
        }
    }
    None
}

/// The media initialisation section of the media playlist at `path`, below the video's folder.
pub fn initialisation(path: &str, text: &str) -> Option<String> {
    let line = text.lines().find(|line| line.starts_with("#EXT-X-MAP:"))?;
    let (name, _) = line.split_once("URI=\"")?.1.split_once('"')?;
    Some(beside(folder_of(path), name))
}

fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The path that a playlist in this folder means by a name (RFC 3986 §5.2, of which the transcoder writes this much).
fn beside(folder: &str, name: &str) -> String {
    match name.strip_prefix("../") {
        Some(above) => above.to_owned(),
        None if folder.is_empty() => name.to_owned(),
        None => format!("{folder}/{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEDIA: &str = "#EXTM3U\n#EXT-X-MAP:URI=\"init.mp4\",BYTERANGE=\"9@0\"\n\
                         #EXT-X-KEY:METHOD=AES-128,URI=\"../key\",IV=0x01\n#EXTINF:6.006000,\nsegment-00000.m4s\n\
                         # segment-00000.m4s\n#EXTINF:5.5,\n../1-1/720p/segment-00001.m4s\n#EXT-X-ENDLIST\n";

    struct Shown;

    impl Names for Shown {
        fn file(&self, path: &str, segment: Option<usize>) -> String {
            format!("<{path} {segment:?}>")
        }

        fn key(&self) -> String {
            "<key>".to_owned()
        }
    }

    #[test]
    fn names_of_files_change_and_nothing_else() {
        assert_eq!(
            renamed("720p/index.m3u8", MEDIA, &Shown),
            "#EXTM3U\n#EXT-X-MAP:URI=\"<720p/init.mp4 None>\",BYTERANGE=\"9@0\"\n\
             #EXT-X-KEY:METHOD=AES-128,URI=\"<key>\",IV=0x01\n#EXTINF:6.006000,\n<720p/segment-00000.m4s Some(0)>\n\
             # segment-00000.m4s\n#EXTINF:5.5,\n<1-1/720p/segment-00001.m4s Some(1)>\n#EXT-X-ENDLIST\n"
        );
        let master = "#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,URI=\"audio/index.m3u8\"\n#EXT-X-STREAM-INF:BANDWIDTH=1\n720p/index.m3u8\n";
        assert_eq!(renamed("master.m3u8", master, &Shown), master);
        let pictures = "WEBVTT\n\n00:00.000 --> 00:02.000\nthumbnails/sheet-000.jpg#xywh=0,0,160,90\n";
        assert_eq!(
            renamed("thumbnails.vtt", pictures, &Shown),
            "WEBVTT\n\n00:00.000 --> 00:02.000\n<thumbnails/sheet-000.jpg None>#xywh=0,0,160,90\n"
        );
    }

    #[test]
    fn segments_know_when_they_play() {
        let first = Segment { path: "720p/segment-00000.m4s".into(), from_ms: 0, to_ms: 6006 };
        let second = Segment { path: "1-1/720p/segment-00001.m4s".into(), from_ms: 6006, to_ms: 11506 };
        assert_eq!(segment("720p/index.m3u8", MEDIA, 0), Some(first));
        assert_eq!(segment("720p/index.m3u8", MEDIA, 1), Some(second));
        assert_eq!(segment("720p/index.m3u8", MEDIA, 2), None);
        assert_eq!(initialisation("720p/index.m3u8", MEDIA).as_deref(), Some("720p/init.mp4"));
    }
}
