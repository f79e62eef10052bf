//! How the sandbox behaves: well, by default, but for the repetitions that providers warn of.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Fields that are absent in JSON have their default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Behaviour {
    /// How often a payment is notified until so many copies were accepted.
    pub copies: u32,
    /// How many of the attempts are made before the browser is sent back.
    pub before_return: u32,
    /// Milliseconds before each callback after the browser's return.
    pub delay_ms: u64,
    /// Sends the copies after the return at once rather than one after the other.
    pub simultaneous: bool,
    /// Holds the callbacks until so many payments are decided, then sends the last payment's first; 0 is off.
    /// A held callback comes after the browser's return. Setting a behaviour releases what is held.
    pub reorder: u32,
    /// The first attempts of each payment that are lost on the way, and tried again.
    pub drop_first: u32,
    /// The next attempts that carry a wrong signature.
    pub corrupt_hash: u32,
    /// The next attempts that tell something else under the honest signature: PayTR's ten times the amount, iyzico's the
    /// opposite outcome.
    pub forge_amount: u32,
    /// Correctly signed callbacks (PayTR) and answers (iyzico) say that this was paid, in minor units.
    pub misstated_total: Option<i64>,
    /// Milliseconds before a callback that was not accepted is sent again.
    pub retry_ms: u64,
    /// The attempts after which a payment's callbacks are given up.
    pub attempt_limit: u32,
    /// Milliseconds after which PayTR's page times out, instead of the request's `timeout_limit`.
    pub page_timeout_ms: Option<u64>,
    /// The banks have closed the day, so iyzico cancels nothing.
    pub day_is_over: bool,
    /// Milliseconds that a hanging answer takes.
    pub hang_ms: u64,
    /// What the providers' clock shows, in milliseconds since 1970-01-01T00:00:00Z, instead of this machine's.
    pub clock_ms: Option<i64>,
    pub misreport: Misreport,
    /// Taken one by one, each for as many requests as it says.
    pub faults: Vec<Fault>,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            copies: 3,
            before_return: 1,
            delay_ms: 0,
            simultaneous: false,
            reorder: 0,
            drop_first: 0,
            corrupt_hash: 0,
            forge_amount: 0,
            misstated_total: None,
            retry_ms: 1_000,
            attempt_limit: 60,
            page_timeout_ms: None,
            day_is_over: false,
            hang_ms: 60_000,
            clock_ms: None,
            misreport: Misreport::default(),
            faults: Vec::new(),
        }
    }
}

/// What the reports tell otherwise than it was. A payment goes by its `merchant_oid` (PayTR) or `conversationId` (iyzico).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Misreport {
    /// Payments that are left out, but not what went back of them.
    pub without: Vec<String>,
    /// Payments of which nothing that went back is told.
    pub without_refunds: Vec<String>,
    /// Payments whose commission is not told.
    pub without_fee: Vec<String>,
    /// What these payments were of, in minor units.
    pub amounts: BTreeMap<String, i64>,
    /// Sales that nobody asked for.
    pub foreign: BTreeMap<String, ForeignSale>,
    /// How many rows a page of iyzico's has; 0 is 100.
    pub page_rows: usize,
}

/// A sale of another shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForeignSale {
    /// Minor units of the lira.
    pub amount: i64,
    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub at: i64,
}

/// Something that goes wrong with one endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    pub endpoint: Endpoint,
    pub kind: FaultKind,
    /// For how many requests.
    pub times: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    GetToken,
    Initialize,
    /// The buttons of the payment page.
    Pay,
    Cancel,
    Refund,
    Inquiry,
    Report,
    Payouts,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// Answers 500 and does nothing.
    ErrorBefore,
    /// Does it, then answers 500.
    ErrorAfter,
    /// Keeps the client waiting and does nothing.
    HangBefore,
    /// Does it, then keeps the client waiting.
    HangAfter,
}
