//! Reading XML: a parser that refuses what can grow, and cutting pieces of source out of it.

use roxmltree::{Document, Node, ParsingOptions};
use std::ops::Range;

use crate::ImportError;

/// More nodes than any block of a course has.
const MAX_NODES: u32 = 200_000;

/// Parses the text of `path`. A document type is refused, so there are no entities to expand.
pub(crate) fn parse<'text>(path: &str, text: &'text str) -> Result<Document<'text>, ImportError> {
    let options = ParsingOptions { allow_dtd: false, nodes_limit: MAX_NODES, ..ParsingOptions::default() };
    Document::parse_with_options(text, options).map_err(|error| match error {
        roxmltree::Error::DtdDetected => ImportError::DocumentType { path: path.to_owned() },
        other => ImportError::BadXml { path: path.to_owned(), reason: other.to_string() },
    })
}

pub(crate) fn elements<'a, 'text>(node: Node<'a, 'text>) -> impl Iterator<Item = Node<'a, 'text>> {
    node.children().filter(Node::is_element)
}

/// The local name of an element.
pub(crate) fn name<'text>(node: Node<'_, 'text>) -> &'text str {
    node.tag_name().name()
}

/// An attribute that says something.
pub(crate) fn filled<'a>(node: Node<'a, '_>, attribute: &str) -> Option<&'a str> {
    node.attribute(attribute).map(str::trim).filter(|value| !value.is_empty() && *value != "null")
}

/// Whether an element only points to a file of its own: it has a `url_name` and nothing else to say
/// (`is_pointer_tag` of Open edX; a course also has its `org` and `course`).
pub(crate) fn is_pointer(node: Node<'_, '_>) -> bool {
    let allowed: &[&str] =
        if name(node) == "course" { &["url_name", "course", "org"] } else { &["url_name"] };
    node.has_attribute("url_name")
        && node.attributes().all(|attribute| allowed.contains(&attribute.name()))
        && !node
            .children()
            .any(|child| child.is_element() || child.text().is_some_and(|text| !text.trim().is_empty()))
}

/// Where the content of an element lies in the source; empty for an empty element.
pub(crate) fn content(node: Node<'_, '_>) -> Range<usize> {
    match (node.first_child(), node.last_child()) {
        (Some(first), Some(last)) => first.range().start..last.range().end,
        _ => node.range().end..node.range().end,
    }
}

/// The source of `range` without the elements that `cut` names, as HTML: CDATA sections are opened.
/// The piece need not be balanced; an HTML parser puts it right.
pub(crate) fn source(
    document: &Document<'_>,
    range: Range<usize>,
    cut: impl Fn(Node<'_, '_>) -> bool,
) -> String {
    let text = document.input_text();
    let mut kept = String::new();
    let mut from = range.start;
    for node in document.root().descendants().filter(|node| node.is_element() && cut(*node)) {
        let gone = node.range();
        // Elements inside an element that was cut begin before `from`.
        if gone.start >= from && gone.end <= range.end {
            kept.push_str(text.get(from..gone.start).unwrap_or_default());
            from = gone.end;
        }
    }
    kept.push_str(text.get(from..range.end).unwrap_or_default());
    if kept.contains("<![CDATA[") {
        kept = kept.replace("<![CDATA[", "").replace("]]>", "");
    }
    kept
}
