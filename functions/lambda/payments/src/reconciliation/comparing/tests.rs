use super::*;
use akademi_domain::money::Currency;
use proptest::prelude::*;

const FIRST: Timestamp = Timestamp::from_millis(1_000_000);
const END: Timestamp = Timestamp::from_millis(2_000_000);

fn lira(amount: i64) -> Money {
    Money { amount, currency: Currency::TRY }
}

fn payment(n: u8, total: i64, at: Timestamp, refunds: &[(u8, i64, Option<Timestamp>)]) -> OurPayment {
    OurPayment {
        id: PaymentId::new(FIRST, [n; 10]),
        asked: lira(total),
        taken: Some(Taken { at, total }),
        refunds: refunds
            .iter()
            .map(|(n, amount, done_at)| OurRefund {
                id: RefundId::new(FIRST, [*n; 10]),
                amount: *amount,
                done_at: *done_at,
            })
            .collect(),
        booked_fee: None,
    }
}

fn told(kind: ReportedKind, reference: Option<&str>, amount: i64) -> Reported {
    Reported {
        kind,
        attempt: "A".to_owned(),
        reference: reference.map(str::to_owned),
        amount,
        currency: "TRY".to_owned(),
        fee: (kind == ReportedKind::Capture).then_some(amount / 50),
    }
}

fn sale(amount: i64) -> Reported {
    told(ReportedKind::Capture, None, amount)
}

fn back(amount: i64) -> Reported {
    told(ReportedKind::Refund, None, amount)
}

/// As an honest provider reports it, with the refunds' names or without.
fn honest(payment: &OurPayment, has_names: bool) -> Vec<Reported> {
    let refunds = payment.refunds.iter().filter(|refund| refund.done_at.is_some()).map(|refund| {
        let name = Reference::from(refund.id).to_string();
        told(ReportedKind::Refund, has_names.then_some(name.as_str()), refund.amount)
    });
    payment.taken.map(|taken| sale(taken.total)).into_iter().chain(refunds).collect()
}

fn judged(ours: Option<&OurPayment>, theirs: &[Reported]) -> Verdict {
    compare("A", ours, theirs, &(FIRST..END))
}

fn kinds(verdict: &Verdict) -> Vec<(DifferenceKind, SubjectKind)> {
    verdict.findings.iter().map(|finding| (finding.kind, finding.subject_kind)).collect()
}

/// What is told, what stands here, what is reported, and what is found.
type Case<'a> = (&'a str, Option<&'a OurPayment>, Vec<Reported>, DifferenceKind, SubjectKind);

#[test]
fn each_difference_has_its_kind_its_subject_and_both_amounts() {
    use DifferenceKind::{
        AmountDiffers, FeeDiffers, FeeUnknown, MissingAtProvider, MissingHere, StateDiffers,
    };
    let at = FIRST;
    let plain = payment(1, 1000, at, &[]);
    let open = OurPayment { taken: None, ..plain.clone() };
    let refunded = payment(1, 1000, at, &[(2, 300, Some(at))]);
    let requested = payment(1, 1000, at, &[(2, 300, None)]);
    let charged = OurPayment { booked_fee: Some(21), ..plain.clone() };
    let no_fee = Reported { fee: None, ..sale(1000) };
    let euros = Reported { currency: "EUR".to_owned(), ..sale(1000) };
    let name = Reference::from(refunded.refunds[0].id).to_string();
    let named = |amount| told(ReportedKind::Refund, Some(&name), amount);
    let cases: &[Case<'_>] = &[
        ("not reported", Some(&plain), vec![], MissingAtProvider, SubjectKind::Payment),
        ("not ours", None, vec![sale(1000)], MissingHere, SubjectKind::Payment),
        ("charged twice", Some(&plain), vec![sale(1000), sale(1000)], MissingHere, SubjectKind::Payment),
        ("another amount", Some(&plain), vec![sale(999)], AmountDiffers, SubjectKind::Payment),
        ("another currency", Some(&plain), vec![euros], AmountDiffers, SubjectKind::Payment),
        ("open here", Some(&open), vec![sale(1000)], StateDiffers, SubjectKind::Payment),
        ("no fee", Some(&plain), vec![no_fee], FeeUnknown, SubjectKind::Payment),
        ("another fee", Some(&charged), vec![sale(1000)], FeeDiffers, SubjectKind::Payment),
        ("refund not reported", Some(&refunded), vec![sale(1000)], MissingAtProvider, SubjectKind::Refund),
        ("refund not ours", Some(&plain), vec![sale(1000), back(5)], MissingHere, SubjectKind::Refund),
        ("refund of nobody", None, vec![back(5)], MissingHere, SubjectKind::Refund),
        ("another refund", Some(&refunded), vec![sale(1000), back(301)], AmountDiffers, SubjectKind::Refund),
        ("named, another", Some(&refunded), vec![sale(1000), named(301)], AmountDiffers, SubjectKind::Refund),
        ("requested here", Some(&requested), vec![sale(1000), back(300)], StateDiffers, SubjectKind::Refund),
        (
            "named, requested",
            Some(&requested),
            vec![sale(1000), named(300)],
            StateDiffers,
            SubjectKind::Refund,
        ),
    ];
    for (case, ours, theirs, kind, subject_kind) in cases {
        let verdict = judged(*ours, theirs);
        assert_eq!(kinds(&verdict), [(*kind, *subject_kind)], "{case}");
        assert_eq!(verdict.is_stuck, *case == "open here", "{case}");
        let finding = &verdict.findings[0];
        assert_eq!(finding.ours.is_none() && finding.theirs.is_none(), *kind == FeeUnknown, "{case}");
    }
    let twice = judged(Some(&plain), &[sale(1000), sale(1000)]);
    assert_eq!(twice.findings[0].subject, "A:1");
    assert_eq!(judged(None, &[sale(1000)]).findings[0].subject, "A");
    assert!(judged(Some(&open), &[]).findings.is_empty(), "nobody paid");
}

