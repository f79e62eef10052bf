//! What a verified callback does to its order, in one transaction.

use akademi_domain::{
    ids::{CourseId, LedgerTransactionId, PaymentId},
    money::Money,
    order::{self, Action, Event, Holds, OrderState, Transition},
    time::Timestamp,
};
use akademi_lambda_store::{invoices, postgres::TenantTransaction};
use uuid::Uuid;

use crate::{
    Payments, PaymentsError, holds, placing,
    provider::{Failure, Notification, Outcome, Reference},
    refunding,
    store::{self, Order, Payment},
};

/// What became of a callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// It changed something.
    Applied,
    /// The courses of its order were granted.
    Granted,
    /// The same was said before, or later news has overtaken it.
    Repeated,
    /// It names no attempt of this academy at this provider. Nothing changed.
    UnknownAttempt,
    /// Another amount or currency than the one that was asked. Nothing changed.
    WrongAmount,
}

impl Settled {
    /// The alarm that it raises, if a person must look.
    pub const fn alarm(self) -> Option<&'static str> {
        match self {
            Self::UnknownAttempt => Some("unknown_attempt"),
            Self::WrongAmount => Some("wrong_amount"),
            Self::Applied | Self::Granted | Self::Repeated => None,
        }
    }
}

/// Applies a verified callback of `provider`.
pub async fn settle(
    payments: &Payments,
    tx: &mut TenantTransaction,
    provider: &str,
    notification: &Notification,
) -> Result<Settled, PaymentsError> {
    let Some(id) = payment_id(&notification.attempt) else { return Ok(Settled::UnknownAttempt) };
    let Some(order) = store::find_order_of_payment(tx, provider, id).await? else {
        return Ok(Settled::UnknownAttempt);
    };
    // The order's row is the lock: what is read from here on stays.
    let (Some(order), Some(payment)) =
        (store::lock_order(tx, order).await?, store::find_payment(tx, id).await?)
    else {
        return Ok(Settled::UnknownAttempt);
    };
    match &notification.outcome {
        Outcome::Failed(failure) => fail(payments, tx, &order, &payment, failure).await,
        Outcome::Captured => capture(payments, tx, provider, &order, &payment, notification).await,
    }
}

fn payment_id(attempt: &Reference) -> Option<PaymentId> {
    Uuid::try_parse(attempt.as_str()).ok().map(PaymentId::from_uuid)
}

async fn fail(
    payments: &Payments,
    tx: &mut TenantTransaction,
    order: &Order,
    payment: &Payment,
    failure: &Failure,
) -> Result<Settled, PaymentsError> {
    if !matches!(payment.state.as_str(), "begun" | "abandoned") {
        return Ok(Settled::Repeated);
    }
    let now = payments.ports.now();
    store::save_failure(tx, payment.id, &failure.code, &failure.message, now).await?;
    // An attempt that was given up for a newer one does not end the order.
    if payment.is_latest {
        end(tx, order, Event::PaymentFailed, now).await?;
    }
    Ok(Settled::Applied)
}

/// Ends a pending order without money, by failure or expiry; whether it was pending.
pub async fn end(
    tx: &mut TenantTransaction,
    order: &Order,
    event: Event,
    now: Timestamp,
) -> Result<bool, PaymentsError> {
    let Transition { order: machine, action } = order::apply(order.machine(), event);
    if action != Action::ReleaseHolds {
        return Ok(false);
    }
    store::save_order_state(tx, order.id, &machine, None).await?;
    holds::release(tx, order, now).await?;
    Ok(true)
}

