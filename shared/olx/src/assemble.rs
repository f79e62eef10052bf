//! Putting a course together from its blocks, and the account of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use akademi_domain::{
    course::{Html, Title},
    text::fold,
};

use crate::{
    Asset, Became, BlockEntry, BlockOutcome, Content, FileEntry, FileOutcome, ImportError, Imported, Lesson,
    Module, RawBlock, Report, Section,
    archive::Archive,
    html::{Targets, sanitise_block},
    problem::{self, Problem},
    statics::{Fate, Statics},
    structure::{self, Block, Item, Place},
    video, xml,
};

pub(crate) fn course(mut archive: Archive) -> Result<Imported, ImportError> {
    let course = structure::read(&archive)?;
    let targets = Arc::new(Targets { statics: Statics::of(&archive), blocks: names(&course.items) });
    let mut assembly = Assembly {
        archive: &archive,
        targets: Arc::clone(&targets),
        modules: Vec::new(),
        raw: Vec::new(),
        links: BTreeMap::new(),
        awaiting: Vec::new(),
        blocks: Vec::new(),
        documents: BTreeSet::new(),
    };
    let title = title_of(&course.place);
    let source_key = course.place.source_key.clone();
    assembly.imported(course.place, "course", Became::Course);
    for item in course.items {
        assembly.add(item)?;
    }
    assembly.orphans();
    let Assembly { modules, raw, links, blocks, documents, .. } = assembly;

    let about = |name: &str| if archive.holds(name) { archive.text(name, "course.xml") } else { Ok("") };
    // A description that cannot be shown is not worth the course.
    let description = sanitise_block(about("about/overview.html")?, &targets)
        .map_or_else(|_| Html::default(), |(html, _)| html);
    let summary =
        Some(about("about/short_description.html")?.trim().to_owned()).filter(|text| !text.is_empty());
    let files = files(&archive, &targets.statics, &documents);
    let language = course.language.and_then(|language| language.parse().ok());
    let assets = assets(&mut archive, &targets.statics);
    let report = Report { blocks, files };
    Ok(Imported { source_key, title, language, summary, description, modules, assets, raw, links, report })
}

/// The last part of a source key, by which links name a block.
fn url_name(source_key: &str) -> &str {
    source_key.rsplit_once('/').map_or(source_key, |(_, name)| name)
}

fn names(items: &[Item]) -> BTreeSet<String> {
    let key = |item: &Item| match item {
        Item::Module(place) | Item::Section(place) | Item::Unit(place) => place.source_key.clone(),
        Item::Container { block, .. } | Item::Block(block) => block.place.source_key.clone(),
        Item::Other { place, .. } => place.source_key.clone(),
    };
    items.iter().map(|item| url_name(&key(item)).to_owned()).collect()
}

fn title_of(place: &Place) -> Title {
    let own = place.title.as_deref().and_then(Title::clipped);
    own.or_else(|| Title::clipped(url_name(&place.source_key))).unwrap_or_else(Title::missing)
}

/// `Vertical: Block`, or the one title there is.
fn lesson_title(block: &Block) -> Title {
    let own = block.place.title.as_deref();
    let title = match (block.unit_title.as_deref(), own) {
        (Some(unit), Some(own)) if fold(unit) != fold(own) => Some(format!("{unit}: {own}")),
        (Some(unit), _) => Some(unit.to_owned()),
        (None, own) => own.map(str::to_owned),
    };
    title_of(&Place { title, source_key: block.place.source_key.clone(), notes: Vec::new() })
}

/// How high a name stands whose first lesson is still to come.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Module,
    Section,
    Unit,
}

struct Assembly<'a> {
    archive: &'a Archive,
    targets: Arc<Targets>,
    modules: Vec<Module>,
    raw: Vec<RawBlock>,
    links: BTreeMap<String, String>,
    awaiting: Vec<(Level, String)>,
    blocks: Vec<BlockEntry>,
    /// PDF files that are lessons already.
    documents: BTreeSet<String>,
}

