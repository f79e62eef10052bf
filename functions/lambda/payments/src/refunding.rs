//! How money goes back: a part of the payment is reserved, the refund is committed, then the provider is told, once. A
//! provider that does not answer is asked what became of it and never told again, since it need not recognise a repetition
//! (`crate::waiting_refunds`).

use akademi_domain::{
    ids::{LedgerTransactionId, OrderId, RefundId},
    money::Money,
    order::{self, Action, Event, Transition},
    refund::RefundableLine,
    time::Timestamp,
};
use akademi_feed::LambdaEvent;
use akademi_lambda_store::{
    feed,
    invoices::{self, ReturnedLine},
    postgres::TenantTransaction,
};
use std::sync::Arc;
use uuid::Uuid;

use crate::{
    Payments, PaymentsError, holds,
    provider::{Provider, ProviderError, Reference, RefundRequest},
    store::{self, Budget, BudgetKind, Hold, Order, OrderLine, Payment, Refund, RefundLine, RefundState},
};

/// The first pause before the provider is asked; it grows with the refund's age.
const FIRST_PAUSE_SECONDS: i64 = 60;
const LONGEST_PAUSE_SECONDS: i64 = 60 * 60;

/// A refund that is committed as sent, for the provider.
pub struct Sending {
    provider: Arc<dyn Provider>,
    request: RefundRequest,
}

impl Sending {
    /// Tells the provider.
    pub async fn send(&self) -> Result<(), ProviderError> {
        self.provider.refund(&self.request).await
    }
}

/// Reserves the money of a new refund and keeps it with its lines, under the order's lock; whether so much was left.
pub async fn keep(
    tx: &mut TenantTransaction,
    payment: &Payment,
    refund: &Refund,
    lines: &[RefundLine],
    idempotency_key: Option<&str>,
    due_at: Timestamp,
) -> Result<bool, PaymentsError> {
    let part = Hold {
        of: Budget { kind: BudgetKind::Refund, subject: payment.id.as_uuid(), person: Uuid::nil() },
        amount: refund.amount.amount,
        ceiling: Some(payment.amount.amount),
    };
    if store::hold(tx, refund.id.as_uuid(), &[part], refund.created_at).await?.is_empty() {
        return Ok(false);
    }
    store::insert_refund(tx, refund, idempotency_key, due_at).await?;
    for line in lines {
        store::insert_refund_line(tx, refund, line).await?;
    }
    Ok(true)
}

/// Gives back what was paid for lines whose courses the person had bought before: two orders may be paid at once.
pub async fn keep_lines_by_rule(
    payments: &Payments,
    tx: &mut TenantTransaction,
    order: &Order,
    payment: &Payment,
    bought_before: Vec<OrderLine>,
    now: Timestamp,
) -> Result<(), PaymentsError> {
    let lines: Vec<RefundLine> = bought_before
        .into_iter()
        .map(|line| RefundLine { course: line.course, amount: line.total, vat: line.vat, withdraws: true })
        .collect();
    let amount = lines.iter().map(|line| line.amount.amount).sum();
    if amount == 0 {
        return Ok(());
    }
    let amount = Money { amount, ..payment.amount };
    let refund = by_rule(payments, order, payment, amount, "bought_before", now);
    keep(tx, payment, &refund, &lines, None, now).await?;
    Ok(())
}

/// Gives all of a payment back that must not be kept.
pub async fn keep_by_rule(
    payments: &Payments,
    tx: &mut TenantTransaction,
    order: &Order,
    payment: &Payment,
    reason: &str,
    now: Timestamp,
) -> Result<(), PaymentsError> {
    let refund = by_rule(payments, order, payment, payment.amount, reason, now);
    // Nothing has gone back of a payment that was captured just now.
    keep(tx, payment, &refund, &[], None, now).await?;
    Ok(())
}

/// A refund that nobody asks for.
fn by_rule(
    payments: &Payments,
    order: &Order,
    payment: &Payment,
    amount: Money,
    reason: &str,
    now: Timestamp,
) -> Refund {
    Refund {
        id: RefundId::new(now, payments.ports.random()),
        payment: payment.id,
        order: order.id,
        state: RefundState::Requested,
        amount,
        reason: reason.to_owned(),
        requested_by: None,
        sent_at: None,
        failure: None,
        created_at: now,
        updated_at: now,
    }
}

