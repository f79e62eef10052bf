//! An invoice before it is a document.

use akademi_domain::{
    exchange_rate::ExchangeRate,
    money::Currency,
    pricing::BasisPoints,
    tax_number::{Tckn, Vkn},
    time::{Day, Timestamp},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::InvoiceNumber;

/// Amounts are minor units of `currency`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invoice {
    pub number: InvoiceNumber,
    /// The ETTN, by which the document is known for ever.
    pub uuid: Uuid,
    pub profile: Profile,
    pub kind: Kind,
    /// Its day and time are those of Istanbul.
    pub issued_at: Timestamp,
    pub currency: Currency,
    /// For whatever currency but TRY.
    pub exchange_rate: Option<PricingExchangeRate>,
    pub seller: Party,
    pub buyer: Party,
    pub lines: Vec<Line>,
    /// What was paid, or is given back: Σ of the lines' totals.
    pub total: i64,
    /// The VAT inside the total: Σ of the lines' VAT.
    pub vat: i64,
    /// What it is about in the seller's books: an order's id.
    pub order: String,
    pub ordered_on: Day,
    pub payment: Option<Payment>,
    pub notes: Vec<String>,
}

/// By which scenario it is exchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Profile {
    /// e-Fatura that the buyer cannot refuse in the system.
    #[serde(rename = "TEMELFATURA")]
    Basic,
    /// e-Fatura that the buyer may answer within eight days.
    #[serde(rename = "TICARIFATURA")]
    Commercial,
    /// To somebody who is not registered for e-Fatura.
    #[serde(rename = "EARSIVFATURA")]
    Archive,
}

impl Profile {
    pub const ALL: [Self; 3] = [Self::Basic, Self::Commercial, Self::Archive];

    /// As `ProfileID` has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Basic => "TEMELFATURA",
            Self::Commercial => "TICARIFATURA",
            Self::Archive => "EARSIVFATURA",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `SATIS`, or `ISTISNA` where a line is exempt.
    Sale,
    /// `IADE`: gives back what an invoice asked for, or a part of it.
    Return(OriginalInvoice),
}

/// The invoice that a return refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OriginalInvoice {
    pub number: InvoiceNumber,
    pub issued_on: Day,
}

/// What the invoice's currency is worth in TRY.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PricingExchangeRate {
    pub rate: ExchangeRate,
    /// Whose list has it.
    pub on: Day,
}

/// A seller or a buyer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    pub identity: Identity,
    pub address: Address,
    /// Vergi dairesi; a seller has one.
    pub tax_office: Option<String>,
    pub email: Option<String>,
    pub website: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Identity {
    Company { number: Vkn, name: String },
    Person { number: Tckn, first_name: String, family_name: String },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    pub street: Option<String>,
    /// İlçe.
    pub district: String,
    /// İl.
    pub city: String,
    pub postal_code: Option<String>,
    pub country: String,
}

/// One of something that was sold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub name: String,
    /// Gross, VAT inside.
    pub price: i64,
    /// What of the price was not asked for, gross.
    pub discount: i64,
    /// price − discount.
    pub total: i64,
    /// Inside the total.
    pub vat: i64,
    pub vat_rate: BasisPoints,
    /// Why the rate is 0, if the law exempts it.
    pub exemption: Option<Exemption>,
}

/// A code of the list of VAT exemptions, and the article of law that it stands for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Exemption {
    code: u16,
    reason: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not one of the codes 201 to 250 and 301 to 350 with a reason")]
pub struct InvalidExemption;

impl Exemption {
    /// # Errors
    /// [`InvalidExemption`] for another code than a partial (201 to 250) or full (301 to 350) exemption's, or no reason.
    pub fn new(code: u16, reason: &str) -> Result<Self, InvalidExemption> {
        let known = matches!(code, 201..=250 | 301..=350);
        if known && !reason.trim().is_empty() {
            Ok(Self { code, reason: reason.trim().to_owned() })
        } else {
            Err(InvalidExemption)
        }
    }

    pub const fn code(&self) -> u16 {
        self.code
    }

    pub fn reason(&self) -> &str {
        &self.reason
    }
}

/// How an order of a site was paid: what the law has sales on the internet name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    pub paid_on: Day,
    /// The payment institution, as people know it.
    pub agent: String,
}
