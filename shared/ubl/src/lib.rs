//! Turkish electronic invoices as documents: UBL-TR 1.2, GİB's profile of UBL 2.1.
//!
//! [`to_xml`] is pure: an [`Invoice`] in, its XML or one [`InvalidInvoice`] out. The document is unsigned, as an
//! integrator (özel entegratör) takes it.
//!
//! # Amounts
//! An order's prices are gross, the VAT inside; a document's are net, in decimals. So a line's net is its total less its
//! VAT, and its discount what lies between that and the net of its price: price − discount = net on each line, and
//! Σ net + Σ VAT is what was paid, to the last kuruş. VAT is taken as it was booked, if it is within one minor unit
//! of what the rate makes of the line: a refund in parts books the last of them as what is left.
//!
//! # Source
//! GİB, "UBL-TR" package: UBL-TR_Main_Schematron, UBL-TR_Common_Schematron and UBL-TR_Codelist.

mod check;
mod error;
mod invoice;
mod number;
mod totals;
mod write;
mod xml;

pub use error::InvalidInvoice;
pub use invoice::{
    Address, Exemption, Identity, InvalidExemption, Invoice, Kind, Line, OriginalInvoice, Party, Payment,
    PricingExchangeRate, Profile,
};
pub use number::{InvalidNumber, InvoiceNumber, MAX_SEQUENCE, Series};

/// The document of an invoice, in UTF-8 without a byte order mark.
///
/// # Errors
/// [`InvalidInvoice`], the first rule that is broken.
pub fn to_xml(invoice: &Invoice) -> Result<String, InvalidInvoice> {
    check::check(invoice)?;
    write::write(invoice).map_err(|_| InvalidInvoice::NotWritten)
}
