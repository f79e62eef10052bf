//! What begins: orders and their repetitions, decisions at the payment page, notifications, jobs, and time that passes.

use akademi_domain::ids::CourseId;

use super::{History, Job, asking::Wanted};
use crate::{
    academy::{COUPONS, COURSES, PEOPLE, course},
    edge::quote_request,
    protection::Protection,
    providers::{Attempt, Lie, Outcome, Provider},
};

const MOST_ORDERS: usize = 6;
const MOST_REFUNDS: usize = 5;
/// Why a quote may be refused in a history.
const NO_OFFENCE: [&str; 2] = ["you have this course already", "has no seat left"];
/// Milliseconds after which another day's report is there.
pub(super) const A_NIGHT: i64 = 27 * 60 * 60 * 1000;

#[derive(Debug, Clone, Copy)]
enum Beginning {
    Order,
    /// Of what was ordered.
    Refund(usize),
    /// The same request again, perhaps while the first is still under way.
    Repeat(usize),
    Decide(usize),
    EndReview(usize),
    Notify(usize),
    Forge(usize),
    NotifyLess(usize),
    /// Milliseconds
    Wait(i64),
    Expiry,
    Resolve,
    Inquire,
    Reconcile,
    TakeOrdersAt(Provider),
    Sync,
    Late,
}

