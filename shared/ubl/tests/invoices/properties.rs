//! Any basket.

use akademi_domain::pricing::{BasisPoints, MAX_AMOUNT, MAX_LINES};
use akademi_ubl::{Invoice, Line, to_xml};
use proptest::prelude::*;

use crate::{
    reader::{broken, read, read_lines},
    samples::{invoice, refund},
};

/// A line priced up to `max`, with a discount, and VAT rounded half up, or booked one unit off as the last part of a
/// refund may be.
fn line(max: i64) -> impl Strategy<Value = Line> {
    let name = "[A-ZÇĞİÖŞÜa-zçğıöşü0-9&<>'\" .]{0,20}[a-z]";
    let rate = prop_oneof![Just(0), Just(100), Just(1000), Just(2000), 0_u16..=10_000];
    (name, 0..=max, 0_i64..=10_000, rate, -1_i64..=1).prop_map(|(name, price, share, rate, off)| {
        let discount = i64::try_from(i128::from(price) * i128::from(share) / 10_000).unwrap();
        let total = price - discount;
        let (parts, rate_of) = (10_000 + i128::from(rate), i128::from(rate));
        let vat = i64::try_from((2 * i128::from(total) * rate_of + parts) / (2 * parts)).unwrap();
        let off = if rate == 0 || total == 0 { 0 } else { off };
        let vat = (vat + off).clamp(0, total);
        Line { name, price, discount, total, vat, vat_rate: BasisPoints::new(rate).unwrap(), exemption: None }
    })
}

fn basket() -> impl Strategy<Value = Vec<Line>> {
    prop_oneof![
        4 => prop::collection::vec(line(1_000_000), 1..=12),
        1 => prop::collection::vec(line(MAX_AMOUNT / 100), 1..=MAX_LINES),
    ]
    .prop_filter("something is paid", |lines| lines.iter().any(|line| line.total > 0))
}

fn minor(text: &str) -> i64 {
    text.replace('.', "").parse().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn whatever_is_in_the_basket_the_document_breaks_no_rule_and_asks_for_what_was_paid(lines in basket()) {
        let sale = invoice(lines.clone());
        let back = Invoice { lines, total: sale.total, vat: sale.vat, ..refund() };
        for document in [sale, back] {
            let xml = to_xml(&document).unwrap();
            prop_assert_eq!(broken(&xml), Vec::<&str>::new());
            prop_assert_eq!(minor(&read(&xml, "LegalMonetaryTotal/PayableAmount")), document.total);
            prop_assert_eq!(minor(&read(&xml, "TaxTotal/TaxAmount")), document.vat);
            // Names come back as they went in, and what is net and what is VAT is the line's total.
            let read: Vec<_> = read_lines(&xml).into_iter().map(|(name, net, vat)| (name, net + vat)).collect();
            let lines: Vec<_> = document.lines.iter().map(|line| (line.name.clone(), line.total)).collect();
            prop_assert_eq!(read, lines);
        }
    }

    #[test]
    fn an_amount_that_is_off_is_refused(lines in basket(), which in any::<prop::sample::Index>(), what in 0..5) {
        let mut wrong = invoice(lines);
        let line = which.get(&wrong.lines).clone();
        let place = wrong.lines.iter().position(|other| *other == line).unwrap();
        match what {
            0 => wrong.total += 1,
            1 => wrong.vat += 1,
            2 => wrong.lines[place].total += 1,
            3 => wrong.lines[place].price += 1,
            _ => wrong.lines[place].vat += 3,
        }
        prop_assert!(to_xml(&wrong).is_err());
    }
}
