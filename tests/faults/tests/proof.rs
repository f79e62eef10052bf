//! The books hold through seeded histories of faults; a seed gives the same history again; and with each protection taken
//! away the same histories break a rule.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use akademi_faults::{Outcomes, Protection, Provider, Totals, histories, history, kill_at_random};
use std::{collections::BTreeSet, num::NonZeroUsize, path::Path};

const TWO: NonZeroUsize = NonZeroUsize::new(2).unwrap();
/// As many as CI has time for beside other tests; `cargo xtask faults` lives through more.
const SEEDS: u64 = 150;
/// A protection that is gone shows within so many.
const UNTIL_NOTICED: u64 = 1_000;

#[test]
fn money_and_courses_are_right_after_every_history() {
    let totals = histories(0..SEEDS, TWO, None, false).unwrap();
    for (seed, report) in &totals.failed {
        println!("{}\nseed {seed}: {:?}", report.trace.join("\n"), report.violations);
    }
    assert!(totals.failed.is_empty());
    assert_eq!(totals.unmet, BTreeSet::new(), "the controls take nothing away");
    let Outcomes { captured, refunded, unwanted, paid_twice, .. } = totals.outcomes;
    assert!(totals.faults > 0 && captured > refunded && refunded > 0, "{totals:?}");
    assert!(unwanted > 0 && paid_twice > 0 && totals.reviews > 0, "{totals:?}");
    println!("{} histories, {} steps, {} faults", totals.histories, totals.steps, totals.faults);
}

#[test]
fn a_seed_gives_the_same_history_again_step_by_step() {
    for seed in [3, 8, 21] {
        let first = history(seed, None).unwrap();
        let again = history(seed, None).unwrap();
        assert!(first.trace.len() > 100);
        assert_eq!(first, again, "seed {seed}");
    }
}

/// In the first of each two a connection stays open that the second begins with, unless each begins with none.
#[test]
fn a_seed_gives_the_same_history_whatever_was_before() {
    for pair in [100..102, 188..190] {
        let apart = pair.clone().map(|seed| history(seed, None).unwrap());
        let apart: Vec<_> = apart.map(|report| (report.steps, report.waits, report.outcomes)).collect();
        let Totals { steps, waits, outcomes, .. } = histories(pair, NonZeroUsize::MIN, None, false).unwrap();
        let mut together = Outcomes::default();
        apart.iter().for_each(|(_, _, outcomes)| together.add(outcomes));
        assert_eq!(
            (steps, waits),
            (apart.iter().map(|one| one.0).sum(), apart.iter().map(|one| one.1).sum())
        );
        assert_eq!(outcomes, together);
    }
}

/// The first seed that notices that this is gone.
fn noticed(protection: Protection) {
    let totals = histories(0..UNTIL_NOTICED, TWO, Some(protection), true).unwrap();
    let unmet: Vec<_> = protection.parts().iter().filter(|part| totals.unmet.contains(part)).collect();
    let missed = totals.failed.first();
    let (seed, report) =
        missed.unwrap_or_else(|| panic!("nobody misses {protection:?}; no statement has {unmet:?}"));
    println!(
        "without {protection:?}: seed {seed}, after {} histories: {:?}",
        totals.histories, report.violations
    );
}

#[test]
fn without_the_idempotency_record_a_repetition_is_noticed() {
    noticed(Protection::IdempotencyRecord);
}

#[test]
fn without_the_row_lock_a_race_is_noticed() {
    noticed(Protection::RowLock);
}

#[test]
fn without_the_unique_keys_a_second_order_is_noticed() {
    noticed(Protection::UniqueKey);
}

#[test]
fn without_the_amount_check_a_payment_of_less_is_noticed() {
    noticed(Protection::AmountCheck);
}

#[test]
fn without_waiting_for_a_review_a_fraud_that_pays_is_noticed() {
    noticed(Protection::FraudReview);
}

#[test]
fn without_the_outbox_in_the_transaction_a_lost_course_is_noticed() {
    noticed(Protection::OutboxAtomicity);
}

#[test]
fn without_the_publisher_a_lost_event_is_noticed() {
    noticed(Protection::PublisherOrder);
}

#[test]
fn without_the_signature_check_a_forgery_is_noticed() {
    noticed(Protection::SignatureCheck);
}

#[test]
fn without_the_reservation_money_that_goes_back_twice_is_noticed() {
    noticed(Protection::Reservation);
}

#[test]
fn without_asking_first_a_refund_that_is_told_again_is_noticed() {
    noticed(Protection::ToldOnce);
}

#[test]
fn without_the_lock_of_reconciliation_what_is_booked_twice_is_noticed() {
    noticed(Protection::OneRun);
}

#[test]
fn processes_that_are_killed_50_times_leave_the_books_right() {
    let survived = kill_at_random(Path::new(env!("CARGO_BIN_EXE_akademi-faults")), 50, 1).unwrap();
    assert_eq!(survived.violations, Vec::<String>::new());
    assert!(survived.outcomes.captured > 0 && survived.outcomes.refunded > 0, "{survived:?}");
    for provider in [Provider::PayTr, Provider::Iyzico] {
        assert!(survived.paid.get(&provider).is_some_and(|paid| *paid > 0), "{survived:?}");
    }
    println!("{survived:?}");
}
