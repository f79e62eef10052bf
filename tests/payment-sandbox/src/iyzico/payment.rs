//! One checkout form and everything that happened to it.

use serde::Serialize;

use crate::callbacks::{Callback, Millis};

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Payment {
    pub api_key: String,
    pub payment_id: String,
    pub token: String,
    pub conversation_id: String,
    pub basket_id: String,
    /// What is asked, in minor units.
    pub price: i64,
    pub currency: String,
    pub callback_url: String,
    pub buyer: String,
    pub items: Vec<Item>,
    /// The numbers of parts that the page offers beside one.
    pub installments: Vec<u8>,
    pub state: State,
    pub callbacks: Vec<Callback>,
    pub given_back: Vec<GivenBack>,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Item {
    pub id: String,
    pub name: String,
    /// Minor units.
    pub price: i64,
}

/// Final once it is paid or failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    Open,
    /// The bank waits for the code of 3-D Secure.
    Authenticating {
        installments: u8,
    },
    /// `paid_price` in minor units, with interest. `fraud_status` is 1, 0 while somebody looks at it, or -1.
    Paid {
        at: Millis,
        paid_price: i64,
        installments: u8,
        fraud_status: i8,
    },
    Failed {
        code: u32,
        message: &'static str,
    },
}

/// A refund or a cancellation.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct GivenBack {
    pub at: Millis,
    /// Minor units.
    pub amount: i64,
    pub conversation_id: String,
    pub is_cancellation: bool,
}

/// Banks' answers that the page offers: `errorCode` and `errorMessage`.
pub(crate) const DECLINES: [(u32, &str); 4] = [
    (10_051, "Kart limiti yetersiz, yetersiz bakiye"),
    (10_005, "İşlem onaylanmadı"),
    (10_041, "Kayıp kart, karta el koyunuz"),
    (10_057, "Kart sahibi bu işlemi yapamaz"),
];

/// The bank's answer to a wrong code.
pub(crate) const NOT_AUTHENTICATED: (u32, &str) = (10_217, "3-D Secure doğrulaması başarısız");

impl Payment {
    pub(crate) fn is_decided(&self) -> bool {
        matches!(self.state, State::Paid { .. } | State::Failed { .. })
    }

    pub(crate) fn paid_price(&self) -> Option<i64> {
        match self.state {
            State::Paid { paid_price, fraud_status: 1, .. } => Some(paid_price),
            _ => None,
        }
    }

    pub(crate) fn given_back(&self) -> i64 {
        self.given_back.iter().map(|part| part.amount).sum()
    }

    /// The buyer pays in so many parts; 1 is a single payment. Interest is one percent a month.
    pub(crate) fn total_with_interest(&self, installments: u8) -> i64 {
        match installments {
            0 | 1 => self.price,
            count => self.price + self.price * i64::from(count) / 100,
        }
    }
}
