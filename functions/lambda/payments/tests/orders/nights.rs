//! An academy whose PayTR is the sandbox, whose clock is the academy's, and nights in which its reports are read.

use akademi_api::ports::HttpClient as _;
use akademi_payment_sandbox::{Behaviour, Handle, Misreport};
use bytes::Bytes;
use http::{Method, Request, header};
use serde_json::{Value, json};
use std::{net::SocketAddr, time::Duration};

use crate::academy::{Academy, Who, learner, staff};
use crate::answer::Answer;
use crate::sandbox::{Network, callbacks, press, start_at};

const DAY: i64 = 24 * 60 * 60;
pub const DIFFERENCES: &str = "/api/v1/reconciliation/differences";
pub const RUNS: &str = "/api/v1/reconciliation/runs";

pub struct World {
    pub academy: Academy,
    pub sandbox: SocketAddr,
    behaviour: Behaviour,
    paid: i64,
    _running: Handle,
}

pub async fn start() -> World {
    start_with(Behaviour { copies: 1, ..Behaviour::default() }).await
}

pub async fn start_with(behaviour: Behaviour) -> World {
    let (academy, running, sandbox) = start_at(behaviour.clone()).await;
    let mut world = World { academy, sandbox, behaviour, paid: 0, _running: running };
    world.steer(|_| {}).await;
    world
}

impl World {
    /// Changes how the sandbox behaves, and sets its clock.
    pub async fn steer(&mut self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut self.behaviour);
        self.behaviour.clock_ms = Some(self.academy.now().as_millis());
        let request = Request::post(format!("http://{}/sandbox/behaviour", self.sandbox))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Bytes::from(serde_json::to_vec(&self.behaviour).unwrap()))
            .unwrap();
        assert_eq!(Network::new().send(request).await.unwrap().status(), 200);
    }

    /// Returns when the sandbox has met with as many requests as it was to fail.
    pub async fn faults_are_used_up(&self) {
        let target = format!("http://{}/sandbox/behaviour", self.sandbox);
        loop {
            let answer =
                Network::new().send(Request::get(&target).body(Bytes::new()).unwrap()).await.unwrap();
            let behaviour: Behaviour = serde_json::from_slice(answer.body()).unwrap();
            if behaviour.faults.iter().all(|fault| fault.times == 0) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub async fn misreport(&mut self, misreport: Misreport) {
        self.steer(|behaviour| behaviour.misreport = misreport).await;
    }

    pub async fn advance(&mut self, seconds: i64) {
        self.academy.clock.advance_seconds(seconds);
        self.steer(|_| {}).await;
    }

    /// The learner buys course 1; the order and `merchant_oid`.
    pub async fn pay(&mut self, n: u8) -> (String, String) {
        self.pay_in(n, "sonuc=ode&taksit=0").await
    }

    pub async fn pay_in(&mut self, n: u8, form: &'static str) -> (String, String) {
        let quote = self.academy.quote(learner(n), &[(1, 14990)], None);
        let made = self.academy.order(learner(n), "k", &quote).await.json();
        press(made["checkout"]["page"].as_str().unwrap(), "149,90 TL", form).await;
        self.paid += 1;
        callbacks(&self.academy, self.paid).await;
        let id = made["id"].as_str().unwrap().to_owned();
        let oid = format!("SELECT replace(id::text, '-', '') FROM payment WHERE order_id = '{id}'");
        (id, self.academy.texts(&oid).await.remove(0))
    }

    pub async fn refund(&self, order: &str, amount: i64) {
        let target = format!("/api/v1/commerce/orders/{order}/refunds");
        let body = json!({ "amount": amount, "reason": "indirim" });
        let key = format!("{order}-{amount}-{}", self.academy.now().as_millis());
        let answer = self.academy.call(staff(), Method::POST, &target, Some(&key), Some(&body)).await;
        assert_eq!((answer.status, &answer.json()["state"]), (201, &json!("done")));
    }

    /// Goes on to the next three o'clock in the morning.
    pub async fn night(&mut self) {
        let into_day = (self.academy.now().as_seconds()) % DAY;
        self.advance(DAY - into_day).await;
    }

    pub async fn reconcile(&self) -> u64 {
        self.academy.payments.reconcile(self.academy.now()).await.unwrap()
    }

    pub async fn run_night(&mut self) {
        self.night().await;
        assert_eq!(self.reconcile().await, 1);
    }

    pub async fn get(&self, target: &str) -> Value {
        let answer = self.academy.call(staff(), Method::GET, target, None, None).await;
        assert_eq!(answer.status, 200, "{}", answer.json());
        answer.json()
    }

    /// Kind, subject and age of each open difference.
    pub async fn open(&self) -> Vec<(String, String, i64)> {
        let listed = self.get(&format!("{DIFFERENCES}?state=open")).await;
        let told = |entry: &Value, field: &str| entry[field].as_str().unwrap().to_owned();
        let mut open: Vec<_> = listed["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| {
                let kind = format!("{} {}", told(entry, "subject_kind"), told(entry, "kind"));
                (kind, told(entry, "subject"), entry["age_days"].as_i64().unwrap())
            })
            .collect();
        open.sort();
        open
    }

    pub async fn run_state(&self) -> Value {
        self.get(RUNS).await["data"][0].clone()
    }

    /// All that reconciliation has ever written.
    pub async fn written(&self) -> Vec<i64> {
        let mut counts = Vec::new();
        for table in
            ["provider_transaction", "reconciliation_difference", "ledger_transaction", "payment_alarm"]
        {
            counts.push(self.academy.number(&format!("SELECT count(*) FROM {table}")).await);
        }
        counts
    }

    pub async fn run_by_hand(&self, who: Who, body: &Value) -> Answer {
        self.academy.call(who, Method::POST, RUNS, None, Some(body)).await
    }
}
