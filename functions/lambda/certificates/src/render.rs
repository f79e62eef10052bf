//! A certificate as a PDF, typeset with Typst.
//!
//! Whatever a person wrote reaches the template as data (`certificate.json` of a world that exists in memory only)
//! and never as markup. The world has no disk, no network, no clock and no packages.

mod certificate;
mod printable;
mod qr;
mod world;

use std::sync::atomic::{AtomicU32, Ordering};

use serde::Serialize;
use typst::diag::SourceDiagnostic;
use typst::ecow::EcoVec;
use typst::foundations::{Bytes, Smart};
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards};

pub use certificate::{Certificate, InvalidVerifyUrl, Locale, VerifyUrl};

use printable::{Line, Printable};
use world::{Assets, Page};

/// Renders between two sweeps of Typst's memory, which is one cache for the whole process. What was not used since
/// the sweep before the last one is dropped: the fonts and the border stay, the names of past learners go.
const RENDERS_PER_SWEEP: u32 = 16;

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// This field has nothing that could be printed: it is empty or only white space and invisible characters.
    #[error("{0} has no printable text")]
    Blank(&'static str),
    #[error("the verification address does not fit a QR code")]
    QrCode,
    /// A defect of the template, not of the certificate. The diagnostics may quote the learner's name, so they are
    /// in `Debug` only.
    #[error("the page could not be typeset")]
    Typesetting(Vec<String>),
}

/// Fonts, template and settings: made once, shared by threads.
pub struct Renderer {
    assets: Assets,
    printable: Printable,
    standards: PdfStandards,
    renders: AtomicU32,
}

impl Renderer {
    /// Parses the embedded fonts and the template.
    ///
    /// # Errors
    /// [`RenderError::Typesetting`] if what is embedded is broken.
    pub fn new() -> Result<Self, RenderError> {
        let assets = Assets::new().map_err(|problem| RenderError::Typesetting(vec![problem]))?;
        let standards = PdfStandards::new(&[PdfStandard::A_2b])
            .map_err(|problem| RenderError::Typesetting(vec![problem.message().to_string()]))?;
        let printable = Printable::new(assets.written_fonts());
        Ok(Self { assets, printable, standards, renders: AtomicU32::new(0) })
    }

    /// The PDF of a certificate: PDF/A-2b (ISO 19005-2), one A4 page in landscape, fonts embedded as subsets. The
    /// same certificate gives the same bytes.
    ///
    /// # Errors
    /// See [`RenderError`].
    pub fn render(&self, certificate: &Certificate) -> Result<Vec<u8>, RenderError> {
        let pdf = self.typeset(certificate);
        if self.renders.fetch_add(1, Ordering::Relaxed) % RENDERS_PER_SWEEP == RENDERS_PER_SWEEP - 1 {
            typst::comemo::evict(1);
        }
        pdf
    }

    fn typeset(&self, certificate: &Certificate) -> Result<Vec<u8>, RenderError> {
        let field = |name, text: &str| self.printable.line(text).ok_or(RenderError::Blank(name));
        let data = TemplateData {
            learner: field("learner_name", &certificate.learner_name)?,
            course: field("course_title", &certificate.course_title)?,
            academy: field("academy_name", &certificate.academy_name)?,
            has_logo: certificate.logo.is_some(),
            brand: certificate.brand_colour.to_string(),
            brand_ink: certificate.brand_colour.readable_on_white().to_string(),
            serial: certificate.serial.to_string(),
            verify_url: certificate.verify_url.as_str(),
            locale: certificate.locale.language(),
            year: certificate.issued_on.year(),
            month: certificate.issued_on.month(),
            day: certificate.issued_on.day(),
        };
        let json = serde_json::to_vec(&data)
            .map_err(|problem| RenderError::Typesetting(vec![problem.to_string()]))?;
        let qr = qr::svg(certificate.verify_url.as_str()).ok_or(RenderError::QrCode)?;
        let logo = certificate.logo.clone().map(Bytes::new);
        let page = Page { assets: &self.assets, data: Bytes::new(json), qr: Bytes::from_string(qr), logo };

        let document = typst::compile::<PagedDocument>(&page).output.map_err(diagnostics)?;
        let options = PdfOptions {
            ident: Smart::Custom(certificate.serial.to_string()),
            creator: Smart::Custom(Some("Akademi".to_owned())),
            standards: self.standards.clone(),
            ..PdfOptions::default()
        };
        typst_pdf::pdf(&document, &options).map_err(diagnostics)
    }
}

/// What the template reads.
#[derive(Serialize)]
struct TemplateData<'a> {
    learner: Line,
    course: Line,
    academy: Line,
    has_logo: bool,
    brand: String,
    brand_ink: String,
    serial: String,
    verify_url: &'a str,
    locale: &'static str,
    year: i16,
    month: i8,
    day: i8,
}

fn diagnostics(found: EcoVec<SourceDiagnostic>) -> RenderError {
    RenderError::Typesetting(found.iter().map(|diagnostic| diagnostic.message.to_string()).collect())
}