async fn capture(
    payments: &Payments,
    tx: &mut TenantTransaction,
    provider: &str,
    order: &Order,
    payment: &Payment,
    notification: &Notification,
) -> Result<Settled, PaymentsError> {
    if notification.check(payment.amount).is_err() {
        return Ok(Settled::WrongAmount);
    }
    if matches!(payment.state.as_str(), "captured" | "refund_due" | "refunded") {
        return Ok(Settled::Repeated);
    }
    let now = payments.ports.now();
    let holds = take_again(tx, order, now).await?;
    let event = Event::PaymentCaptured { payment: payment.id, money: payment.amount, holds };
    let Transition { order: machine, action } = order::apply(order.machine(), event);
    let book = Booking { payments, provider, order, payment, total_paid: notification.total_amount, now };
    match action {
        Action::Capture | Action::LateCapture => {
            book.capture(tx).await?;
            store::save_order_state(tx, order.id, &machine, Some(now)).await?;
            let bought_before = placing::grant(tx, order, now).await?;
            let unseated: Vec<CourseId> = bought_before.iter().map(|line| line.course).collect();
            refunding::keep_lines_by_rule(payments, tx, order, payment, bought_before, now).await?;
            invoices::request(tx, &payments.ports, order.id).await?;
            // Last before the commit: others wait for the budgets from here on.
            store::confirm(tx, order.id.as_uuid(), now).await?;
            for course in unseated {
                holds::give_seat_back(tx, order, course, now).await?;
            }
            Ok(Settled::Granted)
        }
        Action::RefundLateCapture => {
            book.capture_to_refund(tx, "late_capture").await?;
            store::save_order_state(tx, order.id, &machine, None).await?;
            Ok(Settled::Applied)
        }
        Action::RefundSecondCapture => {
            book.capture_to_refund(tx, "second_capture").await?;
            Ok(Settled::Applied)
        }
        Action::AlarmAmountMismatch => Ok(Settled::WrongAmount),
        _ => Ok(Settled::Repeated),
    }
}

/// Whether what the order needs is there: what it held ended with its pending state, so a later capture takes it again.
async fn take_again(
    tx: &mut TenantTransaction,
    order: &Order,
    now: Timestamp,
) -> Result<Holds, PaymentsError> {
    match order.state {
        OrderState::Failed | OrderState::Expired if !holds::take_again(tx, order, now).await? => {
            Ok(Holds::Gone)
        }
        _ => Ok(Holds::Available),
    }
}

/// A capture on its way into the ledger.
struct Booking<'a> {
    payments: &'a Payments,
    provider: &'a str,
    order: &'a Order,
    payment: &'a Payment,
    /// Minor units, with the provider's interest.
    total_paid: i64,
    now: Timestamp,
}

impl Booking<'_> {
    /// The provider owes the academy what was asked: revenue, and the VAT in it.
    async fn capture(&self, tx: &mut TenantTransaction) -> Result<(), PaymentsError> {
        store::save_capture(tx, self.payment.id, "captured", self.total_paid, self.now).await?;
        let (total, vat) = (self.payment.amount.amount, self.order.vat.amount);
        self.enter(tx, "capture", &[("sales", vat - total), ("vat", -vat)]).await
    }

    /// The provider owes the academy what the academy owes the buyer, and a person must see to it.
    async fn capture_to_refund(&self, tx: &mut TenantTransaction, alarm: &str) -> Result<(), PaymentsError> {
        store::save_capture(tx, self.payment.id, "refund_due", self.total_paid, self.now).await?;
        let subject = self.payment.id.as_uuid().as_simple().to_string();
        store::raise_alarm(tx, alarm, &subject, self.now).await?;
        self.enter(tx, "capture_to_refund", &[("refunds_due", -self.payment.amount.amount)]).await?;
        refunding::keep_by_rule(self.payments, tx, self.order, self.payment, alarm, self.now).await
    }

    /// The payment's amount as the provider's debit, against these credits.
    async fn enter(
        &self,
        tx: &mut TenantTransaction,
        kind: &str,
        credits: &[(&str, i64)],
    ) -> Result<(), PaymentsError> {
        let id = LedgerTransactionId::new(self.now, self.payments.ports.random());
        store::insert_ledger_transaction(tx, id, self.payment.id, kind, None, self.now).await?;
        let debtor = format!("provider:{}", self.provider);
        store::insert_ledger_entry(tx, id, &debtor, self.payment.amount).await?;
        for (account, amount) in credits.iter().filter(|(_, amount)| *amount != 0) {
            let credit = Money { amount: *amount, ..self.payment.amount };
            store::insert_ledger_entry(tx, id, account, credit).await?;
        }
        Ok(())
    }
}
