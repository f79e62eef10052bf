//! Learners who buy whatever happens to the processes, and PayTR's notifications.

use akademi_api::Ports;
use akademi_domain::permission::Permissions;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    ops::RangeInclusive,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use crate::{
    academy::{COUPONS, COURSES, course, forwarded, person},
    edge::quote_request,
    network::Network,
    paytr::{Outcome, PayTr},
    random::Random,
};

/// Between two tries.
const PAUSE: Duration = Duration::from_millis(30);
/// Tries until something is taken for lost.
const MOST_TRIES: usize = 4000;
/// Tries until a learner leaves whose first request is still running, or seems to be.
const MOST_WAITS: usize = 5;

pub struct Market {
    paytr: Arc<Mutex<PayTr>>,
    edge: SocketAddr,
    lambdas: [SocketAddr; 2],
    callback: String,
    ports: Ports,
    network: Network,
    is_closed: AtomicBool,
    buying: AtomicUsize,
    violations: Mutex<Vec<String>>,
}

impl Market {
    pub fn new(
        paytr: Arc<Mutex<PayTr>>,
        edge: SocketAddr,
        lambdas: [SocketAddr; 2],
        callback: String,
        ports: Ports,
    ) -> Self {
        Self {
            paytr,
            edge,
            lambdas,
            callback,
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
    for learner in people {
        for n in 1..=COURSES.len() as u8 {
            if market.is_open() {
                buy_one(&market, learner, n, &mut random).await;
            }
        }
    }
    market.buying.fetch_sub(1, Ordering::SeqCst);
}

async fn buy_one(market: &Market, learner: u8, n: u8, random: &mut Random) {
    let coupon = random.chance(600).then(|| random.pick(&COUPONS).0);
    let quoted = loop {
        let request = quote_request(learner, &[course(n)], coupon.as_slice(), &market.ports);
        match market.network.to(market.edge, request).await {
            Ok(answer) if answer.status() == StatusCode::OK => break json_of(&answer),
            _ if !market.is_open() => return,
            _ => tokio::time::sleep(PAUSE).await,
        }
    };
    let buyer = json!({ "phone": "05550000000", "address": "Ümraniye, İstanbul" });
    let body = json!({ "quote": quoted["quote"], "buyer": buyer });
    let key = format!("key-{learner}-{n}");
    let Some(made) = order(market, learner, &key, &body, random).await else { return };
    if random.chance(300)
        && let Some(again) = order(market, learner, &key, &body, random).await
        && again.body() != made.body()
    {
        let what = format!("learner {learner} is answered otherwise than the first time");
        market.violations.lock().unwrap().push(what);
    }
    let page = json_of(&made)["checkout"]["page"].as_str().unwrap_or_default().to_owned();
    if let Some(attempt) = page.rsplit_once("/page").and_then(|(_, place)| place.parse().ok()) {
        let mut paytr = market.paytr.lock().unwrap();
        match random.below(6) {
            0 => {}
            1 => paytr.decide(attempt, Outcome::Declined),
            _ => {
                let total = paytr.attempts[attempt].asked;
                paytr.decide(attempt, Outcome::Paid { total });
            }
        }
    }
}

/// The order's answer, asked for until it is there; `None` for an order that is refused.
async fn order(
    market: &Market,
    learner: u8,
    key: &str,
    body: &Value,
    random: &mut Random,
) -> Option<Response<Bytes>> {
    let mut waited = 0;
    for _ in 0..MOST_TRIES {
        let request = forwarded(
            person(learner),
            Permissions::NONE,
            Method::POST,
            "/api/v1/orders",
            Some(key),
            body,
            &market.ports,
        );
        let answer = market.network.to(random.pick(&market.lambdas), request).await;
        if let Ok(answer) = answer {
            if answer.status() == StatusCode::CREATED {
                return Some(answer);
            }
            let kind = json_of(&answer)["type"].as_str().unwrap_or_default().to_owned();
            let is_final = ["coupon-not-available", "already-enrolled", "quote-expired", "order-ended"]
                .iter()
                .any(|end| kind.ends_with(end));
            // A crashed request holds its key for a minute: nobody waits that long.
            waited += usize::from(kind.ends_with("still-running"));
            if is_final || waited > MOST_WAITS {
                return None;
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
    market.violations.lock().unwrap().push(format!("learner {learner} has no answer"));
    None
}

/// Sends what PayTR has to say until all of it was taken and nobody buys any more; some of it once more.
pub async fn notify(market: Arc<Market>, mut random: Random) {
    let mut tries = BTreeMap::<usize, usize>::new();
    loop {
        let bodies: Vec<(usize, String)> = {
            let paytr = market.paytr.lock().unwrap();
            let all = paytr.notifications.iter().enumerate();
            all.filter(|(_, one)| !one.is_accepted || random.chance(20))
                .map(|(n, one)| (n, one.body.clone()))
                .collect()
        };
        let is_over = !market.is_open() && market.buying.load(Ordering::SeqCst) == 0;
        for (n, body) in bodies {
            let request = Request::post(market.callback.as_str())
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(Bytes::from(body))
                .unwrap();
            let answer = market.network.to(random.pick(&market.lambdas), request).await;
            let is_taken = answer.is_ok_and(|answer| answer.body() == "OK");
            market.paytr.lock().unwrap().notifications[n].is_accepted |= is_taken;
            *tries.entry(n).or_default() += 1;
        }
        let is_all_taken = market.paytr.lock().unwrap().notifications.iter().all(|one| one.is_accepted);
        if is_over && (is_all_taken || tries.values().any(|tries| *tries > MOST_TRIES)) {
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn json_of(answer: &Response<Bytes>) -> Value {
    serde_json::from_slice(answer.body()).unwrap_or_default()
}
