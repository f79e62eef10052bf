//! The world in which Typst compiles: fonts, template and one certificate, all in memory.

use typst::diag::{FileError, FileResult};
use typst::foundations::{Bytes, Datetime, Duration};
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt, World};

/// What all certificates share.
pub struct Assets {
    library: LazyHash<Library>,
    book: LazyHash<FontBook>,
    fonts: Vec<Font>,
    template: Source,
    ornament: Source,
    data: FileId,
    qr: FileId,
}

impl Assets {
    pub fn new() -> Result<Self, String> {
        let fonts = embedded_fonts()?;
        Ok(Self {
            library: LazyHash::new(Library::default()),
            book: LazyHash::new(FontBook::from_fonts(&fonts)),
            fonts,
            template: Source::new(file("certificate.typ")?, include_str!("certificate.typ").to_owned()),
            ornament: Source::new(file("ornament.typ")?, include_str!("ornament.typ").to_owned()),
            data: file("certificate.json")?,
            qr: file("qr.svg")?,
        })
    }

    pub fn fonts(&self) -> &[Font] {
        &self.fonts
    }
}

fn file(name: &str) -> Result<FileId, String> {
    let path = VirtualPath::new(name).map_err(|problem| problem.to_string())?;
    Ok(RootedPath::new(VirtualRoot::Project, path).intern())
}

/// Libertinus Serif for Latin, Greek and Cyrillic, then DejaVu Sans for Arabic, Hebrew, Armenian, Georgian and
/// symbols, then Noto Emoji. All may be embedded (SIL Open Font License 1.1; DejaVu under Bitstream Vera's).
fn embedded_fonts() -> Result<Vec<Font>, String> {
    let libertinus = typst_assets::fonts().filter_map(|data| Font::new(Bytes::new(data), 0)).filter(|font| {
        let name = font.post_script_name();
        ["LibertinusSerif-Regular", "LibertinusSerif-Italic", "LibertinusSerif-Semibold"]
            .iter()
            .any(|wanted| name.as_deref() == Some(*wanted))
    });
    let others = [dejavu::sans::regular(), epaint_default_fonts::NOTO_EMOJI_REGULAR]
        .into_iter()
        .filter_map(|data| Font::new(Bytes::new(data), 0));
    let fonts: Vec<Font> = libertinus.chain(others).collect();
    if fonts.len() == 5 {
        Ok(fonts)
    } else {
        Err(format!("{} of 5 embedded fonts could be read", fonts.len()))
    }
}

/// One certificate in the world.
pub struct Page<'a> {
    pub assets: &'a Assets,
    /// The template's data, as JSON.
    pub data: Bytes,
    /// The QR code, as SVG.
    pub qr: Bytes,
}

impl World for Page<'_> {
    fn library(&self) -> &LazyHash<Library> {
        &self.assets.library
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &self.assets.book
    }

    fn main(&self) -> FileId {
        self.assets.template.id()
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        [&self.assets.template, &self.assets.ornament]
            .into_iter()
            .find(|source| source.id() == id)
            .cloned()
            .ok_or_else(|| FileError::NotFound(id.vpath().get_without_slash().into()))
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        if id == self.assets.data {
            Ok(self.data.clone())
        } else if id == self.assets.qr {
            Ok(self.qr.clone())
        } else {
            Err(FileError::NotFound(id.vpath().get_without_slash().into()))
        }
    }

    fn font(&self, index: usize) -> Option<Font> {
        self.assets.fonts.get(index).cloned()
    }

    /// The template does not ask for the day; if it did, it would get none.
    fn today(&self, _: Option<Duration>) -> Option<Datetime> {
        None
    }
}
