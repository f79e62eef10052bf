//! A lesson's own words, for search.

use akademi_domain::course::LessonBody;

/// Most bytes of one lesson's words.
pub const MAX_WORDS_BYTES: usize = 20 * 1024;

/// Elements that stand within a word or a sentence; all others part the words around them.
const INLINE: [&str; 17] = [
    "a", "abbr", "b", "bdi", "bdo", "code", "em", "i", "kbd", "mark", "s", "small", "span", "strong", "sub",
    "sup", "u",
];

/// The words of a lesson, markup removed, single spaces between them, at most [`MAX_WORDS_BYTES`] with whole words only.
pub fn lesson_words(body: &LessonBody) -> String {
    let mut text = String::new();
    match body {
        LessonBody::Html { html } => push_text(html.as_str(), &mut text),
        LessonBody::Quiz { quiz } => {
            push_text(quiz.introduction.as_str(), &mut text);
            for question in &quiz.questions {
                text.push(' ');
                push_text(question.prompt.as_str(), &mut text);
            }
        }
        LessonBody::Live { description, .. } => push_text(description.as_str(), &mut text),
        LessonBody::Assignment { instructions, .. } => push_text(instructions.as_str(), &mut text),
        LessonBody::Document { file_name, .. } => text.push_str(file_name),
        LessonBody::Video { .. } => {}
    }
    bounded(&text)
}

fn bounded(text: &str) -> String {
    let mut words = String::new();
    for word in text.split(|letter: char| letter.is_whitespace() || letter.is_control()) {
        if words.len() + 1 + word.len() > MAX_WORDS_BYTES {
            break;
        }
        if !words.is_empty() && !word.is_empty() {
            words.push(' ');
        }
        words.push_str(word);
    }
    words
}

/// Appends the text of sanitised html, which is well-formed and holds no comment and no script.
fn push_text(html: &str, text: &mut String) {
    let mut rest = html;
    while let Some((before, tag)) = rest.split_once('<') {
        push_decoded(before, text);
        let end = end_of_tag(tag);
        let name = tag.trim_start_matches('/');
        let name = name.split(|letter: char| !letter.is_ascii_alphanumeric()).next().unwrap_or_default();
        if !INLINE.contains(&name) {
            text.push(' ');
        }
        rest = tag.get(end..).unwrap_or_default();
    }
    push_decoded(rest, text);
}

/// Where the text after a tag begins: a `>` in an attribute's value does not end the tag.
fn end_of_tag(tag: &str) -> usize {
    let mut in_value = false;
    for (at, letter) in tag.char_indices() {
        match letter {
            '"' => in_value = !in_value,
            '>' if !in_value => return at + 1,
            _ => {}
        }
    }
    tag.len()
}

/// Html serialised by the standard escapes these four in text (WHATWG HTML §13.3).
fn push_decoded(escaped: &str, text: &mut String) {
    if escaped.contains('&') {
        let decoded = escaped.replace("&nbsp;", " ").replace("&lt;", "<").replace("&gt;", ">");
        text.push_str(&decoded.replace("&amp;", "&"));
    } else {
        text.push_str(escaped);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use akademi_domain::course::Html;

    fn words(html: &str) -> String {
        lesson_words(&LessonBody::Html { html: Html::sanitised(html.to_owned()) })
    }

    #[test]
    fn markup_goes_and_words_stay_whole() {
        assert_eq!(
            words(
                "<h2>Işık</h2><p>ve <b>ik</b>lim<br>A&nbsp;&amp;&lt;b&gt; <img alt=\"x > y\" src=\"/a\"></p><ul><li>1</li><li>2</li></ul>"
            ),
            "Işık ve iklim A &<b> 1 2"
        );
        assert_eq!(words(""), "");
        assert_eq!(words("&amp;lt;"), "&lt;", "an escaped escape is decoded once");
    }

    #[test]
    fn words_are_bounded_at_a_words_end() {
        let text = words(&"ışıkları ".repeat(3_000));
        assert!(text.len() <= MAX_WORDS_BYTES && text.len() > MAX_WORDS_BYTES - 20, "{}", text.len());
        assert!(text.ends_with("ışıkları"));
        assert_eq!(words(&"x".repeat(MAX_WORDS_BYTES + 1)), "");
    }
}
