//! Sanitised HTML and the references in it.
//!
//! A course's HTML points to its own files and blocks. Where those will be served is not known when it is
//! imported, so they are written with two schemes of this crate:
//!
//! | reference | means |
//! | --- | --- |
//! | `asset:Learning%20Goals.pdf` | the asset of this path |
//! | `block:dacc88e550bd48db93899979bff1b086` | the lesson that [`crate::Imported::links`] has for this name |
//!
//! Browsers know neither, so HTML that was not [`resolve`]d shows no image rather than a wrong one.

use ammonia::{Builder, UrlRelative};
use std::{
    borrow::Cow,
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use akademi_domain::course::Html;

use crate::statics::{Statics, percent_decoded, percent_encoded};

/// What a URL in sanitised HTML refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// An asset, by its path.
    Asset(String),
    /// A block of the course, by its `url_name`.
    Block(String),
}

impl Reference {
    fn parse(url: &str) -> Option<Self> {
        let (scheme, name) = url.split_once(':')?;
        match scheme {
            "asset" => Some(Self::Asset(percent_decoded(name))),
            "block" => Some(Self::Block(percent_decoded(name))),
            _ => None,
        }
    }
}

impl std::fmt::Display for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Asset(path) => write!(f, "asset:{}", percent_encoded(path)),
            Self::Block(name) => write!(f, "block:{}", percent_encoded(name)),
        }
    }
}

/// A sanitiser that keeps text, images, tables and links, and nothing that acts, loads or paints over the
/// page: no scripts, frames, forms, classes, ids or styles.
fn sanitiser() -> Builder<'static> {
    let mut builder = Builder::default();
    builder
        .url_schemes(["http", "https", "mailto", "tel", "asset", "block"].into())
        .rm_tags(["map", "area"])
        .clean_content_tags(["script", "style", "object", "iframe", "template", "noscript", "title"].into());
    builder
}

/// Whether an attribute that the sanitiser keeps holds a URL. It asks about elements that it takes out too.
fn is_url(element: &str, attribute: &str) -> bool {
    matches!(
        (element, attribute),
        ("a", "href") | ("img", "src") | ("blockquote" | "q" | "del" | "ins", "cite")
    )
}

/// HTML that is not sanitised, since that or showing it would take too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidHtml {
    #[error("it is longer than {} bytes", Html::MAX)]
    TooLong,
    #[error("its elements are nested too deeply")]
    TooDeep,
}

/// Sanitised HTML from what a person wrote; references to files and blocks of a course are not known here.
pub fn sanitise(html: &str) -> Result<Html, InvalidHtml> {
    check_nesting(html)?;
    let mut builder = sanitiser();
    builder.url_relative(UrlRelative::Deny);
    builder.attribute_filter(|element, attribute, value| {
        let ours = is_url(element, attribute) && Reference::parse(value).is_some();
        (!ours).then_some(Cow::Borrowed(value))
    });
    finished(&builder.clean(html).to_string())
}

/// Elements that end without an end tag, so that many of them in a row are no nesting.
const UNNESTED: [&str; 27] = [
    "area", "base", "br", "col", "colgroup", "dd", "dt", "embed", "hr", "img", "input", "li", "link", "meta",
    "option", "p", "param", "rp", "rt", "source", "tbody", "td", "tfoot", "th", "thead", "tr", "wbr",
];

/// The deepest nesting of elements. An HTML parser walks up the open elements at each tag.
const MAX_NESTING: usize = 200;

/// The deepest nesting of elements that shape text. HTML opens all that are open anew in each paragraph
/// (WHATWG HTML §13.2.4.3), so the result may be this many times as large as its source.
const MAX_FORMATTING: usize = 12;

const FORMATTING: [&str; 14] =
    ["a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"];

/// Refuses HTML that a parser takes long for, by a rough count of what is open.
fn check_nesting(html: &str) -> Result<(), InvalidHtml> {
    if html.len() > Html::MAX {
        return Err(InvalidHtml::TooLong);
    }
    let (mut open, mut formatting) = (0_usize, 0_usize);
    for tag in html.split('<').skip(1) {
        let (ends, tag) = tag.strip_prefix('/').map_or((false, tag), |tag| (true, tag));
        let end = tag.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or(tag.len());
        let name = tag.get(..end).unwrap_or_default().to_ascii_lowercase();
        let count = if FORMATTING.contains(&name.as_str()) {
            &mut formatting
        } else if name.is_empty() || UNNESTED.contains(&name.as_str()) {
            continue;
        } else {
            &mut open
        };
        *count = if ends { count.saturating_sub(1) } else { *count + 1 };
        if open > MAX_NESTING || formatting > MAX_FORMATTING {
            return Err(InvalidHtml::TooDeep);
        }
    }
    Ok(())
}

