//! What people ask for under an `Idempotency-Key`: learners for orders, staff for money to go back. They repeat what is not
//! answered, and hold the academy to its first answer.

use akademi_domain::{
    ids::UserId,
    permission::{Permission, Permissions},
};
use axum::body::Body;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};

use super::History;
use crate::academy::{COURSES, STAFF, course, forwarded, person};

/// Minor units that staff gives back: of every course's price, and more than some.
const AMOUNTS: [i64; 4] = [1, 700, 4999, 11000];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    Order,
    Refund,
}

/// What somebody wants, under one `Idempotency-Key`.
pub(super) struct Asked {
    pub what: Wanted,
    who: UserId,
    permissions: Permissions,
    target: String,
    key: String,
    body: Value,
    /// The first answer that reached whoever asked and made something.
    pub first: Option<(StatusCode, Bytes)>,
    /// How the newest request was answered.
    pub latest: Option<StatusCode>,
}

impl History<'_> {
    /// How many orders or refunds were asked for.
    pub(super) fn wanted(&self, what: Wanted) -> usize {
        self.asked.iter().filter(|asked| asked.what == what).count()
    }

    /// A learner wants what was quoted.
    pub(super) fn ask_for_order(&mut self, learner: u8, quote: &str) -> usize {
        let buyer = json!({ "phone": "05550000000", "address": "Ümraniye, İstanbul" });
        self.ask(Asked {
            what: Wanted::Order,
            who: person(learner),
            permissions: Permissions::NONE,
            target: "/api/v1/orders".into(),
            key: format!("key-{}", self.asked.len()),
            body: json!({ "quote": quote, "buyer": buyer }),
            first: None,
            latest: None,
        })
    }

    /// Staff wants money of an order that was made to go back: all that is left, a course's, or some.
    pub(super) fn ask_for_refund(&mut self, of: usize) -> usize {
        let made = self.asked[of].first.as_ref().map(|(_, body)| body.clone()).unwrap_or_default();
        let made: Value = serde_json::from_slice(&made).unwrap_or_default();
        let order = made["id"].as_str().unwrap_or_default();
        let body = match self.random.below(4) {
            0 => json!({ "reason": "vazgeçti" }),
            1 => {
                let course = course(1 + self.random.below(COURSES.len()) as u8);
                json!({ "courses": [course], "reason": "ders iptal" })
            }
            _ => json!({ "amount": self.random.pick(&AMOUNTS), "reason": "indirim" }),
        };
        self.note(format!("staff wants of order {of}: {body}"));
        self.ask(Asked {
            what: Wanted::Refund,
            who: person(STAFF),
            permissions: Permissions::NONE.with(Permission::CommerceWrite).with(Permission::FinanceWrite),
            target: format!("/api/v1/commerce/orders/{order}/refunds"),
            key: format!("key-{}", self.asked.len()),
            body,
            first: None,
            latest: None,
        })
    }

    fn ask(&mut self, asked: Asked) -> usize {
        self.asked.push(asked);
        self.asked.len() - 1
    }

    pub(super) fn asking(&self, n: usize) -> Request<Body> {
        let Asked { who, permissions, target, key, body, .. } = &self.asked[n];
        forwarded(*who, *permissions, Method::POST, target, Some(key), body, &self.world.ports)
            .map(Body::from)
    }

    /// Whoever asked gets an answer, unless it is lost on the way.
    pub(super) fn learn(&mut self, instance: usize, n: usize, answer: Response<Bytes>) {
        let status = answer.status();
        let is_lost = self.random.chance(self.faultiness * 4);
        let lost = if is_lost { ", which is lost" } else { "" };
        let kind = serde_json::from_slice::<Value>(answer.body()).unwrap_or_default();
        let kind = kind["type"].as_str().unwrap_or_default().to_owned();
        let what = self.asked[n].what;
        self.note(format!("L{instance} answers {what:?} {n}: {status} {kind}{lost}"));
        let asked = &mut self.asked[n];
        asked.latest = Some(status);
        if is_lost || status != StatusCode::CREATED {
            return;
        }
        let answer = (status, answer.into_body());
        match &asked.first {
            None => asked.first = Some(answer),
            Some(first) if *first == answer => {}
            Some(_) => self.violation(format!("{what:?} {n} is answered otherwise than the first time")),
        }
    }
}
