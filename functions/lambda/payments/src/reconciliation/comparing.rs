//! An academy's books against its provider's reports, one attempt to pay at a time. Pure: who calls it has read both.
//!
//! What the provider tells is looked for in all of our books, whatever their dates: a callback may come days after the
//! payment. What stands in our books is missed only where its day was read.

use akademi_domain::{
    ids::{PaymentId, RefundId},
    money::Money,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::ops::Range;

use crate::provider::{Payout, Reference, Reported, ReportedKind};

/// How the two do not agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DifferenceKind {
    /// It stands in our books, and the provider does not report it.
    MissingAtProvider,
    /// The provider reports it, and it stands nowhere in our books.
    MissingHere,
    AmountDiffers,
    /// The provider has booked it; here it is still open, or has failed.
    StateDiffers,
    /// The provider tells another fee than the one that was booked.
    FeeDiffers,
    /// The provider does not tell what it keeps.
    FeeUnknown,
}

impl DifferenceKind {
    pub const ALL: [Self; 6] = [
        Self::MissingAtProvider,
        Self::MissingHere,
        Self::AmountDiffers,
        Self::StateDiffers,
        Self::FeeDiffers,
        Self::FeeUnknown,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::MissingAtProvider => "missing_at_provider",
            Self::MissingHere => "missing_here",
            Self::AmountDiffers => "amount_differs",
            Self::StateDiffers => "state_differs",
            Self::FeeDiffers => "fee_differs",
            Self::FeeUnknown => "fee_unknown",
        }
    }
}

/// What does not agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SubjectKind {
    Payment,
    Refund,
    Payout,
}

impl SubjectKind {
    pub const ALL: [Self; 3] = [Self::Payment, Self::Refund, Self::Payout];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::Refund => "refund",
            Self::Payout => "payout",
        }
    }
}

/// Minor units of any currency: a provider may report money that the academy takes elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sum {
    pub amount: i64,
    /// ISO 4217.
    pub currency: String,
}

impl From<Money> for Sum {
    fn from(money: Money) -> Self {
        Self { amount: money.amount, currency: money.currency.code().to_owned() }
    }
}

impl From<&Reported> for Sum {
    fn from(reported: &Reported) -> Self {
        Self { amount: reported.amount, currency: reported.currency.clone() }
    }
}

/// Something that does not agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub kind: DifferenceKind,
    pub subject_kind: SubjectKind,
    /// Our name of it, else the provider's.
    pub subject: String,
    /// What was compared: an attempt to pay or a payout.
    pub attempt: String,
    pub payment: Option<PaymentId>,
    pub ours: Option<Sum>,
    pub theirs: Option<Sum>,
}

/// An attempt to pay, as our books have it.
#[derive(Debug, Clone)]
pub struct OurPayment {
    pub id: PaymentId,
    pub asked: Money,
    /// None while nothing was taken.
    pub taken: Option<Taken>,
    pub refunds: Vec<OurRefund>,
    /// What of it was booked as the provider's, in minor units.
    pub booked_fee: Option<i64>,
}

#[derive(Debug, Clone, Copy)]
pub struct Taken {
    pub at: Timestamp,
    /// What the buyer paid, with installment interest, in minor units.
    pub total: i64,
}

#[derive(Debug, Clone, Copy)]
pub struct OurRefund {
    pub id: RefundId,
    /// Minor units of the payment's currency.
    pub amount: i64,
    /// None while it is requested, and after it was refused.
    pub done_at: Option<Timestamp>,
}

/// What the provider keeps of a payment, to be booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fee {
    pub payment: PaymentId,
    pub fee: Money,
    /// What the buyer paid above what was asked, in the fee's currency.
    pub interest: i64,
}

/// What there is to say about an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verdict {
    pub findings: Vec<Finding>,
    /// Not booked yet.
    pub fee: Option<Fee>,
    /// The provider has taken money for a payment that is open here: it is to be asked.
    pub is_stuck: bool,
}

/// `theirs` is all that was ever reported of the attempt; `expected` are the moments whose days were read.
pub fn compare(
    attempt: &str,
    ours: Option<&OurPayment>,
    theirs: &[Reported],
    expected: &Range<Timestamp>,
) -> Verdict {
    let theirs = added_up(theirs);
    let of = |kind| theirs.iter().filter(move |reported| reported.kind == kind).collect::<Vec<_>>();
    let mut comparison = Comparison { attempt, ours, expected, verdict: Verdict::default() };
    comparison.captures(of(ReportedKind::Capture));
    comparison.refunds(of(ReportedKind::Refund));
    comparison.verdict
}