/// Has a requested refund sent: to be committed before [`Sending::send`].
pub async fn prepare(
    payments: &Payments,
    tx: &mut TenantTransaction,
    payment: &Payment,
    refund: &Refund,
) -> Result<Option<Sending>, PaymentsError> {
    let now = payments.ports.now();
    let Some(provider) = payments.provider(tx, &payment.provider).await? else { return Ok(None) };
    store::postpone_refund(tx, refund.id, Some(now), now.plus_seconds(FIRST_PAUSE_SECONDS), now).await?;
    let request = RefundRequest {
        attempt: payment.attempt(),
        amount: refund.amount,
        reference: Reference::from(refund.id),
    };
    Ok(Some(Sending { provider, request }))
}

/// What the provider's answer makes of a refund, in one transaction.
pub async fn settle(
    payments: &Payments,
    tx: &mut TenantTransaction,
    id: RefundId,
    answer: Result<(), ProviderError>,
) -> Result<(), PaymentsError> {
    let Some((order, payment, refund)) = lock(tx, id).await? else { return Ok(()) };
    let now = payments.ports.now();
    match answer {
        Ok(()) => complete(payments, tx, &order, &payment, &refund).await,
        // It has done nothing and may do it later.
        Err(error) if error.retryable() => {
            store::postpone_refund(tx, id, None, pause(&refund, now), now).await?;
            Ok(())
        }
        Err(ProviderError::OutcomeUnknown(_)) => Ok(()),
        Err(ProviderError::Refused { code, message, .. }) => refuse(tx, &refund, &code, &message, now).await,
        Err(error) => refuse(tx, &refund, "invalid", &error.to_string(), now).await,
    }
}

/// A requested refund with its payment and its order, which is locked.
pub async fn lock(
    tx: &mut TenantTransaction,
    id: RefundId,
) -> Result<Option<(Order, Payment, Refund)>, PaymentsError> {
    let Some(found) = store::find_refund(tx, id).await? else { return Ok(None) };
    let Some(order) = store::lock_order(tx, found.order).await? else { return Ok(None) };
    // Again, now that nobody changes it.
    let refund = store::find_refund(tx, id).await?.filter(|refund| refund.state == RefundState::Requested);
    let payment = store::find_payment(tx, found.payment).await?;
    Ok(payment.zip(refund).map(|(payment, refund)| (order, payment, refund)))
}

/// The pause before a refund is looked at again: as long as it has waited, within bounds.
pub fn pause(refund: &Refund, now: Timestamp) -> Timestamp {
    let waited = now.millis_since(refund.created_at) / 1000;
    now.plus_seconds(waited.clamp(FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS))
}

/// The provider has booked it: the order, the ledger and the courses follow.
pub async fn complete(
    payments: &Payments,
    tx: &mut TenantTransaction,
    order: &Order,
    payment: &Payment,
    refund: &Refund,
) -> Result<(), PaymentsError> {
    let now = payments.ports.now();
    let confirmed = store::confirm(tx, refund.id.as_uuid(), now).await?;
    let Some(in_all) = confirmed.first().map(|budget| budget.used) else { return Ok(()) };
    let lines = book(tx, order, refund).await?;
    store::save_refund_done(tx, refund.id, now).await?;
    if in_all == payment.amount.amount {
        store::save_payment_refunded(tx, payment.id, now).await?;
    }
    let event = Event::Refunded { payment: payment.id, in_all: Money { amount: in_all, ..payment.amount } };
    let Transition { order: machine, action } = order::apply(order.machine(), event);
    store::save_order_state(tx, order.id, &machine, None).await?;
    enter(payments, tx, payment, refund, &lines, now).await?;
    let returned: Vec<ReturnedLine> = lines
        .iter()
        .filter(|line| line.amount.amount > 0)
        .map(|line| ReturnedLine { course: line.course, total: line.amount.amount, vat: line.vat.amount })
        .collect();
    if !returned.is_empty() {
        invoices::request_return(tx, &payments.ports, order.id, refund.id, &returned).await?;
    }
    if action == Action::Withdraw {
        withdraw(tx, order, &lines, now).await?;
    }
    Ok(())
}

