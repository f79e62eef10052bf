//! What a provider is told of a payment.

use std::net::IpAddr;

use akademi_domain::{ids::UserId, money::Money, tax_number::Tckn};
use http::Uri;

use super::Reference;

/// One attempt to pay. Has no `Debug`, since it holds personal data.
#[derive(Clone)]
pub struct PaymentRequest {
    /// New for each attempt: the outcome of an attempt is final.
    pub attempt: Reference,
    pub amount: Money,
    pub buyer: Buyer,
    /// What is bought, as the provider's page shows it. At least one line.
    pub basket: Vec<BasketLine>,
    /// Where the browser goes after the page. None of them proves anything about the payment.
    pub success_url: Uri,
    pub failure_url: Uri,
    /// Where a provider has the browser POST what it says when it returns, whatever became of the payment.
    pub return_url: Uri,
    pub installments: Installments,
    pub language: Language,
}

#[derive(Clone)]
pub struct Buyer {
    pub id: UserId,
    pub email: String,
    pub name: String,
    pub address: String,
    pub phone: String,
    /// Where the buyer's browser connects from, as the outermost trusted proxy saw it.
    pub client_address: IpAddr,
    /// The buyer's own, if they named it.
    pub identity_number: Option<Tckn>,
    /// Whom the bill goes to, if the buyer named somebody.
    pub billed_to: Option<BilledTo>,
}

/// A person or a company, with their address.
#[derive(Clone)]
pub struct BilledTo {
    pub name: String,
    /// Street and district, in one line.
    pub address: String,
    pub city: String,
    pub country: String,
    pub postal_code: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BasketLine {
    pub name: String,
    /// Minor units of the payment's currency.
    pub unit_price: i64,
    pub quantity: u32,
}

/// In how many monthly parts the buyer may pay. The provider may add interest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Installments {
    Single,
    /// At most so many, from 2 to 12.
    UpTo(u8),
    /// As many as the merchant's contract allows.
    Any,
}

/// The language of the provider's page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    Turkish,
    English,
}
