//! Net amounts, and VAT by rate.

use akademi_domain::pricing::BasisPoints;
use std::collections::BTreeMap;

use crate::{Exemption, Invoice, Kind, Line};

/// The VAT that a gross amount holds: gross · rate / (1 + rate), rounded half up.
pub fn vat_inside(gross: i64, rate: BasisPoints) -> i64 {
    let rate = i128::from(rate.get());
    let parts = 10_000 + rate;
    // Never more than the gross amount, so it fits.
    i64::try_from((2 * i128::from(gross) * rate + parts) / (2 * parts)).unwrap_or(gross)
}

/// What a line's document amounts are, in minor units: list − allowance = net.
pub struct Net {
    pub list: i64,
    pub allowance: i64,
    pub net: i64,
}

impl Net {
    pub fn of(line: &Line) -> Self {
        let net = line.total - line.vat;
        // A VAT that was booked one unit low lifts the net above what the price alone comes to.
        let list = if line.discount == 0 {
            net
        } else {
            net.max(line.price - vat_inside(line.price, line.vat_rate))
        };
        Self { list, allowance: list - net, net }
    }
}

/// Why a line bears no VAT, as the document says it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Untaxed {
    pub code: u16,
    pub reason: String,
}

/// "İstisna olmayan diğer": the code of what bears no VAT without being exempt, such as a line of one kuruş.
const OTHERWISE: (u16, &str) = (351, "KDV - İstisna Olmayan Diğer");

/// Why this line bears none; a return need not say so.
pub fn untaxed(invoice: &Invoice, line: &Line) -> Option<Untaxed> {
    let exempt =
        |exemption: &Exemption| Untaxed { code: exemption.code(), reason: exemption.reason().to_owned() };
    match (&line.exemption, invoice.kind) {
        (Some(exemption), _) => Some(exempt(exemption)),
        (None, Kind::Sale) if line.vat == 0 => {
            Some(Untaxed { code: OTHERWISE.0, reason: OTHERWISE.1.to_owned() })
        }
        (None, _) => None,
    }
}

/// The VAT of all lines of one rate and reason.
#[derive(Default)]
pub struct Subtotal {
    pub taxable: i64,
    pub vat: i64,
}

/// Rate in basis points and reason, highest rate first.
pub fn subtotals(invoice: &Invoice) -> Vec<((BasisPoints, Option<Untaxed>), Subtotal)> {
    let mut by_rate: BTreeMap<(std::cmp::Reverse<u16>, Option<Untaxed>), (BasisPoints, Subtotal)> =
        BTreeMap::new();
    for line in &invoice.lines {
        let key = (std::cmp::Reverse(line.vat_rate.get()), untaxed(invoice, line));
        let (_, subtotal) = by_rate.entry(key).or_insert_with(|| (line.vat_rate, Subtotal::default()));
        subtotal.taxable += line.total - line.vat;
        subtotal.vat += line.vat;
    }
    by_rate.into_iter().map(|((_, untaxed), (rate, subtotal))| ((rate, untaxed), subtotal)).collect()
}