/// What blocks of a course may refer to.
pub(crate) struct Targets {
    pub statics: Statics,
    /// The `url_name` of every block.
    pub blocks: BTreeSet<String>,
}

/// Sanitised HTML of a block, its URLs written as [`Reference`]s, and what of it was left out.
pub(crate) fn sanitise_block(html: &str, targets: &Arc<Targets>) -> Result<(Html, Vec<String>), InvalidHtml> {
    check_nesting(html)?;
    let missing: Arc<Mutex<BTreeSet<String>>> = Arc::default();
    let mut builder = sanitiser();
    // Relative URLs must reach the filter, which knows what they mean and drops the others.
    builder.url_relative(UrlRelative::PassThrough);
    builder.attribute_filter({
        let (targets, missing) = (Arc::clone(targets), Arc::clone(&missing));
        move |element, attribute, value| {
            if !is_url(element, attribute) {
                return Some(Cow::Borrowed(value));
            }
            match rewritten(value, &targets) {
                Ok(url) => Some(url),
                Err(()) => {
                    missing.lock().unwrap_or_else(PoisonError::into_inner).insert(value.to_owned());
                    None
                }
            }
        }
    });
    let clean = finished(&builder.clean(html).to_string())?;
    let mut notes = left_out(html);
    let missing = missing.lock().unwrap_or_else(PoisonError::into_inner);
    notes.extend(missing.iter().map(|url| format!("the link to {url:?} leads nowhere and was removed")));
    Ok((clean, notes))
}

/// A URL as the sanitised HTML has it; `Err` if it means something in the course that is not there.
fn rewritten<'url>(url: &'url str, targets: &Targets) -> Result<Cow<'url, str>, ()> {
    let url = url.trim();
    if let Some(path) = targets.statics.asset(url) {
        return Ok(Reference::Asset(path.to_owned()).to_string().into());
    }
    if let Some(name) = url.strip_prefix("/jump_to_id/").or_else(|| url.strip_prefix("/jump_to/")) {
        let name = name.split(['?', '#']).next().unwrap_or_default();
        let name = name.rsplit_once('@').map_or(name, |(_, name)| name);
        return if targets.blocks.contains(name) {
            Ok(Reference::Block(name.to_owned()).to_string().into())
        } else {
            Err(())
        };
    }
    // Our own schemes come from here only; what is relative would lead into the academy's site.
    let absolute = ["http://", "https://", "mailto:", "tel:"]
        .iter()
        .any(|scheme| url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)));
    if absolute { Ok(Cow::Borrowed(url)) } else { Err(()) }
}

/// Says what the sanitiser takes out of `html` that somebody may miss.
fn left_out(html: &str) -> Vec<String> {
    let html = html.to_ascii_lowercase();
    [
        (&["<script"][..], "scripts were left out"),
        (&["<style", "rel=\"stylesheet\"", " style=\""], "its own styles were left out"),
        (&["<iframe", "<object", "<embed"], "an embedded page or object was left out"),
        (&["<form", "<input", "<button"], "form fields and buttons were left out"),
    ]
    .into_iter()
    .filter(|(signs, _)| signs.iter().any(|sign| html.contains(sign)))
    .map(|(_, note)| note.to_owned())
    .collect()
}

/// `html` with its references replaced by what `resolve` says: an absolute `http(s)` URL or a path from `/`.
/// A reference for which it says anything else or `None` goes away.
pub fn resolve(html: &Html, resolve: impl Fn(&Reference) -> Option<String> + Send + Sync + 'static) -> Html {
    let mut builder = sanitiser();
    builder.url_relative(UrlRelative::PassThrough);
    builder.attribute_filter(move |element, attribute, value| match Reference::parse(value) {
        Some(reference) if is_url(element, attribute) => resolve(&reference)
            .filter(|url| ["https://", "http://", "/"].iter().any(|start| url.starts_with(start)))
            .map(Cow::Owned),
        _ => Some(Cow::Borrowed(value)),
    });
    Html::sanitised(builder.clean(html.as_str()).to_string())
}

/// Whether a reader sees anything: text or an image.
pub(crate) fn shows_something(html: &str) -> bool {
    let mut in_tag = false;
    let text = html.chars().any(|letter| {
        match letter {
            '<' => in_tag = true,
            '>' if in_tag => {
                in_tag = false;
                return false;
            }
            _ => {}
        }
        !in_tag && !letter.is_whitespace()
    });
    text || html.contains("<img ") || html.contains("<hr")
}

fn finished(html: &str) -> Result<Html, InvalidHtml> {
    let html = if shows_something(html) { html.trim() } else { "" };
    if html.len() > Html::MAX { Err(InvalidHtml::TooLong) } else { Ok(Html::sanitised(html.to_owned())) }
}
