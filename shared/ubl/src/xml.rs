//! Elements of the two component namespaces, in the order in which they are written.

use akademi_domain::{money::Currency, pricing::BasisPoints};
use quick_xml::{
    events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event},
    writer::Writer,
};
use std::io;

const ROOT: &str = "Invoice";
const NAMESPACES: [(&str, &str); 3] = [
    ("xmlns", "urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"),
    ("xmlns:cac", "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"),
    ("xmlns:cbc", "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"),
];

/// A document that grows.
pub struct Xml {
    writer: Writer<Vec<u8>>,
    currency: Currency,
}

impl Xml {
    /// The whole document, its root's content written by `content`; amounts are of `currency`.
    pub fn document(
        currency: Currency,
        content: impl FnOnce(&mut Self) -> io::Result<()>,
    ) -> io::Result<String> {
        let mut xml = Self { writer: Writer::new_with_indent(Vec::new(), b' ', 1), currency };
        xml.writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
        xml.writer.write_event(Event::Start(BytesStart::new(ROOT).with_attributes(NAMESPACES)))?;
        content(&mut xml)?;
        xml.writer.write_event(Event::End(BytesEnd::new(ROOT)))?;
        String::from_utf8(xml.writer.into_inner()).map_err(io::Error::other)
    }

    /// `name` is one of the aggregate components, `cac:…`.
    pub fn group(
        &mut self,
        name: &'static str,
        content: impl FnOnce(&mut Self) -> io::Result<()>,
    ) -> io::Result<()> {
        self.writer.write_event(Event::Start(BytesStart::new(name)))?;
        content(self)?;
        self.writer.write_event(Event::End(BytesEnd::new(name)))
    }

    /// `name` is one of the basic components, `cbc:…`.
    pub fn text(&mut self, name: &'static str, text: &str) -> io::Result<()> {
        self.element(name, None, text)
    }

    /// Nothing at all for `None`.
    pub fn optional(&mut self, name: &'static str, text: Option<&str>) -> io::Result<()> {
        text.map_or(Ok(()), |text| self.text(name, text))
    }

    pub fn with_attribute(
        &mut self,
        name: &'static str,
        attribute: (&'static str, &str),
        text: &str,
    ) -> io::Result<()> {
        self.element(name, Some(attribute), text)
    }

    /// Minor units, written with the currency's two decimals.
    pub fn amount(&mut self, name: &'static str, minor: i64) -> io::Result<()> {
        let sign = if minor < 0 { "-" } else { "" };
        let text = format!("{sign}{}.{:02}", minor.unsigned_abs() / 100, minor.unsigned_abs() % 100);
        self.element(name, Some(("currencyID", self.currency.code())), &text)
    }

    /// In per cent, with as many decimals as are not zero.
    pub fn percent(&mut self, name: &'static str, rate: BasisPoints) -> io::Result<()> {
        let text = format!("{}.{:02}", rate.get() / 100, rate.get() % 100);
        self.text(name, text.trim_end_matches('0').trim_end_matches('.'))
    }

    fn element(
        &mut self,
        name: &'static str,
        attribute: Option<(&'static str, &str)>,
        text: &str,
    ) -> io::Result<()> {
        let start = BytesStart::new(name).with_attributes(attribute);
        self.writer.write_event(Event::Start(start))?;
        self.writer.write_event(Event::Text(BytesText::new(text)))?;
        self.writer.write_event(Event::End(BytesEnd::new(name)))
    }
}