#[test]
fn a_refund_that_is_reported_in_parts_is_one() {
    let ours = payment(1, 1000, FIRST, &[(2, 300, Some(FIRST))]);
    let name = Reference::from(ours.refunds[0].id).to_string();
    let part = |amount| told(ReportedKind::Refund, Some(&name), amount);
    assert_eq!(judged(Some(&ours), &[sale(1000), part(100), part(200)]).findings, []);
    let nobodys =
        judged(None, &[told(ReportedKind::Refund, Some("X"), 1), told(ReportedKind::Refund, Some("X"), 2)]);
    assert_eq!(
        (nobodys.findings.len(), nobodys.findings[0].theirs.as_ref().map(|sum| sum.amount)),
        (1, Some(3))
    );
}

#[test]
fn a_fee_is_booked_once_with_the_interest_that_pays_for_it() {
    let mut ours = payment(1, 1000, FIRST, &[]);
    ours.taken = Some(Taken { at: FIRST, total: 1030 });
    let verdict = judged(Some(&ours), &[sale(1030)]);
    assert_eq!(verdict.fee, Some(Fee { payment: ours.id, fee: lira(20), interest: 30 }));
    assert_eq!(verdict.findings, []);
    ours.booked_fee = Some(20);
    assert_eq!(judged(Some(&ours), &[sale(1030)]), Verdict::default());
}

#[test]
fn what_lies_outside_of_the_days_that_were_read_is_not_missed() {
    for (at, is_missed) in [
        (Timestamp::from_millis(FIRST.as_millis() - 1), false),
        (FIRST, true),
        (Timestamp::from_millis(END.as_millis() - 1), true),
        (END, false),
    ] {
        let ours = payment(1, 1000, at, &[(2, 300, Some(at))]);
        assert_eq!(judged(Some(&ours), &[]).findings.len(), if is_missed { 2 } else { 0 }, "{at}");
    }
}

#[test]
fn payouts_are_booked_once_and_held_against_what_is_told_later() {
    let payout = |day: i32, net| Payout {
        day: akademi_domain::time::Day::from_epoch_days(day),
        currency: "TRY".to_owned(),
        net,
    };
    let name = |payout: &Payout| payout.day.epoch_days().to_string();
    let sum = |amount| Sum { amount, currency: "TRY".to_owned() };
    let booked = [("1".to_owned(), sum(10)), ("2".to_owned(), sum(20)), ("3".to_owned(), sum(30))];
    let (new, findings) = compare_payouts(&booked, &[payout(1, 10), payout(2, 21), payout(4, 40)], name);
    assert_eq!(new, [payout(4, 40)]);
    let told: Vec<_> = findings.iter().map(|finding| (finding.kind, finding.subject.as_str())).collect();
    let wanted = [(DifferenceKind::AmountDiffers, "2"), (DifferenceKind::MissingAtProvider, "3")];
    assert_eq!(told, wanted);
}

fn history() -> impl Strategy<Value = OurPayment> {
    let moment = || (FIRST.as_millis() - 10..END.as_millis() + 10).prop_map(Timestamp::from_millis);
    let refund = (1i64..200, proptest::option::of(moment()));
    (1i64..100_000, proptest::option::of(moment()), proptest::collection::vec(refund, 0..6)).prop_map(
        |(total, taken, refunds)| {
            let refunds: Vec<_> = (2u8..).zip(refunds).map(|(n, (amount, at))| (n, amount, at)).collect();
            let mut ours = payment(1, total, FIRST, if taken.is_some() { &refunds } else { &[] });
            ours.taken = taken.map(|at| Taken { at, total });
            ours
        },
    )
}

proptest! {
    #[test]
    fn an_honest_report_of_any_history_agrees_in_any_order(
        (ours, theirs) in (history(), any::<bool>())
            .prop_flat_map(|(ours, names)| (Just(ours.clone()), Just(honest(&ours, names)).prop_shuffle())),
    ) {
        prop_assert_eq!(judged(Some(&ours), &theirs).findings, []);
    }

    #[test]
    fn whatever_is_left_out_of_a_report_is_missed_if_its_day_was_read(
        ours in history(),
        names in any::<bool>(),
        place in any::<prop::sample::Index>(),
    ) {
        let mut theirs = honest(&ours, names);
        prop_assume!(!theirs.is_empty());
        let gone = theirs.remove(place.index(theirs.len()));
        let inside = |at: Option<Timestamp>| at.is_some_and(|at| (FIRST..END).contains(&at));
        let findings = judged(Some(&ours), &theirs).findings;
        for finding in &findings {
            prop_assert_eq!(finding.kind, DifferenceKind::MissingAtProvider);
            prop_assert_eq!(finding.ours.as_ref().map(|sum| sum.amount), Some(gone.amount));
        }
        let all_inside = inside(ours.taken.map(|taken| taken.at))
            && ours.refunds.iter().all(|refund| refund.done_at.is_none() || inside(refund.done_at));
        prop_assert!(findings.len() == usize::from(all_inside) || !all_inside && findings.len() <= 1);
    }

    #[test]
    fn whatever_is_added_to_a_report_is_found(
        ours in history(),
        names in any::<bool>(),
        amount in 1i64..300,
    ) {
        let mut theirs = honest(&ours, names);
        theirs.push(back(amount));
        // It may be the one that is requested here.
        let findings = judged(Some(&ours), &theirs).findings;
        prop_assert_eq!(findings.len(), 1);
        prop_assert_eq!(findings[0].theirs.as_ref().map(|sum| sum.amount), Some(amount));
    }
}
