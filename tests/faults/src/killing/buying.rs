//! Learners who buy whatever happens to the processes, staff who gives back, and what the providers notify.

use akademi_api::Ports;
use akademi_domain::{
    ids::UserId,
    permission::{Permission, Permissions},
};
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};
use std::{
    net::SocketAddr,
    ops::RangeInclusive,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use crate::{
    academy::{COUPONS, COURSES, Callbacks, STAFF, course, forwarded, person},
    edge::quote_request,
    network::Network,
    providers::{Attempt, Notification, Outcome, Provider, Providers},
    random::Random,
};

/// Between two tries.
const PAUSE: Duration = Duration::from_millis(30);
/// Tries until something is taken for lost.
const MOST_TRIES: usize = 4000;
/// Tries until somebody leaves whose first request is still running, or seems to be: a crashed one holds its key for a minute.
const MOST_WAITS: usize = 5;
/// Tries until staff gives up on an order that is not paid.
const MOST_WAITS_FOR_MONEY: usize = 100;

pub struct Market {
    providers: Arc<Mutex<Providers>>,
    edge: SocketAddr,
    lambdas: [SocketAddr; 2],
    callbacks: Callbacks,
    ports: Ports,
    network: Network,
    is_closed: AtomicBool,
    buying: AtomicUsize,
    violations: Mutex<Vec<String>>,
}

impl Market {
    pub fn new(
        providers: Arc<Mutex<Providers>>,
        edge: SocketAddr,
        lambdas: [SocketAddr; 2],
        callbacks: Callbacks,
        ports: Ports,
    ) -> Self {
        Self {
            providers,
            edge,
            lambdas,
            callbacks,
            ports,
            network: Network::new(Vec::new()),
            is_closed: AtomicBool::new(false),
            buying: AtomicUsize::new(0),
            violations: Mutex::default(),
        }
    }

    /// Nobody begins to buy any more.
    pub fn close(&self) {
        self.is_closed.store(true, Ordering::SeqCst);
    }

    pub fn violations(&self) -> Vec<String> {
        std::mem::take(&mut *self.violations.lock().unwrap())
    }

    fn is_open(&self) -> bool {
        !self.is_closed.load(Ordering::SeqCst)
    }
}

/// Each of these people buys a course after the other, until the market closes.
pub async fn buy(market: Arc<Market>, people: RangeInclusive<u8>, mut random: Random) {
    market.buying.fetch_add(1, Ordering::SeqCst);
    // What staff may give back: by now the provider has told of it.
    let mut paid_before: Option<String> = None;
    for learner in people {
        for n in 1..=COURSES.len() as u8 {
            if !market.is_open() {
                break;
            }
            let paid = buy_one(&market, learner, n, &mut random).await;
            if let Some(order) = paid_before.take()
                && random.chance(500)
            {
                give_back(&market, &order, &mut random).await;
            }
            paid_before = paid;
        }
    }
    market.buying.fetch_sub(1, Ordering::SeqCst);
}

/// The order's id, if it is paid.
async fn buy_one(market: &Market, learner: u8, n: u8, random: &mut Random) -> Option<String> {
    let coupon = random.chance(600).then(|| random.pick(&COUPONS).0);
    let quoted = loop {
        let request = quote_request(learner, &[course(n)], coupon.as_slice(), &market.ports);
        match market.network.to(market.edge, request).await {
            Ok(answer) if answer.status() == StatusCode::OK => break json_of(&answer),
            // No seat is left.
            Ok(answer) if answer.status().is_client_error() => return None,
            _ if !market.is_open() => return None,
            _ => tokio::time::sleep(PAUSE).await,
        }
    };
    let buyer = json!({ "phone": "05550000000", "address": "Ümraniye, İstanbul" });
    let wanted = Wanted {
        who: person(learner),
        permissions: Permissions::NONE,
        target: "/api/v1/orders".into(),
        key: format!("key-{learner}-{n}"),
        body: json!({ "quote": quoted["quote"], "buyer": buyer }),
    };
    let made = json_of(&answered_alike(market, &wanted, random).await?);
    let page = made["checkout"]["page"].as_str()?;
    let place = page.rsplit(|character: char| !character.is_ascii_digit()).next()?;
    let attempt: usize = place.parse().ok()?;
    let mut providers = market.providers.lock().unwrap();
    let Attempt { provider, asked: total, .. } = providers.attempts[attempt];
    match random.below(6) {
        0 => None,
        1 => {
            providers.decide(attempt, Outcome::Declined);
            None
        }
        2 if provider == Provider::Iyzico => {
            providers.decide(attempt, Outcome::InReview { total });
            None
        }
        _ => {
            providers.decide(attempt, Outcome::Paid { total });
            made["id"].as_str().map(str::to_owned)
        }
    }
}

/// Staff gives back some of an order, or all of it.
async fn give_back(market: &Market, order: &str, random: &mut Random) {
    let body = if random.chance(500) {
        json!({ "amount": 700, "reason": "indirim" })
    } else {
        json!({ "reason": "vazgeçti" })
    };
    let wanted = Wanted {
        who: person(STAFF),
        permissions: Permissions::NONE.with(Permission::CommerceWrite).with(Permission::FinanceWrite),
        target: format!("/api/v1/commerce/orders/{order}/refunds"),
        key: format!("key-{order}"),
        body,
    };
    answered_alike(market, &wanted, random).await;
}

/// What somebody wants, under one `Idempotency-Key`.
struct Wanted {
    who: UserId,
    permissions: Permissions,
    target: String,
    key: String,
    body: Value,
}

/// The answer, which is the same if it is asked for again.
async fn answered_alike(market: &Market, wanted: &Wanted, random: &mut Random) -> Option<Response<Bytes>> {
    let made = answer(market, wanted, random).await?;
    if random.chance(300)
        && let Some(again) = answer(market, wanted, random).await
        && again.body() != made.body()
    {
        let what = format!("{} {} is answered otherwise than the first time", wanted.target, wanted.key);
        market.violations.lock().unwrap().push(what);
    }
    Some(made)
}

/// The answer, asked for until it is there; `None` for what is refused.
async fn answer(market: &Market, wanted: &Wanted, random: &mut Random) -> Option<Response<Bytes>> {
    let Wanted { who, permissions, target, key, body } = wanted;
    let mut waited = 0;
    for _ in 0..MOST_TRIES {
        let request = forwarded(*who, *permissions, Method::POST, target, Some(key), body, &market.ports);
        let answer = market.network.to(random.pick(&market.lambdas), request).await;
        if let Ok(answer) = answer {
            if answer.status() == StatusCode::CREATED {
                return Some(answer);
            }
            let kind = json_of(&answer)["type"].as_str().unwrap_or_default().to_owned();
            let most = match kind.rsplit('/').next() {
                Some("still-running") => MOST_WAITS,
                Some("nothing-to-refund") => MOST_WAITS_FOR_MONEY,
                _ => 0,
            };
            waited += usize::from(answer.status().is_client_error());
            if answer.status().is_client_error() && waited > most {
                return None;
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
    market.violations.lock().unwrap().push(format!("{target} {key} has no answer"));
    None
}

/// Sends what the providers have to say until all of it was taken or is given up and nobody buys any more; some of it once
/// more. Now and then iyzico ends its reviews.
pub async fn notify(market: Arc<Market>, mut random: Random) {
    loop {
        let is_over = !market.is_open() && market.buying.load(Ordering::SeqCst) == 0;
        let due = due_notifications(&market, is_over, &mut random);
        if is_over && due.is_empty() {
            return;
        }
        for (n, request) in due {
            let answer = market.network.to(random.pick(&market.lambdas), request).await;
            if let Ok(answer) = answer {
                market.providers.lock().unwrap().notifications[n].learn(&answer);
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// By their places.
fn due_notifications(market: &Market, is_over: bool, random: &mut Random) -> Vec<(usize, Request<Bytes>)> {
    let mut providers = market.providers.lock().unwrap();
    for attempt in providers.in_review_since(i64::MAX) {
        if is_over || random.chance(100) {
            providers.end_review(attempt, random.chance(300), random.chance(500));
        }
    }
    let is_due = |one: &Notification| {
        // A browser comes back once.
        let is_told_again = one.is_genuine && !one.is_given_up() && one.times < MOST_TRIES;
        !one.is_taken && (is_told_again || one.times == 0)
    };
    let mut due = Vec::new();
    for (n, one) in providers.notifications.iter_mut().enumerate() {
        if is_due(one) || !is_over && random.chance(20) {
            one.times += 1;
            due.push((n, one.request(&market.callbacks, &market.ports)));
        }
    }
    due
}

fn json_of(answer: &Response<Bytes>) -> Value {
    serde_json::from_slice(answer.body()).unwrap_or_default()
}
