//! The tree of a course, walked in order: which blocks there are and where they stand.

use roxmltree::Node;
use std::collections::BTreeSet;

use crate::{
    ImportError,
    archive::Archive,
    xml::{self, elements, filled, is_pointer, name},
};

/// One step of the walk.
pub(crate) enum Item {
    Module(Place),
    Section(Place),
    /// A vertical: a group of lessons.
    Unit(Place),
    /// A block that holds blocks, which come next.
    Container {
        block: Block,
        reason: String,
    },
    Block(Block),
    /// What the course has no place for.
    Other {
        place: Place,
        kind: String,
        reason: String,
    },
}

pub(crate) struct Place {
    pub source_key: String,
    /// Its own title.
    pub title: Option<String>,
    /// What an import does not carry over.
    pub notes: Vec<String>,
}

/// A block that no block stands in.
pub(crate) struct Block {
    pub place: Place,
    pub kind: String,
    /// The title of the vertical that it stands in.
    pub unit_title: Option<String>,
    /// Its OLX: one element.
    pub source: String,
    /// The file that holds it.
    pub path: String,
}

pub(crate) struct Course {
    pub place: Place,
    pub language: Option<String>,
    pub items: Vec<Item>,
}

/// More levels than any course has below a vertical.
const MAX_DEPTH: u8 = 10;

pub(crate) fn read(archive: &Archive) -> Result<Course, ImportError> {
    let text = archive.text("course.xml", "the archive")?;
    let document = xml::parse("course.xml", text)?;
    let root = document.root_element();
    if name(root) != "course" {
        return Err(ImportError::BadXml {
            path: "course.xml".to_owned(),
            reason: "it holds no course".to_owned(),
        });
    }
    let mut walk = Walk { archive, items: Vec::new(), seen: BTreeSet::new() };
    let mut course = None;
    walk.open(root, "course.xml", "course.xml", |walk, element| {
        course = Some((element.place(), filled(element.node, "language").map(str::to_owned)));
        elements(element.node).enumerate().try_for_each(|(index, child)| walk.chapter(child, &element, index))
    })?;
    let (place, language) = course.ok_or(ImportError::NoCourse)?;
    Ok(Course { place, language, items: walk.items })
}

struct Walk<'a> {
    archive: &'a Archive,
    items: Vec<Item>,
    seen: BTreeSet<String>,
}

/// An element with what it says, whether it stood in place or in a file of its own.
struct Element<'a, 'text> {
    node: Node<'a, 'text>,
    key: String,
    path: &'a str,
}

impl Element<'_, '_> {
    fn title(&self) -> Option<String> {
        filled(self.node, "display_name").map(str::to_owned)
    }

    fn place(&self) -> Place {
        let mut notes = Vec::new();
        if filled(self.node, "group_access").is_some_and(|groups| groups != "{}") {
            notes.push("it was for some groups of learners only; here it is for all".to_owned());
        }
        if filled(self.node, "visible_to_staff_only") == Some("true") {
            notes.push("it was hidden from learners; here it is not".to_owned());
        }
        Place { source_key: self.key.clone(), title: self.title(), notes }
    }

    fn source(&self) -> String {
        self.node.document().input_text().get(self.node.range()).unwrap_or_default().to_owned()
    }
}

