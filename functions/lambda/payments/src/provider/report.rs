//! What a provider tells afterwards: a day's transactions, and what it has paid out.

use akademi_domain::time::Day;

/// The longest name of something that is kept, in characters; ours have 32.
const LONGEST_NAME: usize = 100;

/// Something that a provider has booked on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reported {
    pub kind: ReportedKind,
    /// The attempt that it belongs to as we call it, or the provider's own name where it tells no other.
    pub attempt: String,
    /// What we call the refund, where the provider tells it.
    pub reference: Option<String>,
    /// Minor units: what the buyer paid, with installment interest, or was given back. Not negative.
    pub amount: i64,
    /// ISO 4217; may be one that academies do not sell in.
    pub currency: String,
    /// What the provider keeps of a capture, in minor units; `None` where it does not tell.
    pub fee: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ReportedKind {
    Capture,
    Refund,
}

impl ReportedKind {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Capture => "capture",
            Self::Refund => "refund",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Capture, Self::Refund].into_iter().find(|kind| kind.name() == name)
    }
}

/// Money that a provider has paid out to the academy: all of a day and a currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payout {
    pub day: Day,
    /// ISO 4217.
    pub currency: String,
    /// Minor units; below zero if more went back than was sold.
    pub net: i64,
}

/// A provider's text as a name that can be kept.
pub fn name_of(text: &str) -> String {
    text.chars().filter(|char| !char.is_control()).take(LONGEST_NAME).collect()
}
