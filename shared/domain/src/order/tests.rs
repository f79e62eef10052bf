use super::*;
use crate::{money::Currency, time::Timestamp};
use proptest::prelude::*;

const TOTAL: Money = Money { amount: 14_990, currency: Currency::TRY };

fn payment(n: u8) -> PaymentId {
    PaymentId::new(Timestamp::from_millis(1_790_000_000_000), [n; 10])
}

/// An order in this state whose own payment, where it has one, is number 1.
fn order(state: OrderState) -> Order {
    let captured = !matches!(state, OrderState::Pending | OrderState::Failed | OrderState::Expired);
    Order { state, total: TOTAL, captured_by: captured.then(|| payment(1)) }
}

fn capture(n: u8, money: Money, holds: Holds) -> Event {
    Event::PaymentCaptured { payment: payment(n), money, holds }
}

fn refund(n: u8, in_all: Money) -> Event {
    Event::Refunded { payment: payment(n), in_all }
}

fn events() -> [(&'static str, Event); 12] {
    let less = Money { amount: TOTAL.amount - 1, ..TOTAL };
    let more = Money { amount: TOTAL.amount + 1, ..TOTAL };
    let euros = Money { currency: Currency::EUR, ..TOTAL };
    [
        ("capture", capture(1, TOTAL, Holds::Available)),
        ("capture, holds gone", capture(1, TOTAL, Holds::Gone)),
        ("capture of a second payment", capture(2, TOTAL, Holds::Available)),
        ("capture of another amount", capture(1, less, Holds::Available)),
        ("capture in another currency", capture(1, euros, Holds::Available)),
        ("failure", Event::PaymentFailed),
        ("expiry", Event::Expire),
        ("refund", refund(1, TOTAL)),
        ("refund of a second payment", refund(2, TOTAL)),
        ("refund of a part", refund(1, less)),
        ("refund of more", refund(1, more)),
        ("refund in another currency", refund(1, euros)),
    ]
}

#[test]
fn every_event_in_every_state_has_its_answer() {
    use Action::*;
    use OrderState::*;
    // In the order of `OrderState::ALL`; `None` where the state stays.
    let table: [[(Option<OrderState>, Action); 7]; 12] = [
        // capture
        [
            (Some(Paid), Capture),
            (None, IgnoreDuplicate),
            (Some(Paid), LateCapture),
            (Some(Paid), LateCapture),
            (None, IgnoreDuplicate),
            (None, IgnoreDuplicate),
            (None, IgnoreDuplicate),
        ],
        // capture, holds gone
        [
            (Some(Paid), Capture),
            (None, IgnoreDuplicate),
            (Some(RefundDue), RefundLateCapture),
            (Some(RefundDue), RefundLateCapture),
            (None, IgnoreDuplicate),
            (None, IgnoreDuplicate),
            (None, IgnoreDuplicate),
        ],
        // capture of a second payment
        [
            (Some(Paid), Capture),
            (None, RefundSecondCapture),
            (Some(Paid), LateCapture),
            (Some(Paid), LateCapture),
            (None, RefundSecondCapture),
            (None, RefundSecondCapture),
            (None, RefundSecondCapture),
        ],
        // capture of another amount
        [(None, AlarmAmountMismatch); 7],
        // capture in another currency
        [(None, AlarmAmountMismatch); 7],
        // failure
        [
            (Some(Failed), ReleaseHolds),
            (None, IgnoreStale),
            (None, IgnoreDuplicate),
            (None, IgnoreStale),
            (None, IgnoreStale),
            (None, IgnoreStale),
            (None, IgnoreStale),
        ],
        // expiry
        [
            (Some(Expired), ReleaseHolds),
            (None, IgnoreStale),
            (None, IgnoreStale),
            (None, IgnoreDuplicate),
            (None, IgnoreStale),
            (None, IgnoreStale),
            (None, IgnoreStale),
        ],
        // refund
        [
            (None, AlarmUnexpectedRefund),
            (Some(Refunded), Withdraw),
            (None, AlarmUnexpectedRefund),
            (None, AlarmUnexpectedRefund),
            (Some(Refunded), RecordRefund),
            (Some(Refunded), Withdraw),
            (None, IgnoreDuplicate),
        ],
        // refund of a second payment
        [
            (None, AlarmUnexpectedRefund),
            (None, RecordRefund),
            (None, AlarmUnexpectedRefund),
            (None, AlarmUnexpectedRefund),
            (None, RecordRefund),
            (None, RecordRefund),
            (None, RecordRefund),
        ],
        // refund of a part
        [
            (None, AlarmUnexpectedRefund),
            (Some(PartlyRefunded), Withdraw),
            (None, AlarmUnexpectedRefund),
            (None, AlarmUnexpectedRefund),
            (None, RecordRefund),
            (None, Withdraw),
            (None, IgnoreStale),
        ],
        // refund of more
        [
            (None, AlarmUnexpectedRefund),
            (None, AlarmAmountMismatch),
            (None, AlarmUnexpectedRefund),
            (None, AlarmUnexpectedRefund),
            (None, AlarmAmountMismatch),
            (None, AlarmAmountMismatch),
            (None, AlarmAmountMismatch),
        ],
        // refund in another currency
        [
            (None, AlarmUnexpectedRefund),
            (None, AlarmAmountMismatch),
            (None, AlarmUnexpectedRefund),
            (None, AlarmUnexpectedRefund),
            (None, AlarmAmountMismatch),
            (None, AlarmAmountMismatch),
            (None, AlarmAmountMismatch),
        ],
    ];
    let mut cells = 0;
    for ((name, event), row) in events().into_iter().zip(table) {
        for (state, (next, action)) in OrderState::ALL.into_iter().zip(row) {
            let transition = apply(order(state), event);
            println!(
                "{:>15} | {name:<27} | {:>15} | {:?}",
                state.name(),
                transition.order.state.name(),
                transition.action
            );
            assert_eq!(
                (transition.order.state, transition.action),
                (next.unwrap_or(state), action),
                "{name} in {state:?}"
            );
            assert_eq!(transition.order.total, TOTAL);
            if next.is_none() {
                assert_eq!(transition.order, order(state), "{name} in {state:?}");
            }
            cells += 1;
        }
    }
    println!("{cells} cells");
    assert_eq!(cells, 84);
}

#[test]
fn an_order_of_nothing_is_paid_and_takes_no_money() {
    let free = Order::new(Money { amount: 0, ..TOTAL });
    assert_eq!(free.state, OrderState::Paid);
    for money in [TOTAL, free.total, Money { amount: -1, ..TOTAL }] {
        let capture = apply(free, capture(1, money, Holds::Available));
        assert_eq!(capture, Transition { order: free, action: Action::AlarmAmountMismatch });
        let refund = apply(free, refund(1, money));
        assert_eq!(refund, Transition { order: free, action: Action::AlarmUnexpectedRefund });
    }
    assert_eq!(apply(free, Event::Expire).action, Action::IgnoreStale);
    assert_eq!(Order::new(TOTAL).state, OrderState::Pending);
}

#[test]
fn a_state_is_read_back_from_its_name() {
    for state in OrderState::ALL {
        assert_eq!(OrderState::from_name(state.name()), Some(state));
        assert_eq!(serde_json::to_string(&state).unwrap(), format!("\"{}\"", state.name()));
    }
    assert_eq!(OrderState::from_name("shipped"), None);
}

proptest! {
    #[test]
    fn money_and_goods_agree_after_any_history(choices in prop::collection::vec(0..12_usize, 0..40)) {
        let mut order = Order::new(TOTAL);
        let (mut granted, mut withdrawn, mut captures) = (0, 0, 0);
        let mut refunds_asked = Vec::new();
        for choice in choices {
            let (_, event) = events()[choice];
            let before = order;
            let Transition { order: after, action } = apply(order, event);
            order = after;
            match (action, event) {
                (Action::Capture | Action::LateCapture, _) => (granted, captures) = (granted + 1, captures + 1),
                (Action::RefundLateCapture, _) => captures += 1,
                (Action::RefundSecondCapture, Event::PaymentCaptured { payment, .. }) => refunds_asked.push(payment),
                (Action::Withdraw, _) => withdrawn = i32::from(after.state == OrderState::Refunded),
                (Action::ReleaseHolds, _) => prop_assert_eq!(before.state, OrderState::Pending),
                (Action::RecordRefund, _) => {}
                _ => prop_assert_eq!(before, after, "an event that is ignored or alarms changes nothing"),
            }
            // Something is granted exactly while some of the money is here, and by exactly one capture.
            let is_paid = matches!(order.state, OrderState::Paid | OrderState::PartlyRefunded);
            prop_assert_eq!(granted - withdrawn, i32::from(is_paid));
            prop_assert_eq!(captures, i32::from(order.captured_by.is_some()));
            prop_assert!(granted <= 1);
            prop_assert!(refunds_asked.iter().all(|payment| Some(*payment) != order.captured_by));
            prop_assert_eq!(apply(order, event).order, order, "the same event again changes nothing");
        }
    }
}