impl Walk<'_> {
    /// Follows a pointer to its file, if it is one, and hands on the element that speaks.
    fn open(
        &mut self,
        node: Node<'_, '_>,
        path: &str,
        fallback_key: &str,
        then: impl FnOnce(&mut Self, Element<'_, '_>) -> Result<(), ImportError>,
    ) -> Result<(), ImportError> {
        let key = match filled(node, "url_name") {
            Some(url_name) => format!("{}/{url_name}", name(node)),
            None => fallback_key.to_owned(),
        };
        if !is_pointer(node) {
            return then(self, Element { node, key, path });
        }
        let archive = self.archive;
        // Open edX writes `:` for a folder in a url_name.
        let own_path = format!("{}.xml", key.replace(':', "/"));
        let text = archive.text(&own_path, path)?;
        let document = xml::parse(&own_path, text)?;
        let root = document.root_element();
        if name(root) != name(node) {
            let reason = format!("it holds a {} instead of a {}", name(root), name(node));
            return Err(ImportError::BadXml { path: own_path, reason });
        }
        then(self, Element { node: root, key, path: &own_path })
    }

    /// Notes that `element` has its place now; false if it has one already.
    fn enters(&mut self, element: &Element<'_, '_>) -> bool {
        if self.seen.insert(element.key.clone()) {
            return true;
        }
        self.other(element, "the course already shows it above");
        false
    }

    fn other(&mut self, element: &Element<'_, '_>, reason: &str) {
        self.items.push(Item::Other {
            place: element.place(),
            kind: name(element.node).to_owned(),
            reason: reason.to_owned(),
        });
    }

    fn chapter(
        &mut self,
        node: Node<'_, '_>,
        parent: &Element<'_, '_>,
        index: usize,
    ) -> Result<(), ImportError> {
        let key = inner_key(parent, node, index);
        if name(node) != "chapter" {
            self.other(&Element { node, key, path: parent.path }, "it is no chapter");
            return Ok(());
        }
        self.open(node, parent.path, &key, |walk, element| {
            if walk.enters(&element) {
                walk.items.push(Item::Module(element.place()));
                for (index, child) in elements(element.node).enumerate() {
                    walk.sequential(child, &element, index)?;
                }
            }
            Ok(())
        })
    }

    fn sequential(
        &mut self,
        node: Node<'_, '_>,
        parent: &Element<'_, '_>,
        index: usize,
    ) -> Result<(), ImportError> {
        let key = inner_key(parent, node, index);
        if name(node) != "sequential" {
            self.other(&Element { node, key, path: parent.path }, "it stands where a sequential is expected");
            return Ok(());
        }
        self.open(node, parent.path, &key, |walk, element| {
            if walk.enters(&element) {
                walk.items.push(Item::Section(element.place()));
                let title = element.title();
                for (index, child) in elements(element.node).enumerate() {
                    walk.block(child, &element, index, title.as_deref(), 0)?;
                }
            }
            Ok(())
        })
    }

    /// A vertical, another block that holds blocks, or a block that holds none.
    fn block(
        &mut self,
        node: Node<'_, '_>,
        parent: &Element<'_, '_>,
        index: usize,
        unit_title: Option<&str>,
        depth: u8,
    ) -> Result<(), ImportError> {
        if depth > MAX_DEPTH {
            return Err(ImportError::TooDeep { path: parent.path.to_owned() });
        }
        self.open(node, parent.path, &inner_key(parent, node, index), |walk, element| {
            if !walk.enters(&element) {
                return Ok(());
            }
            let mut title = unit_title.map(str::to_owned);
            match name(element.node) {
                "vertical" => {
                    walk.items.push(Item::Unit(element.place()));
                    title = element.title().or(title);
                }
                "library_content" | "conditional" | "split_test" | "randomize" | "wrapper" | "problemset" => {
                    let reason =
                        "its blocks are lessons for everybody; how it chooses among them is not carried over";
                    let block = walk.leaf(&element, unit_title);
                    walk.items.push(Item::Container { block, reason: reason.to_owned() });
                }
                _ => {
                    let block = walk.leaf(&element, unit_title);
                    walk.items.push(Item::Block(block));
                    return Ok(());
                }
            }
            for (index, child) in elements(element.node).enumerate() {
                walk.block(child, &element, index, title.as_deref(), depth + 1)?;
            }
            Ok(())
        })
    }

    fn leaf(&self, element: &Element<'_, '_>, unit_title: Option<&str>) -> Block {
        Block {
            place: element.place(),
            kind: name(element.node).to_owned(),
            unit_title: unit_title.map(str::to_owned),
            source: element.source(),
            path: element.path.to_owned(),
        }
    }
}

/// The key of an element without a name of its own: its place.
fn inner_key(parent: &Element<'_, '_>, node: Node<'_, '_>, index: usize) -> String {
    format!("{}/{}-{}", parent.key, name(node), index + 1)
}
