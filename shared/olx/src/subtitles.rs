//! SubRip (`.srt`, a format without a standard) to WebVTT (W3C, webvtt1).

use std::fmt::Write;

/// Text in which no cue was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("holds no subtitle")]
pub struct NoCues;

struct Cue {
    /// Milliseconds from the start of the video.
    start: u64,
    end: u64,
    text: String,
}

/// A WebVTT file from a SubRip file: UTF-8 with or without a byte order mark, lines ended in any way, cue
/// numbers or none. Cues come in the order of their start, as WebVTT asks; a cue that ends before it starts
/// or says nothing is left out. Of the mark-up, `<i>`, `<b>` and `<u>` stay where they are closed.
pub fn webvtt_from_srt(srt: &str) -> Result<String, NoCues> {
    let text = srt.strip_prefix('\u{feff}').unwrap_or(srt).replace("\r\n", "\n").replace(['\r', '\0'], "\n");
    let mut cues: Vec<Cue> = Vec::new();
    let mut open = false;
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if let Some((start, end)) = timing(line) {
            cues.push(Cue { start, end, text: String::new() });
            open = true;
        } else if line.trim().is_empty() {
            open = false;
        } else if lines.peek().copied().and_then(timing).is_some()
            && line.trim().bytes().all(|b| b.is_ascii_digit())
        {
            // The next cue's number, where the empty line before it is missing.
            open = false;
        } else if open && let Some(cue) = cues.last_mut() {
            if !cue.text.is_empty() {
                cue.text.push('\n');
            }
            cue.text.push_str(&cue_text(line.trim()));
        }
    }
    cues.retain(|cue| cue.start < cue.end && !cue.text.trim().is_empty());
    if cues.is_empty() {
        return Err(NoCues);
    }
    cues.sort_by_key(|cue| cue.start);
    let mut vtt = String::from("WEBVTT\n");
    for cue in cues {
        // Writing to a String cannot fail.
        let _ = write!(vtt, "\n{} --> {}\n{}\n", Clock(cue.start), Clock(cue.end), balanced(&cue.text));
    }
    Ok(vtt)
}

/// A WebVTT timestamp: `hh:mm:ss.ttt`, hours of two or more digits.
struct Clock(u64);

impl std::fmt::Display for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (seconds, millis) = (self.0 / 1000, self.0 % 1000);
        write!(f, "{:02}:{:02}:{:02}.{millis:03}", seconds / 3600, seconds / 60 % 60, seconds % 60)
    }
}

/// Start and end of a line `00:01:02,345 --> 00:01:04,000`, whatever follows them.
fn timing(line: &str) -> Option<(u64, u64)> {
    let (start, rest) = line.split_once("-->")?;
    Some((millis(start.trim())?, millis(rest.split_whitespace().next()?)?))
}

/// `[hh:]mm:ss[,ttt]` in milliseconds.
fn millis(clock: &str) -> Option<u64> {
    let (clock, fraction) = clock.split_once([',', '.']).unwrap_or((clock, "0"));
    let digits = |text: &str| -> Option<u64> {
        if text.is_empty() || text.len() > 4 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        text.parse().ok()
    };
    let mut seconds = 0;
    let parts: Vec<&str> = clock.split(':').collect();
    if !(2..=3).contains(&parts.len()) {
        return None;
    }
    for part in parts {
        seconds = seconds * 60 + digits(part)?;
    }
    let fraction: String = fraction.chars().chain("00".chars()).take(3).collect();
    Some(seconds * 1000 + digits(&fraction)?)
}

const STYLES: [&str; 6] = ["<i>", "</i>", "<b>", "</b>", "<u>", "</u>"];

/// A line of a cue: other mark-up and `{\an8}` positions gone, the rest escaped (webvtt1 §4.2.2).
fn cue_text(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(letter) = rest.chars().next() {
        if let Some(style) = STYLES
            .iter()
            .find(|style| rest.get(..style.len()).is_some_and(|start| start.eq_ignore_ascii_case(style)))
        {
            text.push_str(style);
            rest = rest.get(style.len()..).unwrap_or_default();
            continue;
        }
        let skipped = match letter {
            '<' if is_font(rest) => rest.find('>'),
            '{' if rest.starts_with("{\\") => rest.find('}'),
            _ => None,
        };
        if let Some(end) = skipped {
            rest = rest.get(end + 1..).unwrap_or_default();
            continue;
        }
        match letter {
            '&' if is_reference(rest) => text.push('&'),
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            other => text.push(other),
        }
        rest = rest.get(letter.len_utf8()..).unwrap_or_default();
    }
    text
}

fn is_font(rest: &str) -> bool {
    ["<font", "</font"]
        .iter()
        .any(|tag| rest.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag)))
}

/// Whether an ampersand begins one of the references that writers of SubRip do use.
fn is_reference(rest: &str) -> bool {
    ["&amp;", "&lt;", "&gt;", "&nbsp;"].iter().any(|reference| rest.starts_with(reference))
}

/// The text with its styles if they are closed in order, else without them.
fn balanced(text: &str) -> String {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = text;
    let mut in_order = true;
    while let Some(at) = rest.find('<') {
        rest = rest.get(at..).unwrap_or_default();
        let end = rest.find('>').map_or(rest.len(), |end| end + 1);
        let tag = rest.get(..end).unwrap_or_default();
        match tag.strip_prefix("</") {
            Some(name) => in_order &= open.pop() == Some(name),
            None => open.push(tag.trim_start_matches('<')),
        }
        rest = rest.get(end..).unwrap_or_default();
    }
    if in_order && open.is_empty() {
        return text.to_owned();
    }
    STYLES.iter().fold(text.to_owned(), |text, style| text.replace(style, ""))
}
