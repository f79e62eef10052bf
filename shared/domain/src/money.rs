//! Money in minor units (ISO 4217), never a float.

use serde::{Deserialize, Serialize};

/// The currencies that an academy may sell in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub enum Currency {
    TRY,
    EUR,
    USD,
}

impl Currency {
    pub const fn code(self) -> &'static str {
        match self {
            Self::TRY => "TRY",
            Self::EUR => "EUR",
            Self::USD => "USD",
        }
    }

    /// The currency of an ISO 4217 code that an academy may sell in.
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::TRY, Self::EUR, Self::USD].into_iter().find(|currency| currency.code() == code)
    }
}

/// An amount in minor units: 14990 TRY is 149.90 lira.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Money {
    pub amount: i64,
    pub currency: Currency,
}