/// A refund that is reported in parts, under one name, is one.
fn added_up(theirs: &[Reported]) -> Vec<Reported> {
    let mut whole: Vec<Reported> = Vec::new();
    for reported in theirs {
        let same = whole.iter_mut().find(|other| {
            reported.reference.is_some()
                && (other.kind, &other.reference, &other.currency)
                    == (reported.kind, &reported.reference, &reported.currency)
        });
        match same {
            Some(other) => other.amount = other.amount.saturating_add(reported.amount),
            None => whole.push(reported.clone()),
        }
    }
    whole
}

struct Comparison<'a> {
    attempt: &'a str,
    ours: Option<&'a OurPayment>,
    expected: &'a Range<Timestamp>,
    verdict: Verdict,
}

impl Comparison<'_> {
    fn captures(&mut self, mut theirs: Vec<&Reported>) {
        if let Some(payment) = self.ours {
            match payment.taken {
                Some(taken) => self.taken(payment, taken, &mut theirs),
                None if theirs.is_empty() => {}
                None => {
                    let reported = theirs.remove(0);
                    self.verdict.is_stuck = true;
                    self.payment(DifferenceKind::StateDiffers, payment, None, Some(reported.into()));
                }
            }
        }
        self.strangers(SubjectKind::Payment, &theirs);
    }

    fn taken(&mut self, payment: &OurPayment, taken: Taken, theirs: &mut Vec<&Reported>) {
        let total = Sum::from(Money { amount: taken.total, ..payment.asked });
        let same = theirs.iter().position(|reported| Sum::from(*reported) == total);
        let Some(place) = same.or_else(|| (!theirs.is_empty()).then_some(0)) else {
            if self.expected.contains(&taken.at) {
                self.payment(DifferenceKind::MissingAtProvider, payment, Some(total), None);
            }
            return;
        };
        let reported = theirs.remove(place);
        if same.is_none() {
            self.payment(DifferenceKind::AmountDiffers, payment, Some(total), Some(reported.into()));
            return;
        }
        let fee = reported.fee.map(|amount| Money { amount, ..payment.asked });
        match (fee, payment.booked_fee) {
            (None, _) => self.payment(DifferenceKind::FeeUnknown, payment, None, None),
            (Some(fee), None) => {
                let interest = taken.total - payment.asked.amount;
                self.verdict.fee = Some(Fee { payment: payment.id, fee, interest });
            }
            (Some(fee), Some(booked)) if fee.amount != booked => {
                let booked = Money { amount: booked, ..fee };
                self.payment(DifferenceKind::FeeDiffers, payment, Some(booked.into()), Some(fee.into()));
            }
            (Some(_), Some(_)) => {}
        }
    }

    /// By their names first, then by their amounts: not every provider tells a refund's name.
    fn refunds(&mut self, mut theirs: Vec<&Reported>) {
        let Some(payment) = self.ours else { return self.strangers(SubjectKind::Refund, &theirs) };
        let sum = |refund: &OurRefund| Sum::from(Money { amount: refund.amount, ..payment.asked });
        let mut ours: Vec<&OurRefund> = Vec::new();
        for refund in &payment.refunds {
            let name = Reference::from(refund.id);
            match take(&mut theirs, |reported| reported.reference.as_deref() == Some(name.as_str())) {
                None => ours.push(refund),
                Some(reported) if refund.done_at.is_none() => {
                    self.refund(DifferenceKind::StateDiffers, payment, refund, Some(reported.into()));
                }
                Some(reported) if Sum::from(reported) != sum(refund) => {
                    self.refund(DifferenceKind::AmountDiffers, payment, refund, Some(reported.into()));
                }
                Some(_) => {}
            }
        }
        let is_nameless_as = |refund: &OurRefund| {
            let sum = sum(refund);
            move |reported: &Reported| reported.reference.is_none() && Sum::from(reported) == sum
        };
        let (done, open): (Vec<_>, Vec<_>) = ours.into_iter().partition(|refund| refund.done_at.is_some());
        let mut missed = Vec::new();
        for refund in done {
            if take(&mut theirs, is_nameless_as(refund)).is_none() {
                missed.push(refund);
            }
        }
        for refund in open {
            if let Some(reported) = take(&mut theirs, is_nameless_as(refund)) {
                self.refund(DifferenceKind::StateDiffers, payment, refund, Some(reported.into()));
            }
        }
        missed.retain(|refund| refund.done_at.is_some_and(|at| self.expected.contains(&at)));
        for refund in missed {
            match take(&mut theirs, |reported| reported.reference.is_none()) {
                Some(other) => {
                    self.refund(DifferenceKind::AmountDiffers, payment, refund, Some(other.into()));
                }
                None => self.refund(DifferenceKind::MissingAtProvider, payment, refund, None),
            }
        }
        self.strangers(SubjectKind::Refund, &theirs);
    }

    /// What is left of the report.
    fn strangers(&mut self, subject_kind: SubjectKind, theirs: &[&Reported]) {
        let is_known = self.ours.is_some() || subject_kind == SubjectKind::Refund;
        for (place, reported) in theirs.iter().enumerate() {
            let subject = match &reported.reference {
                Some(name) => name.clone(),
                None if place == 0 && !is_known => self.attempt.to_owned(),
                None => format!("{}:{}", self.attempt, place + 1),
            };
            self.verdict.findings.push(Finding {
                kind: DifferenceKind::MissingHere,
                subject_kind,
                subject,
                attempt: self.attempt.to_owned(),
                payment: self.ours.map(|payment| payment.id),
                ours: None,
                theirs: Some((*reported).into()),
            });
        }
    }

    fn payment(
        &mut self,
        kind: DifferenceKind,
        payment: &OurPayment,
        ours: Option<Sum>,
        theirs: Option<Sum>,
    ) {
        self.verdict.findings.push(Finding {
            kind,
            subject_kind: SubjectKind::Payment,
            subject: Reference::from(payment.id).to_string(),
            attempt: self.attempt.to_owned(),
            payment: Some(payment.id),
            ours,
            theirs,
        });
    }

    fn refund(
        &mut self,
        kind: DifferenceKind,
        payment: &OurPayment,
        refund: &OurRefund,
        theirs: Option<Sum>,
    ) {
        self.verdict.findings.push(Finding {
            kind,
            subject_kind: SubjectKind::Refund,
            subject: Reference::from(refund.id).to_string(),
            attempt: self.attempt.to_owned(),
            payment: Some(payment.id),
            ours: Some(Money { amount: refund.amount, ..payment.asked }.into()),
            theirs,
        });
    }
}

