//! Bad input is one clear error.

use akademi_domain::{money::Currency, time::Timestamp};
use akademi_ubl::{Exemption, Identity, InvalidInvoice, Invoice, Kind, OriginalInvoice, Profile, to_xml};

use crate::samples::{export, invoice, line, refund, sale, some};

fn refused(change: impl FnOnce(&mut Invoice)) -> InvalidInvoice {
    refused_of(sale(), change)
}

fn refused_of(mut invoice: Invoice, change: impl FnOnce(&mut Invoice)) -> InvalidInvoice {
    assert!(to_xml(&invoice).is_ok());
    change(&mut invoice);
    to_xml(&invoice).unwrap_err()
}

#[test]
fn names_and_addresses_are_there_and_fit() {
    let missing = refused(|it| it.buyer.address.city = " ".into());
    assert_eq!(missing.to_string(), "the buyer's city is missing");
    let missing = refused(|it| it.seller.tax_office = None);
    assert_eq!(missing, InvalidInvoice::Missing("the seller's tax office"));
    let missing =
        refused(|it| it.seller.identity = Identity::Company { number: some("1234567890"), name: "".into() });
    assert_eq!(missing, InvalidInvoice::Missing("the seller's name"));
    let missing = refused(|it| {
        it.buyer.identity = Identity::Person {
            number: some("10000000146"),
            first_name: "Ayşe".into(),
            family_name: "".into(),
        };
    });
    assert_eq!(missing, InvalidInvoice::Missing("the buyer's family name"));
    let long = refused(|it| it.lines[0].name = "ş".repeat(501));
    assert_eq!(long, InvalidInvoice::TooLong("a line's name", 500));
    let control = refused(|it| it.lines[1].name = "Kurs\u{1}".into());
    assert_eq!(control, InvalidInvoice::Character("a line's name"));
}

#[test]
fn amounts_are_those_of_the_lines() {
    assert_eq!(refused(|it| it.lines.clear()), InvalidInvoice::Lines);
    assert_eq!(refused(|it| it.total -= 1), InvalidInvoice::Total);
    assert_eq!(refused(|it| it.vat -= 1), InvalidInvoice::Vat);
    assert_eq!(refused(|it| it.lines[1].discount = 1), InvalidInvoice::LineTotal(2));
    assert_eq!(refused(|it| it.lines[0].vat += 2), InvalidInvoice::LineVat(1));
    assert_eq!(refused(|it| it.lines[0].discount = -1), InvalidInvoice::Amount(1));
    assert_eq!(refused(|it| it.lines[0].price = i64::MAX), InvalidInvoice::Amount(1));
    let nothing = to_xml(&invoice(vec![line("Hediye", 1_000, 1_000, 2000)]));
    assert_eq!(nothing, Err(InvalidInvoice::NothingToPay));
}

#[test]
fn what_is_taxed_is_not_exempt_and_codes_are_those_of_the_list() {
    let exemption = Exemption::new(302, "11/1-a Hizmet ihracatı").unwrap();
    assert_eq!(refused(|it| it.lines[0].exemption = Some(exemption)), InvalidInvoice::Exemption(1));
    for (code, reason) in [(351, "Diğer"), (200, "x"), (251, "x"), (701, "x"), (302, " ")] {
        assert!(Exemption::new(code, reason).is_err(), "{code} {reason}");
    }
}

#[test]
fn days_are_those_of_the_number() {
    assert_eq!(refused(|it| it.number = some("EDU2025000000001")), InvalidInvoice::Year);
    assert_eq!(refused(|it| it.issued_at = Timestamp::from_millis(0)), InvalidInvoice::IssueDay);
    // The last second of a year in Istanbul is three hours before the last of UTC.
    let new_year = Timestamp::from_millis(1_798_750_800_000);
    assert_eq!(refused(|it| it.issued_at = new_year), InvalidInvoice::Year);
    let mut last = sale();
    last.issued_at = Timestamp::from_millis(new_year.as_millis() - 1);
    assert!(to_xml(&last).unwrap().contains(">2026-12-31</cbc:IssueDate>\n <cbc:IssueTime>23:59:59<"));
}

#[test]
fn other_currencies_have_a_rate_and_the_lira_none() {
    assert_eq!(refused_of(export(), |it| it.exchange_rate = None), InvalidInvoice::ExchangeRate);
    assert_eq!(refused_of(export(), |it| it.currency = Currency::TRY), InvalidInvoice::ExchangeRate);
    let rate = export().exchange_rate;
    assert_eq!(refused(|it| it.exchange_rate = rate), InvalidInvoice::ExchangeRate);
}

#[test]
fn a_return_refers_to_another_invoice_before_it() {
    assert_eq!(refused_of(refund(), |it| it.profile = Profile::Commercial), InvalidInvoice::CommercialReturn);
    let itself = OriginalInvoice { number: some("EDU2026000000002"), issued_on: some("2026-09-20") };
    assert_eq!(refused_of(refund(), |it| it.kind = Kind::Return(itself)), InvalidInvoice::Original);
    let later = OriginalInvoice { number: some("EDU2026000000001"), issued_on: some("2026-09-22") };
    assert_eq!(refused_of(refund(), |it| it.kind = Kind::Return(later)), InvalidInvoice::Original);
}
