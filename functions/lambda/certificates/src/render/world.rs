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
    main: FileId,
    sources: [Source; 3],
    data: FileId,
    qr: FileId,
    logo: FileId,
}

impl Assets {
    pub fn new() -> Result<Self, String> {
        let fonts = embedded_fonts()?;
        Ok(Self {
            library: LazyHash::new(Library::default()),
            book: LazyHash::new(FontBook::from_fonts(&fonts)),
            fonts,
            main: file("certificate.typ")?,
            sources: [
                Source::new(file("certificate.typ")?, include_str!("certificate.typ").to_owned()),
                Source::new(file("phrases.typ")?, include_str!("phrases.typ").to_owned()),
                Source::new(file("ornament.typ")?, include_str!("ornament.typ").to_owned()),
            ],
            data: file("certificate.json")?,
            qr: file("qr.svg")?,
            logo: file("logo.jpg")?,
        })
    }

    /// The fonts of what people wrote, first choice first.
    pub fn written_fonts(&self) -> impl Iterator<Item = &Font> {
        self.fonts.iter().take(WRITTEN_FONTS)
    }
}

fn file(name: &str) -> Result<FileId, String> {
    let path = VirtualPath::new(name).map_err(|problem| problem.to_string())?;
    Ok(RootedPath::new(VirtualRoot::Project, path).intern())
}

/// How many of the embedded fonts are for what people wrote; the others are for the page's own words.
const WRITTEN_FONTS: usize = 3;

/// One that the build script took out of Typst's.
macro_rules! libertinus {
    ($style:literal) => {
        include_bytes!(concat!(env!("OUT_DIR"), "/LibertinusSerif-", $style, ".otf")).as_slice()
    };
}

/// Libertinus Serif for Latin, Greek and Cyrillic, then DejaVu Sans for Arabic, Hebrew, Armenian, Georgian and
/// symbols, then Noto Emoji. All may be embedded (SIL Open Font License 1.1; DejaVu under Bitstream Vera's).
fn embedded_fonts() -> Result<Vec<Font>, String> {
    let font = |data: &'static [u8]| Font::new(Bytes::new(data), 0);
    let fonts = [
        ("Libertinus Serif Semibold", font(libertinus!("Semibold"))),
        ("DejaVu Sans", font(dejavu::sans::regular())),
        ("Noto Emoji", font(epaint_default_fonts::NOTO_EMOJI_REGULAR)),
        ("Libertinus Serif Italic", font(libertinus!("Italic"))),
    ];
    fonts.into_iter().map(|(name, font)| font.ok_or_else(|| format!("{name} cannot be read"))).collect()
}

/// One certificate in the world.
pub struct Page<'a> {
    pub assets: &'a Assets,
    /// The template's data, as JSON.
    pub data: Bytes,
    /// The QR code, as SVG.
    pub qr: Bytes,
    /// The logo, as JPEG.
    pub logo: Option<Bytes>,
}

impl World for Page<'_> {
    fn library(&self) -> &LazyHash<Library> {
        &self.assets.library
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &self.assets.book
    }

    fn main(&self) -> FileId {
        self.assets.main
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        self.assets
            .sources
            .iter()
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
            let logo = self.logo.clone().filter(|_| id == self.assets.logo);
            logo.ok_or_else(|| FileError::NotFound(id.vpath().get_without_slash().into()))
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