impl Assembly<'_> {
    fn entry(&mut self, place: Place, kind: &str, outcome: BlockOutcome) {
        let Place { source_key, title, notes } = place;
        self.blocks.push(BlockEntry { source_key, kind: kind.to_owned(), title, outcome, notes });
    }

    fn imported(&mut self, place: Place, kind: &str, became: Became) {
        self.entry(place, kind, BlockOutcome::Imported { became });
    }

    fn awaits(&mut self, level: Level, source_key: &str) {
        self.awaiting.retain(|(higher, _)| *higher < level);
        self.awaiting.push((level, url_name(source_key).to_owned()));
    }

    fn add(&mut self, item: Item) -> Result<(), ImportError> {
        match item {
            Item::Module(place) => {
                self.awaits(Level::Module, &place.source_key);
                let (source_key, title) = (place.source_key.clone(), title_of(&place));
                self.modules.push(Module { source_key, title, sections: Vec::new() });
                self.imported(place, "chapter", Became::Module);
            }
            Item::Section(place) => {
                self.awaits(Level::Section, &place.source_key);
                let (source_key, title) = (place.source_key.clone(), title_of(&place));
                if let Some(module) = self.modules.last_mut() {
                    module.sections.push(Section { source_key, title, lessons: Vec::new() });
                }
                self.imported(place, "sequential", Became::Section);
            }
            Item::Unit(place) => {
                self.awaits(Level::Unit, &place.source_key);
                self.imported(place, "vertical", Became::LessonGroup);
            }
            Item::Container { block, reason } => self.keep_raw(block, reason),
            Item::Block(block) => self.block(block)?,
            Item::Other { place, kind, reason } => self.entry(place, &kind, BlockOutcome::Skipped { reason }),
        }
        Ok(())
    }

    fn block(&mut self, mut block: Block) -> Result<(), ImportError> {
        // What a block says may be in a second file.
        let mut said = block.source.clone();
        match block.kind.as_str() {
            "html" => {
                said = self.html_source(&block)?;
                match sanitise_block(&said, &self.targets) {
                    Ok((html, notes)) => {
                        block.place.notes.extend(notes);
                        if html.is_empty() {
                            block.place.notes.push("nothing of it can be seen".to_owned());
                        }
                        self.lesson(block, Content::Html(html), Became::HtmlLesson);
                    }
                    Err(invalid) => self.keep_raw(block, invalid.to_string()),
                }
            }
            "video" => match video::convert(&block.path, &block.source, &self.targets.statics)? {
                video::Converted::Video { video, notes } => {
                    block.place.notes.extend(notes);
                    self.lesson(block, Content::Video(video), Became::VideoLesson);
                }
                video::Converted::Raw { reason } => self.keep_raw(block, reason),
            },
            "problem" => {
                let problem =
                    problem::convert(&block.path, &block.source, &block.place.source_key, &self.targets)?;
                match problem {
                    Problem::Quiz { quiz, key, notes } => {
                        block.place.notes.extend(notes);
                        self.lesson(block, Content::Quiz { quiz, key }, Became::QuizLesson);
                    }
                    Problem::Raw { reason } => self.keep_raw(block, reason),
                }
            }
            other => {
                let reason = format!("there is no lesson for a block of the kind {other}");
                self.keep_raw(block, reason);
            }
        }
        self.add_documents(&said);
        Ok(())
    }

    /// The HTML of a block: the file that it names, or what stands in it.
    fn html_source(&self, block: &Block) -> Result<String, ImportError> {
        let document = xml::parse(&block.path, &block.source)?;
        let node = document.root_element();
        match xml::filled(node, "filename") {
            Some(name) => self.archive.text(&format!("html/{name}.html"), &block.path).map(str::to_owned),
            None => Ok(xml::source(&document, xml::content(node), |_| false)),
        }
    }

    fn keep_raw(&mut self, block: Block, reason: String) {
        self.raw.push(RawBlock {
            source_key: block.place.source_key.clone(),
            kind: block.kind.clone(),
            title: block.place.title.clone(),
            olx: block.source,
        });
        self.entry(block.place, &block.kind, BlockOutcome::KeptRaw { reason });
    }

    fn lesson(&mut self, block: Block, content: Content, became: Became) {
        let source_key = block.place.source_key.clone();
        for (_, name) in self.awaiting.drain(..) {
            self.links.insert(name, source_key.clone());
        }
        self.links.insert(url_name(&source_key).to_owned(), source_key.clone());
        let title = lesson_title(&block);
        self.append(Lesson { source_key, title, content });
        self.imported(block.place, &block.kind, became);
    }

    fn append(&mut self, lesson: Lesson) {
        if let Some(section) = self.modules.last_mut().and_then(|module| module.sections.last_mut()) {
            section.lessons.push(lesson);
        }
    }

    fn add_documents(&mut self, said: &str) {
        for path in self.targets.statics.documents_in(said) {
            if self.documents.insert(path.clone()) {
                let name = path.rsplit('/').next().unwrap_or(&path);
                let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem).replace('_', " ");
                let place =
                    Place { source_key: format!("static/{path}"), title: Some(stem), notes: Vec::new() };
                let title = title_of(&place);
                self.append(Lesson { source_key: place.source_key, title, content: Content::Document(path) });
            }
        }
    }

    /// Block files that nothing in the course points to.
    fn orphans(&mut self) {
        let orphans: Vec<&str> = self
            .archive
            .paths()
            .filter(|path| is_block_file(path) && !self.archive.was_read(path))
            .filter_map(|path| path.strip_suffix(".xml"))
            .collect();
        for key in orphans {
            let kind = key.split('/').next().unwrap_or_default();
            let place = Place { source_key: key.to_owned(), title: None, notes: Vec::new() };
            self.entry(place, kind, BlockOutcome::Skipped { reason: UNREFERENCED.to_owned() });
        }
    }
}