/// An order's lines as refunds see them; with what is on its way back, or only with what has gone.
pub async fn refundable(
    tx: &mut TenantTransaction,
    order: OrderId,
    lines: &[OrderLine],
    also_requested: bool,
) -> Result<Vec<RefundableLine>, PaymentsError> {
    let back = store::refunded_of_lines(tx, order, also_requested).await?;
    let refundable = lines.iter().map(|line| {
        let before = back.iter().find(|(course, ..)| *course == line.course);
        RefundableLine {
            total: line.total.amount,
            refunded: before.map_or(0, |(_, amount, _)| *amount),
            vat_rate: line.vat_rate,
            is_withdrawn: before.is_some_and(|(.., withdrawn)| *withdrawn),
        }
    });
    Ok(refundable.collect())
}

/// The refund's lines as they are booked: which VAT goes back and which courses with them depends on the refunds that are
/// done, and those before it may have been refused since it was asked for.
async fn book(
    tx: &mut TenantTransaction,
    order: &Order,
    refund: &Refund,
) -> Result<Vec<RefundLine>, PaymentsError> {
    let paid = store::order_lines(tx, order.id).await?;
    let done = refundable(tx, order.id, &paid, false).await?;
    let mut lines = store::refund_lines(tx, refund.id).await?;
    for line in &mut lines {
        let place = paid.iter().position(|paid| paid.course == line.course);
        let part = place.and_then(|place| done.get(place)?.part(place, line.amount.amount));
        let (vat, withdraws) = part.map_or((0, false), |part| (part.vat, part.withdraws));
        let booked = RefundLine { vat: Money { amount: vat, ..line.vat }, withdraws, ..*line };
        if booked != *line {
            store::save_refund_line(tx, refund.id, &booked).await?;
            *line = booked;
        }
    }
    Ok(lines)
}

/// The provider owes the academy so much less: less revenue and VAT, or the debt to the buyer is paid.
async fn enter(
    payments: &Payments,
    tx: &mut TenantTransaction,
    payment: &Payment,
    refund: &Refund,
    lines: &[RefundLine],
    now: Timestamp,
) -> Result<(), PaymentsError> {
    let id = LedgerTransactionId::new(now, payments.ports.random());
    store::insert_ledger_transaction(tx, id, payment.id, "refund", Some(refund.id), now).await?;
    let vat: i64 = lines.iter().map(|line| line.vat.amount).sum();
    let amount = refund.amount.amount;
    let provider = format!("provider:{}", payment.provider);
    let debits = match lines {
        [] => vec![("refunds_due", amount)],
        _ => vec![("sales", amount - vat), ("vat", vat)],
    };
    for (account, amount) in debits.into_iter().chain([(provider.as_str(), -amount)]) {
        if amount != 0 {
            store::insert_ledger_entry(tx, id, account, Money { amount, ..refund.amount }).await?;
        }
    }
    Ok(())
}

/// Tells the edge of each course that is taken back.
async fn withdraw(
    tx: &mut TenantTransaction,
    order: &Order,
    lines: &[RefundLine],
    now: Timestamp,
) -> Result<(), PaymentsError> {
    let mut ours = store::order_lines(tx, order.id).await?;
    // Seats are locked in one order, as whoever holds several locks them.
    ours.sort_unstable_by_key(|line| line.course);
    for line in ours {
        if lines.iter().any(|back| back.course == line.course && back.withdraws) {
            let withdrawn = LambdaEvent::EnrolmentWithdrawn {
                person: order.user,
                course: line.course,
                enrolment: line.enrolment,
                at: now,
            };
            store::delete_purchase(tx, order.user, line.course, order.id).await?;
            holds::give_seat_back(tx, order, line.course, now).await?;
            feed::append(tx, &withdrawn, now).await?;
        }
    }
    Ok(())
}

/// Nothing went back: what was reserved is free. Where nobody waits for the answer, a person must look.
pub async fn refuse(
    tx: &mut TenantTransaction,
    refund: &Refund,
    code: &str,
    message: &str,
    now: Timestamp,
) -> Result<(), PaymentsError> {
    store::release(tx, refund.id.as_uuid(), now).await?;
    store::save_refund_refused(tx, refund.id, code, message, now).await?;
    let subject = refund.id.as_uuid().as_simple().to_string();
    store::raise_alarm(tx, "refund_refused", &subject, now).await?;
    Ok(())
}
