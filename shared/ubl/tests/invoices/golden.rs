//! Whole documents, as they were once read and found right.

use akademi_ubl::{Line, to_xml};

use crate::{
    reader::{read, read_line},
    samples::{invoice, line, refund, sale},
};

#[test]
fn a_sale_is_written_word_for_word() {
    assert_eq!(to_xml(&sale()).unwrap(), include_str!("sale.xml").trim_end());
}

#[test]
fn a_return_is_written_word_for_word() {
    assert_eq!(to_xml(&refund()).unwrap(), include_str!("return.xml").trim_end());
}

#[test]
fn the_worked_example_holds() {
    let xml = to_xml(&invoice(vec![line("Kurs", 49_990, 0, 2000)])).unwrap();
    assert_eq!(read(&xml, "LegalMonetaryTotal/TaxExclusiveAmount"), "416.58");
    assert_eq!(read(&xml, "TaxTotal/TaxAmount"), "83.32");
    assert_eq!(read(&xml, "LegalMonetaryTotal/PayableAmount"), "499.90");
    assert_eq!(read_line(&xml, 0, "AllowanceCharge"), None);

    // 449.91 holds 74.985 of VAT: booked low, the base is rounded up.
    let with_coupon = Line { vat: 7_498, ..line("Kurs", 49_990, 4_999, 2000) };
    let with_coupon = to_xml(&invoice(vec![with_coupon])).unwrap();
    assert_eq!(read(&with_coupon, "LegalMonetaryTotal/TaxExclusiveAmount"), "374.93");
    assert_eq!(read(&with_coupon, "TaxTotal/TaxAmount"), "74.98");
    assert_eq!(read_line(&with_coupon, 0, "Price/PriceAmount").unwrap(), "416.58");
    assert_eq!(read_line(&with_coupon, 0, "AllowanceCharge/Amount").unwrap(), "41.65");
}

#[test]
fn rates_are_written_without_idle_zeros_and_grouped() {
    let lines: Vec<Line> =
        [100, 2000, 1850, 2000].iter().map(|rate| line("Kurs", 10_000, 0, *rate)).collect();
    let xml = to_xml(&invoice(lines)).unwrap();
    let rates: Vec<_> =
        (0..4).map(|place| read_line(&xml, place, "TaxTotal/TaxSubtotal/Percent").unwrap()).collect();
    assert_eq!(rates, ["1", "20", "18.5", "20"]);
    assert_eq!(xml.matches("<cbc:Percent>20</cbc:Percent>").count(), 3, "two lines and one subtotal");
}

#[test]
fn what_bears_no_vat_says_why() {
    // Two kuruş hold no VAT; a gift holds none either.
    let xml = to_xml(&invoice(vec![line("Kurs", 2, 0, 2000), line("Hediye", 5_000, 5_000, 2000)])).unwrap();
    assert_eq!(read(&xml, "InvoiceTypeCode"), "SATIS");
    for place in [0, 1] {
        let code = read_line(&xml, place, "TaxTotal/TaxSubtotal/TaxCategory/TaxExemptionReasonCode");
        assert_eq!(code.unwrap(), "351");
    }
}