fn take<'a>(theirs: &mut Vec<&'a Reported>, wanted: impl Fn(&Reported) -> bool) -> Option<&'a Reported> {
    let place = theirs.iter().position(|reported| wanted(reported))?;
    Some(theirs.remove(place))
}

/// What the provider says that it paid out, against what was booked of the same days: what is to be booked, and what does
/// not agree. `reference` names a payout.
pub fn compare_payouts(
    booked: &[(String, Sum)],
    told: &[Payout],
    reference: impl Fn(&Payout) -> String,
) -> (Vec<Payout>, Vec<Finding>) {
    let finding = |kind, name: &str, ours: Option<&Sum>, theirs: Option<Sum>| Finding {
        kind,
        subject_kind: SubjectKind::Payout,
        subject: name.to_owned(),
        attempt: name.to_owned(),
        payment: None,
        ours: ours.cloned(),
        theirs,
    };
    let mut new = Vec::new();
    let mut findings = Vec::new();
    for payout in told {
        let (name, net) = (reference(payout), Sum { amount: payout.net, currency: payout.currency.clone() });
        match booked.iter().find(|(known, _)| *known == name) {
            None => new.push(payout.clone()),
            Some((_, sum)) if *sum != net => {
                findings.push(finding(DifferenceKind::AmountDiffers, &name, Some(sum), Some(net)));
            }
            Some(_) => {}
        }
    }
    for (name, sum) in booked {
        if !told.iter().any(|payout| reference(payout) == *name) {
            findings.push(finding(DifferenceKind::MissingAtProvider, name, Some(sum), None));
        }
    }
    (new, findings)
}

#[cfg(test)]
mod tests;
