//! Media playlists (RFC 8216 §4.3) whose segments are named by links.

/// Whether the playlist names segments, as a media playlist does; a master playlist names playlists.
pub fn names_segments(playlist: &str) -> bool {
    playlist.lines().any(|line| line.starts_with("#EXTINF:"))
}

/// The playlist with what `link` says in the place of each name: the lines that are no tags and no comments (§4.1), and
/// the media initialisation section (§4.3.2.5). A name of which it knows nothing stays.
pub fn linked<E>(playlist: &str, link: impl Fn(&str) -> Result<Option<String>, E>) -> Result<String, E> {
    let mut text = String::with_capacity(playlist.len() * 4);
    for line in playlist.lines() {
        match linked_line(line, &link)? {
            Some(line) => text.push_str(&line),
            None => text.push_str(line),
        }
        text.push('\n');
    }
    Ok(text)
}

fn linked_line<E>(line: &str, link: impl Fn(&str) -> Result<Option<String>, E>) -> Result<Option<String>, E> {
    if !line.starts_with('#') {
        return link(line);
    }
    let map = line.strip_prefix("#EXT-X-MAP:").and_then(|map| map.split_once("URI=\""));
    let Some((start, (name, rest))) = map.and_then(|(start, rest)| Some((start, rest.split_once('"')?)))
    else {
        return Ok(None);
    };
    Ok(link(name)?.map(|link| format!("#EXT-X-MAP:{start}URI=\"{link}\"{rest}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    #[test]
    fn segments_and_their_initialisation_become_links_and_nothing_else() {
        let playlist = "#EXTM3U\n#EXT-X-MAP:URI=\"init.mp4\",BYTERANGE=\"9@0\"\n#EXTINF:6.000000,\nsegment-00000.m4s\n\
                        # segment-00000.m4s\n#EXTINF:1.0,\nother.m4s\n#EXT-X-ENDLIST\n";
        assert!(names_segments(playlist));
        let links = |name: &str| {
            Ok::<_, Infallible>((name != "other.m4s").then(|| format!("https://x/{name}?s=1&t=2")))
        };
        assert_eq!(
            linked(playlist, links).unwrap(),
            "#EXTM3U\n#EXT-X-MAP:URI=\"https://x/init.mp4?s=1&t=2\",BYTERANGE=\"9@0\"\n#EXTINF:6.000000,\n\
             https://x/segment-00000.m4s?s=1&t=2\n# segment-00000.m4s\n#EXTINF:1.0,\nother.m4s\n#EXT-X-ENDLIST\n"
        );
        assert!(!names_segments("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n720p/index.m3u8\n"));
    }
}
