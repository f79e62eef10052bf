//! Why there is no document.

use akademi_domain::pricing::MAX_LINES;

/// The first rule that an invoice breaks. Lines count from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidInvoice {
    #[error("{0} is missing")]
    Missing(&'static str),
    #[error("{0} is longer than {1} characters")]
    TooLong(&'static str, usize),
    /// XML 1.0 §2.2 has no place for most control characters.
    #[error("{0} holds a character that no XML document can")]
    Character(&'static str),
    #[error("an invoice has 1 to {MAX_LINES} lines")]
    Lines,
    #[error("line {0}: an amount is negative or too large")]
    Amount(usize),
    #[error("line {0}: the price less the discount is not the total")]
    LineTotal(usize),
    #[error("line {0}: the VAT is not what the rate makes of the total")]
    LineVat(usize),
    #[error("line {0}: what is taxed is not exempt")]
    Exemption(usize),
    #[error("the lines' totals do not sum to the invoice's")]
    Total,
    #[error("the lines' VAT does not sum to the invoice's")]
    Vat,
    #[error("there is nothing to pay")]
    NothingToPay,
    #[error("the number is of another year than the day of issue")]
    Year,
    #[error("the day of issue lies before 2005 or beyond 2099")]
    IssueDay,
    #[error("an amount in another currency than TRY needs the exchange rate, and one in TRY has none")]
    ExchangeRate,
    /// GİB takes returns by the basic scenario, which nobody answers.
    #[error("a return is no TICARIFATURA")]
    CommercialReturn,
    #[error("a return's original was issued later, or is itself")]
    Original,
    /// A defect of ours: memory takes whatever is written.
    #[error("the document was not written")]
    NotWritten,
}