impl History<'_> {
    /// Begins one of the things that can happen now.
    pub(super) async fn begin(&mut self, instance: usize) {
        self.begun += 1;
        let choices = self.choices();
        let beginning = self.random.pick(&choices);
        match beginning {
            Beginning::Order => {
                if let Some(order) = self.want().await {
                    self.run(instance, Job::Ask(order));
                }
            }
            Beginning::Refund(order) => {
                let refund = self.ask_for_refund(order);
                self.run(instance, Job::Ask(refund));
            }
            Beginning::Repeat(n) => self.run(instance, Job::Ask(n)),
            Beginning::Decide(attempt) => self.decide(attempt),
            Beginning::EndReview(attempt) => self.end_review(attempt),
            Beginning::Notify(n) => self.run(instance, Job::Notification(n)),
            Beginning::Forge(attempt) => {
                let is_missed = self.world.without == Some(Protection::SignatureCheck);
                self.lie(instance, attempt, if is_missed { Lie::ForgedWithKey } else { Lie::Forged });
            }
            Beginning::NotifyLess(attempt) => {
                let is_missed = self.world.without == Some(Protection::AmountCheck);
                self.lie(instance, attempt, if is_missed { Lie::LessUnseen } else { Lie::Less });
            }
            Beginning::Wait(millis) => self.pass(millis),
            Beginning::Expiry => self.run(instance, Job::Expiry),
            Beginning::Resolve => self.run(instance, Job::Resolve),
            Beginning::Inquire => self.run(instance, Job::Inquire),
            Beginning::Reconcile => self.run(instance, Job::Reconcile),
            Beginning::TakeOrdersAt(provider) => self.run(instance, Job::TakeOrdersAt(provider)),
            Beginning::Sync => {
                self.world.wakes.take();
                self.run(instance, Job::Sync);
            }
            Beginning::Late => {
                let place = self.random.below(self.late.len());
                let (_, request) = self.late.remove(place);
                self.note(format!("{} {} arrives late", request.method(), request.uri().path()));
                self.arrive_late(request);
            }
        }
    }

    /// All that can begin, as often as it is likely.
    fn choices(&mut self) -> Vec<Beginning> {
        let seconds = self.random.pick(&[5, 61, 70, 600, 1900, 1900]);
        let mut choices = vec![Beginning::Wait(seconds * 1000), Beginning::Expiry, Beginning::Sync];
        choices.extend([
            Beginning::Wait(seconds * 1000),
            Beginning::Expiry,
            Beginning::Sync,
            Beginning::Sync,
        ]);
        choices.extend([Beginning::Inquire, Beginning::Reconcile, Beginning::Wait(A_NIGHT)]);
        if self.accounts.len() > 1 {
            choices.push(Beginning::TakeOrdersAt(self.random.pick(self.accounts)));
        }
        if self.world.wakes.waiting() {
            choices.extend([Beginning::Sync; 6]);
        }
        if self.wanted(Wanted::Order) < MOST_ORDERS {
            choices.extend([Beginning::Order; 6]);
        }
        if !self.late.is_empty() {
            choices.push(Beginning::Late);
        }
        let may_refund = self.wanted(Wanted::Refund) < MOST_REFUNDS;
        for (n, asked) in self.asked.iter().enumerate() {
            choices.push(Beginning::Repeat(n));
            if may_refund && asked.what == Wanted::Order && asked.first.is_some() {
                choices.extend([Beginning::Refund(n); 2]);
            }
        }
        if self.asked.iter().any(|asked| asked.what == Wanted::Refund) {
            choices.extend([Beginning::Resolve; 2]);
        }
        choices.push(Beginning::Resolve);
        for (n, attempt) in self.providers.attempts.iter().enumerate() {
            match attempt.outcome {
                None => {
                    choices.extend([Beginning::Decide(n); 5]);
                    choices.extend([Beginning::Forge(n), Beginning::NotifyLess(n)]);
                }
                Some(Outcome::InReview { .. }) => {
                    choices.extend([Beginning::EndReview(n), Beginning::EndReview(n), Beginning::Forge(n)]);
                }
                Some(Outcome::Declined | Outcome::Fraud { .. }) => choices.push(Beginning::Forge(n)),
                Some(Outcome::Paid { .. }) => {}
            }
        }
        let notifications = self.providers.notifications.iter().enumerate();
        for (n, notification) in notifications.filter(|(_, notification)| !notification.is_given_up()) {
            let times = if notification.is_taken || !notification.is_genuine { 1 } else { 5 };
            choices.extend(std::iter::repeat_n(Beginning::Notify(n), times));
        }
        choices
    }

    /// A learner has a basket quoted at the edge and wants it.
    async fn want(&mut self) -> Option<usize> {
        let learner = 1 + self.random.below(usize::from(PEOPLE)) as u8;
        let first = self.random.below(COURSES.len());
        let lines = 1 + self.random.below(2);
        let courses: Vec<CourseId> =
            (0..lines).map(|n| course(((first + n) % COURSES.len()) as u8 + 1)).collect();
        // Most want the first one, so that there is not enough of it.
        let coupons = match self.random.below(10) {
            0..4 => vec![COUPONS[0].0],
            4..6 => vec![COUPONS[0].0, self.random.pick(&COUPONS[1..]).0],
            6..8 => vec![self.random.pick(&COUPONS).0],
            _ => Vec::new(),
        };
        let request = quote_request(learner, &courses, &coupons, &self.world.ports);
        let quoted = self.world.ground.edge.quote(request).await;
        let total = quoted["total"]["amount"].clone();
        let Some(quote) = quoted["quote"].as_str() else {
            let why = quoted["errors"].as_array().map_or(&[][..], Vec::as_slice).iter();
            let why: Vec<_> = why.filter_map(|error| error["message"].as_str()).collect();
            if !why.is_empty() && why.iter().all(|why| NO_OFFENCE.contains(why)) {
                self.note(format!("learner {learner} is given no quote from course {}: {why:?}", first + 1));
            } else {
                self.violation(format!("the edge gives no quote: {quoted}"));
            }
            return None;
        };
        let order = self.ask_for_order(learner, quote);
        self.note(format!(
            "learner {learner} wants order {order}: {lines} from course {}, {coupons:?}, for {total}",
            first + 1
        ));
        Some(order)
    }

    fn decide(&mut self, attempt: usize) {
        let Attempt { provider, asked, .. } = self.providers.attempts[attempt];
        let total = if self.random.chance(125) { asked + asked / 50 } else { asked };
        let outcome = match self.random.below(8) {
            0 | 1 => Outcome::Declined,
            2 if provider == Provider::Iyzico => Outcome::InReview { total },
            _ => Outcome::Paid { total },
        };
        self.note(format!("attempt {attempt} of {asked}: {outcome:?}"));
        self.providers.now = self.world.ports.now().as_millis();
        self.providers.decide(attempt, outcome);
    }

    pub(super) fn end_review(&mut self, attempt: usize) {
        let (is_fraud, is_told) = (self.random.chance(250), self.random.chance(500));
        let (found, told) =
            (if is_fraud { "a fraud" } else { "none" }, if is_told { ", which it tells" } else { "" });
        self.note(format!("iyzico finds attempt {attempt} to be {found}{told}"));
        self.report.reviews += 1;
        self.providers.now = self.world.ports.now().as_millis();
        self.providers.end_review(attempt, is_fraud, is_told);
    }

    fn lie(&mut self, instance: usize, attempt: usize, lie: Lie) {
        self.providers.lie(attempt, lie);
        self.run(instance, Job::Notification(self.providers.notifications.len() - 1));
    }
}