const UNREFERENCED: &str = "nothing in the course points to it";

/// Folders of an export that hold no blocks, and why their files are left alone.
const OTHER_FOLDERS: [(&str, &str); 7] = [
    ("about", "no part of the description is in it"),
    ("assets", "it lists files and holds none"),
    ("drafts", "drafts are not imported"),
    ("info", "updates and handouts are not imported"),
    ("policies", "grading and display rules are not carried over"),
    ("static", "it is a static file"),
    ("tabs", "pages beside the course are not imported"),
];

fn is_block_file(path: &str) -> bool {
    path.split_once('/').is_some_and(|(folder, _)| OTHER_FOLDERS.iter().all(|(other, _)| *other != folder))
        && path.ends_with(".xml")
}

fn files(archive: &Archive, statics: &Statics, documents: &BTreeSet<String>) -> Vec<FileEntry> {
    let outcome = |path: &str| {
        if let Some(fate) = path.strip_prefix("static/").and_then(|path| statics.fates().get(path)) {
            return match fate {
                Fate::Asset { .. }
                    if path.strip_prefix("static/").is_some_and(|path| documents.contains(path)) =>
                {
                    FileOutcome::Document
                }
                Fate::Asset { .. } => FileOutcome::Asset,
                Fate::Subtitles { asset, .. } => FileOutcome::Converted { asset: asset.clone() },
                Fate::Skipped { reason } => FileOutcome::Skipped { reason: (*reason).to_owned() },
            };
        }
        if archive.was_read(path) {
            return FileOutcome::Source;
        }
        let folder = path.split('/').next().unwrap_or_default();
        let reason = OTHER_FOLDERS
            .iter()
            .find(|(other, _)| *other == folder)
            .map_or(UNREFERENCED, |(_, reason)| reason);
        FileOutcome::Skipped { reason: reason.to_owned() }
    };
    let inside = archive.paths().map(|path| FileEntry { path: path.to_owned(), outcome: outcome(path) });
    let outside = archive.outside.iter().map(|path| FileEntry {
        path: path.clone(),
        outcome: FileOutcome::Skipped { reason: "it stands beside the course".to_owned() },
    });
    inside.chain(outside).collect()
}

fn assets(archive: &mut Archive, statics: &Statics) -> Vec<Asset> {
    let mut assets: Vec<Asset> = statics
        .fates()
        .iter()
        .filter_map(|(path, fate)| match fate {
            Fate::Asset { content_type } => {
                Some(Asset { path: path.clone(), content_type, bytes: archive.take_static(path) })
            }
            Fate::Subtitles { asset, webvtt } => Some(Asset {
                path: asset.clone(),
                content_type: "text/vtt",
                bytes: webvtt.clone().into_bytes(),
            }),
            Fate::Skipped { .. } => None,
        })
        .collect();
    assets.sort_by(|one, other| one.path.cmp(&other.path));
    assets
}
