//! Invoices to write.

use akademi_domain::{money::Currency, pricing::BasisPoints, time::Timestamp};
use akademi_ubl::{
    Address, Identity, Invoice, Kind, Line, OriginalInvoice, Party, Payment, PricingExchangeRate, Profile,
};
use std::str::FromStr;

/// 2026-09-21T17:13:20 in Istanbul.
pub const ISSUED_AT: Timestamp = Timestamp::from_millis(1_790_000_000_250);

pub fn some<T: FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

pub fn seller() -> Party {
    Party {
        identity: Identity::Company { number: some("1234567890"), name: "Kadıköy Akademi A.Ş.".into() },
        address: Address {
            street: Some("Bahariye Cd. No: 1".into()),
            district: "Kadıköy".into(),
            city: "İstanbul".into(),
            postal_code: Some("34710".into()),
            country: "Türkiye".into(),
        },
        tax_office: Some("Kadıköy".into()),
        email: Some("muhasebe@kadikoy.example".into()),
        website: Some("https://kadikoy.example".into()),
    }
}

pub fn consumer() -> Party {
    Party {
        identity: Identity::Person {
            number: some("10000000146"),
            first_name: "Ayşe & <Fatma>".into(),
            family_name: "Yılmaz".into(),
        },
        address: Address {
            street: None,
            district: "Üsküdar".into(),
            city: "İstanbul".into(),
            postal_code: None,
            country: "Türkiye".into(),
        },
        tax_office: None,
        email: Some("ayse@example.com".into()),
        website: None,
    }
}

pub fn company() -> Party {
    Party {
        identity: Identity::Company {
            number: some("4840847211"), name: "Örnek Yazılım Ltd. Şti.".into()
        },
        tax_office: Some("Ümraniye".into()),
        ..consumer()
    }
}

/// A line whose VAT is what the rate makes of it.
pub fn line(name: &str, price: i64, discount: i64, rate: u16) -> Line {
    let total = price - discount;
    let rate_of = f64::from(rate) / 10_000.0;
    Line {
        name: name.into(),
        price,
        discount,
        total,
        // Exact for the amounts of these tests.
        vat: (total as f64 * rate_of / (1.0 + rate_of)).round() as i64,
        vat_rate: BasisPoints::new(rate).unwrap(),
        exemption: None,
    }
}

pub fn invoice(lines: Vec<Line>) -> Invoice {
    Invoice {
        number: some("EDU2026000000001"),
        uuid: some("01996d1a-7b80-7000-8000-0123456789ab"),
        profile: Profile::Archive,
        kind: Kind::Sale,
        issued_at: ISSUED_AT,
        currency: Currency::TRY,
        exchange_rate: None,
        seller: seller(),
        buyer: consumer(),
        total: lines.iter().map(|line| line.total).sum(),
        vat: lines.iter().map(|line| line.vat).sum(),
        lines,
        order: "01996d1a-0000-7000-8000-0123456789ab".into(),
        ordered_on: some("2026-09-21"),
        payment: Some(Payment { paid_on: some("2026-09-21"), agent: "PayTR".into() }),
        notes: vec!["Bizi seçtiğiniz için teşekkürler.".into()],
    }
}

/// The worked example with a coupon of a tenth, and a book.
pub fn sale() -> Invoice {
    invoice(vec![line("Rust'a Giriş", 49_990, 4_999, 2000), line("Ders kitabı", 11_000, 0, 1000)])
}

/// All of [`sale`] given back.
pub fn refund() -> Invoice {
    let original = OriginalInvoice { number: some("EDU2026000000001"), issued_on: some("2026-09-20") };
    Invoice { number: some("EDU2026000000002"), kind: Kind::Return(original), payment: None, ..sale() }
}

/// To a registered company, in another currency.
pub fn export() -> Invoice {
    Invoice {
        profile: Profile::Commercial,
        currency: Currency::EUR,
        exchange_rate: Some(PricingExchangeRate { rate: some("49.1234"), on: some("2026-09-20") }),
        buyer: company(),
        ..sale()
    }
}
