//! The life of an order: what each event does in each state.
//!
//! ```text
//!             capture          refund of a part           of the rest
//! pending ───────────────► paid ──────────────────► partly_refunded ──► refunded
//!   │ │                     ▲ └──────────── refund of all ────────────►    ▲
//!   │ └─ failure ─► failed ─┤ late capture, still to be had                │ refund of all
//!   │                       │                                              │
//!   └─── expiry ─► expired ─┴─ late capture, sold out ─► refund_due ───────┘
//! ```
//! An order holds seats and coupon uses while it is pending; failure and expiry release them. Money may still
//! arrive after that, since providers' callbacks come late and out of order, and money that was taken is never
//! ignored: such a late capture pays the order if what it held can be had again, else it is to be given back.
//!
//! [`apply`] is total and decides only; the caller does what [`Action`] says and stores the new [`Order`] in
//! one transaction.

use crate::{ids::PaymentId, money::Money};
use serde::{Deserialize, Serialize};

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrderState {
    /// Made, with what it needs on hold, and waiting for money.
    Pending,
    /// Money is here and the courses are granted. An order of nothing to pay is paid from the start.
    Paid,
    /// The provider said no. Nothing is held.
    Failed,
    /// No money came in time. Nothing is held.
    Expired,
    /// Money is here but came too late for what was ordered: it must go back.
    RefundDue,
    /// A part of the money went back.
    PartlyRefunded,
    /// All of the money went back.
    Refunded,
}

impl OrderState {
    pub const ALL: [Self; 7] = [
        Self::Pending,
        Self::Paid,
        Self::Failed,
        Self::Expired,
        Self::RefundDue,
        Self::PartlyRefunded,
        Self::Refunded,
    ];

    /// The name in JSON and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Paid => "paid",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::RefundDue => "refund_due",
            Self::PartlyRefunded => "partly_refunded",
            Self::Refunded => "refunded",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// What the machine knows of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    pub state: OrderState,
    /// What is to be paid.
    pub total: Money,
    /// The payment whose capture the order counts as its own, once there is one.
    pub captured_by: Option<PaymentId>,
}

impl Order {
    /// A new order: pending, or paid at once if there is nothing to pay (no provider takes part then, and the
    /// caller grants the courses in the same step).
    pub const fn new(total: Money) -> Self {
        let state = if total.amount == 0 { OrderState::Paid } else { OrderState::Pending };
        Self { state, total, captured_by: None }
    }
}

/// Something that happened to an order. Payments are ours: one id for each transaction at a provider, so that
/// a repeated callback has the id of the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The provider has taken this much.
    PaymentCaptured { payment: PaymentId, money: Money, holds: Holds },
    /// The provider took nothing and will not.
    PaymentFailed,
    /// The time for paying is over.
    Expire,
    /// In all, this much of this payment has gone back to the payer.
    Refunded { payment: PaymentId, in_all: Money },
}

/// Whether what an order holds (seats, coupon uses) is there for it at the moment of a capture. The caller
/// looks in the same transaction, locks what it finds, and takes it if the action says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// Still held, or free to be held again.
    Available,
    /// Released and given to others.
    Gone,
}

/// What the caller does, in the step that stores the order.
///
/// The order knows its own payment only. Whether another payment, or its refund, was heard of before is for
/// the ledger to say, which has each of them once: where it has the entry, there is nothing more to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Confirm the holds, write the capture to the ledger, grant the courses.
    Capture,
    /// As `Capture`, after holding again what was released.
    LateCapture,
    /// Write the capture to the ledger and ask the provider for a refund of it; grant nothing.
    RefundLateCapture,
    /// A second payment was taken for an order that has its money: write it to the ledger and ask the provider
    /// for a refund of that payment.
    RefundSecondCapture,
    /// Release the holds.
    ReleaseHolds,
    /// Write the refund to the ledger and withdraw the courses whose lines went back whole.
    Withdraw,
    /// Write the refund to the ledger; nothing had been granted, or another payment is the order's own.
    RecordRefund,
    /// The same was said before: do nothing.
    IgnoreDuplicate,
    /// Later events have overtaken this one: do nothing.
    IgnoreStale,
    /// The amount or the currency is not the order's total. Nothing changes; a person must look.
    AlarmAmountMismatch,
    /// A refund for an order that has no money. Nothing changes; a person must look.
    AlarmUnexpectedRefund,
}

/// The order after an event, and what is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transition {
    pub order: Order,
    pub action: Action,
}

/// What `event` does to `order`. Total: every event has an answer in every state.
pub fn apply(order: Order, event: Event) -> Transition {
    match event {
        Event::PaymentCaptured { payment, money, holds } => captured(order, payment, money, holds),
        Event::PaymentFailed => ended(order, OrderState::Failed),
        Event::Expire => ended(order, OrderState::Expired),
        Event::Refunded { payment, in_all } => refunded(order, payment, in_all),
    }
}

fn captured(order: Order, payment: PaymentId, money: Money, holds: Holds) -> Transition {
    use OrderState::*;
    // Nothing is taken for an order of nothing, so no amount is right for it.
    if money != order.total || money.amount <= 0 {
        return Transition { order, action: Action::AlarmAmountMismatch };
    }
    let (state, action) = match (order.state, holds) {
        // Its holds end with the pending state, so they are there.
        (Pending, _) => (Paid, Action::Capture),
        (Failed | Expired, Holds::Available) => (Paid, Action::LateCapture),
        (Failed | Expired, Holds::Gone) => (RefundDue, Action::RefundLateCapture),
        (Paid | RefundDue | PartlyRefunded | Refunded, _) => {
            let again = order.captured_by == Some(payment);
            let action = if again { Action::IgnoreDuplicate } else { Action::RefundSecondCapture };
            return Transition { order, action };
        }
    };
    Transition { order: Order { state, captured_by: Some(payment), ..order }, action }
}

/// A failure or the end of the time: both end a pending order and come too late for any other.
fn ended(order: Order, end: OrderState) -> Transition {
    match order.state {
        OrderState::Pending => {
            Transition { order: Order { state: end, ..order }, action: Action::ReleaseHolds }
        }
        state if state == end => Transition { order, action: Action::IgnoreDuplicate },
        _ => Transition { order, action: Action::IgnoreStale },
    }
}

fn refunded(order: Order, payment: PaymentId, in_all: Money) -> Transition {
    use OrderState::*;
    let stay = |action| Transition { order, action };
    let (Some(own), Paid | RefundDue | PartlyRefunded | Refunded) = (order.captured_by, order.state) else {
        return stay(Action::AlarmUnexpectedRefund);
    };
    if in_all.currency != order.total.currency || !(1..=order.total.amount).contains(&in_all.amount) {
        return stay(Action::AlarmAmountMismatch);
    }
    // The refund of a second capture: the order keeps its own money.
    if own != payment {
        return stay(Action::RecordRefund);
    }
    let is_all = in_all == order.total;
    let (state, action) = match order.state {
        Refunded => return stay(if is_all { Action::IgnoreDuplicate } else { Action::IgnoreStale }),
        RefundDue if is_all => (Refunded, Action::RecordRefund),
        RefundDue => return stay(Action::RecordRefund),
        _ if is_all => (Refunded, Action::Withdraw),
        _ => (PartlyRefunded, Action::Withdraw),
    };
    Transition { order: Order { state, ..order }, action }
}

#[cfg(test)]
mod tests;
