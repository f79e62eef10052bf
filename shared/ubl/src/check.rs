//! The rules that an invoice keeps before it is written.

use akademi_domain::{
    money::Currency,
    pricing::{MAX_AMOUNT, MAX_LINES},
    time::Day,
};

use crate::{Identity, InvalidInvoice, Invoice, Kind, Line, Party, Profile, totals::vat_inside};

/// Longer than a name, a title or a street is, and short enough for every integrator.
const MAX_CHARACTERS: usize = 500;

/// # Errors
/// [`InvalidInvoice`], the first rule that is broken.
pub fn check(invoice: &Invoice) -> Result<(), InvalidInvoice> {
    let day = invoice.issued_at.day_in_istanbul();
    check_day(invoice, day)?;
    match (invoice.currency, invoice.exchange_rate) {
        (Currency::TRY, None) => {}
        (Currency::EUR | Currency::USD, Some(_)) => {}
        _ => return Err(InvalidInvoice::ExchangeRate),
    }
    check_party(&invoice.seller, &SELLER)?;
    if invoice.seller.tax_office.is_none() {
        return Err(InvalidInvoice::Missing(SELLER.tax_office));
    }
    check_party(&invoice.buyer, &BUYER)?;
    check_text("the order", &invoice.order)?;
    if let Some(payment) = &invoice.payment {
        check_text("the payment's agent", &payment.agent)?;
    }
    invoice.notes.iter().try_for_each(|note| check_text("a note", note))?;
    if let Kind::Return(original) = invoice.kind {
        if invoice.profile == Profile::Commercial {
            return Err(InvalidInvoice::CommercialReturn);
        }
        if original.number == invoice.number || original.issued_on > day {
            return Err(InvalidInvoice::Original);
        }
    }
    check_lines(invoice)
}

fn check_day(invoice: &Invoice, day: Day) -> Result<(), InvalidInvoice> {
    let year = day.date().map_or(0, |date| date.year());
    if !(2005..=2099).contains(&year) {
        return Err(InvalidInvoice::IssueDay);
    }
    if year == i16::try_from(invoice.number.year()).unwrap_or(0) { Ok(()) } else { Err(InvalidInvoice::Year) }
}

/// What the parts of a party are called in an error.
struct Words {
    name: &'static str,
    first_name: &'static str,
    family_name: &'static str,
    street: &'static str,
    district: &'static str,
    city: &'static str,
    postal_code: &'static str,
    country: &'static str,
    tax_office: &'static str,
    email: &'static str,
    website: &'static str,
}

macro_rules! words {
    ($whose:literal) => {
        Words {
            name: concat!("the ", $whose, "'s name"),
            first_name: concat!("the ", $whose, "'s first name"),
            family_name: concat!("the ", $whose, "'s family name"),
            street: concat!("the ", $whose, "'s street"),
            district: concat!("the ", $whose, "'s district"),
            city: concat!("the ", $whose, "'s city"),
            postal_code: concat!("the ", $whose, "'s postal code"),
            country: concat!("the ", $whose, "'s country"),
            tax_office: concat!("the ", $whose, "'s tax office"),
            email: concat!("the ", $whose, "'s e-mail address"),
            website: concat!("the ", $whose, "'s site"),
        }
    };
}

const SELLER: Words = words!("seller");
const BUYER: Words = words!("buyer");

fn check_party(party: &Party, words: &Words) -> Result<(), InvalidInvoice> {
    match &party.identity {
        Identity::Company { name, .. } => check_text(words.name, name)?,
        Identity::Person { first_name, family_name, .. } => {
            check_text(words.first_name, first_name)?;
            check_text(words.family_name, family_name)?;
        }
    }
    let address = &party.address;
    check_text(words.district, &address.district)?;
    check_text(words.city, &address.city)?;
    check_text(words.country, &address.country)?;
    for (word, text) in [
        (words.street, &address.street),
        (words.postal_code, &address.postal_code),
        (words.tax_office, &party.tax_office),
        (words.email, &party.email),
        (words.website, &party.website),
    ] {
        // What is there says something.
        text.iter().try_for_each(|text| check_text(word, text))?;
    }
    Ok(())
}

fn check_text(what: &'static str, text: &str) -> Result<(), InvalidInvoice> {
    if text.trim().is_empty() {
        return Err(InvalidInvoice::Missing(what));
    }
    if text.chars().count() > MAX_CHARACTERS {
        return Err(InvalidInvoice::TooLong(what, MAX_CHARACTERS));
    }
    // XML 1.0 §2.2, without the line breaks and tabs that these texts do not have.
    let is_character = |char: char| !char.is_control() && !matches!(char, '\u{fffe}' | '\u{ffff}');
    if text.chars().all(is_character) { Ok(()) } else { Err(InvalidInvoice::Character(what)) }
}

fn check_lines(invoice: &Invoice) -> Result<(), InvalidInvoice> {
    if invoice.lines.is_empty() || invoice.lines.len() > MAX_LINES {
        return Err(InvalidInvoice::Lines);
    }
    let (mut total, mut vat) = (0_i64, 0_i64);
    for (place, line) in (1..).zip(&invoice.lines) {
        check_line(place, line)?;
        total = total.saturating_add(line.total);
        vat = vat.saturating_add(line.vat);
    }
    if total != invoice.total || total > MAX_AMOUNT {
        return Err(InvalidInvoice::Total);
    }
    if vat != invoice.vat {
        return Err(InvalidInvoice::Vat);
    }
    if total == 0 { Err(InvalidInvoice::NothingToPay) } else { Ok(()) }
}

fn check_line(place: usize, line: &Line) -> Result<(), InvalidInvoice> {
    check_text("a line's name", &line.name)?;
    let amounts = [line.price, line.discount, line.total, line.vat];
    if !amounts.iter().all(|amount| (0..=MAX_AMOUNT).contains(amount)) {
        return Err(InvalidInvoice::Amount(place));
    }
    if line.price - line.discount != line.total {
        return Err(InvalidInvoice::LineTotal(place));
    }
    let by_rate = vat_inside(line.total, line.vat_rate);
    let taxes_nothing = line.vat_rate.get() == 0 || line.total == 0;
    if line.vat > line.total || line.vat.abs_diff(by_rate) > u64::from(!taxes_nothing) {
        return Err(InvalidInvoice::LineVat(place));
    }
    if line.exemption.is_some() && line.vat_rate.get() != 0 {
        return Err(InvalidInvoice::Exemption(place));
    }
    Ok(())
}
