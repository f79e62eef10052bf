//! One history: who wants what, which step goes on next, what goes wrong, all by one seed.

mod asking;
mod begin;
mod drain;
mod steps;

use axum::body::Body;
use bytes::Bytes;
use http::Request;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};
use tokio::{sync::oneshot, task::JoinHandle};

use crate::{
    academy::{COUPONS, tenant},
    edge::{REQUEST, serve},
    gate::{Done, Owner},
    invariants::{self, Outcomes},
    protection::Protection,
    providers::{Provider, Providers},
    random::Random,
    world::{INSTANCES, Setting, World},
};
use akademi_api::ports::Unreachable;
use akademi_sync::Trigger;
use asking::Asked;

/// Where an academy may have accounts; the first takes its orders.
const ACCOUNTS: [&[Provider]; 4] = [
    &[Provider::PayTr],
    &[Provider::Iyzico],
    &[Provider::PayTr, Provider::Iyzico],
    &[Provider::Iyzico, Provider::PayTr],
];

/// What a history came to.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Report {
    /// What is not as it must be; nothing when all holds.
    pub violations: Vec<String>,
    /// Every step and what came of it, in order.
    pub trace: Vec<String>,
    pub steps: usize,
    pub faults: usize,
    /// How often a statement waited for another transaction's lock.
    pub waits: usize,
    /// How many payments were looked at for fraud.
    pub reviews: usize,
    pub outcomes: Outcomes,
}

/// What an instance of Lambda is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Job {
    /// What somebody wants.
    Ask(usize),
    Notification(usize),
    Expiry,
    /// Of refunds.
    Resolve,
    /// Of payments whose end nobody told.
    Inquire,
    Reconcile,
    /// Staff has another provider take orders.
    TakeOrdersAt(Provider),
    Sync,
}

struct Running {
    job: Job,
    /// Milliseconds from the start.
    since: i64,
    handle: JoinHandle<()>,
}

/// How a job ended.
enum Ended {
    Answer(http::Response<Bytes>),
    Run(Result<usize, String>),
}

type Reply = oneshot::Sender<Result<http::Response<Bytes>, Unreachable>>;

/// A statement that was let go and has had no answer yet.
struct UnderWay {
    /// The server's process.
    pid: i32,
    done: Arc<Done>,
}

pub struct History<'w> {
    world: &'w mut World,
    random: Random,
    /// How many of 1,000 steps go wrong; commits and calls four times as many.
    faultiness: u64,
    /// How often of 1,000 times somebody falls behind who is to go on; ten times as often before a commit.
    slowness: u64,
    /// Who has fallen behind, and until which step.
    behind: BTreeMap<Owner, usize>,
    report: Report,
    /// Where the academy has accounts.
    accounts: &'static [Provider],
    providers: Providers,
    asked: Vec<Asked>,
    running: [Option<Running>; INSTANCES],
    ended: Arc<Mutex<Vec<(usize, Ended)>>>,
    /// Requests that the edge serves.
    serving: BTreeMap<u64, JoinHandle<()>>,
    served: u64,
    /// Requests that arrive later than anybody waits for them, with when they were sent.
    late: Vec<(i64, Request<Bytes>)>,
    under_way: Vec<UnderWay>,
    begun: usize,
    /// How the newest job that is no request ended: how much there was to do.
    came_to: Result<usize, String>,
}

impl<'w> History<'w> {
    /// Lives through the history of this seed in a world that is emptied for it.
    pub async fn live(world: &'w mut World, seed: u64) -> anyhow::Result<Report> {
        let mut random = Random::new(seed);
        let limits = COUPONS.map(|_| 1 + random.below(2) as i64);
        let seats = 1 + random.below(4) as i64;
        let setting = Setting { limits, seats, providers: random.pick(&ACCOUNTS) };
        world.reset(seed, &setting).await?;
        let faultiness = random.pick(&[0, 5, 10, 20, 40]);
        let slowness = random.pick(&[0, 20, 60]);
        // As if the providers did not look either.
        let books_anything = world.without == Some(Protection::Reservation);
        let hides_reviews = world.without == Some(Protection::FraudReview);
        let providers = Providers { books_anything, hides_reviews, ..Providers::default() };
        let mut history = Self {
            world,
            random,
            faultiness,
            slowness,
            behind: BTreeMap::new(),
            report: Report::default(),
            accounts: setting.providers,
            providers,
            asked: Vec::new(),
            running: [const { None }; INSTANCES],
            ended: Arc::default(),
            serving: BTreeMap::new(),
            served: 0,
            late: Vec::new(),
            under_way: Vec::new(),
            begun: 0,
            came_to: Ok(0),
        };
        history.note(format!("seed {seed}, {faultiness} faults in 1000 steps, {setting:?}"));
        let actions = 16 + history.random.below(24);
        history.go_on(actions).await?;
        history.drain().await?;
        let violations = invariants::check(&mut history.world.ground, &history.providers).await?;
        for what in violations {
            history.violation(what);
        }
        history.report.outcomes = invariants::outcomes(&mut history.world.ground).await?;
        Ok(history.report)
    }

    /// Lets steps go and begins new things until so many were begun and all of them have ended.
    async fn go_on(&mut self, actions: usize) -> anyhow::Result<()> {
        loop {
            self.settle().await;
            let waiting = self.awake();
            let free = self.free();
            let may_begin = self.begun < actions && !free.is_empty();
            if may_begin && (waiting.is_empty() || self.random.chance(200)) {
                let instance = self.random.pick(&free);
                self.begin(instance).await;
            } else if waiting.is_empty() {
                return Ok(());
            } else {
                let place = self.random.pick(&waiting);
                if !self.falls_behind(place) {
                    self.step(place).await?;
                }
            }
        }
    }

    /// The places of those steps that may go on: of all that wait but for who fell behind, unless nobody else waits.
    fn awake(&self) -> Vec<usize> {
        let owners = self.world.gate.owners();
        let is_awake = |owner: &Owner| self.behind.get(owner).is_none_or(|until| *until <= self.report.steps);
        let places = |all: bool| -> Vec<usize> {
            let chosen = owners.iter().enumerate().filter(|(_, owner)| all || is_awake(owner));
            chosen.map(|(place, _)| place).collect()
        };
        let awake = places(false);
        if awake.is_empty() { places(true) } else { awake }
    }

    /// Whether whoever waits at this place lets others go on for a while.
    fn falls_behind(&mut self, place: usize) -> bool {
        let owners = self.world.gate.owners();
        let may = owners.len() > 1 && !self.behind.contains_key(&owners[place]);
        // A commit waits for the disk.
        let weight = if self.world.gate.commits(place) { 10 } else { 1 };
        let falls = may && self.random.chance(self.slowness * weight);
        if falls {
            let until = self.report.steps + 20 + self.random.below(180);
            self.behind.insert(owners[place], until);
            self.note(format!("{:?} falls behind", owners[place]));
        } else if !may {
            self.behind.remove(&owners[place]);
        }
        falls
    }

    /// Waits until everything waits, and takes note of what has ended.
    async fn settle(&mut self) {
        self.world.gate.settle().await;
        let mut ended = std::mem::take(&mut *self.ended.lock().unwrap());
        ended.sort_by_key(|(instance, _)| *instance);
        for (instance, end) in ended {
            if let Some(Running { job, .. }) = self.running[instance].take() {
                self.take_note(instance, job, end);
            }
        }
    }

    fn take_note(&mut self, instance: usize, job: Job, end: Ended) {
        match (job, end) {
            (Job::Ask(n), Ended::Answer(answer)) => self.learn(instance, n, answer),
            (Job::Notification(n), Ended::Answer(answer)) => {
                let notification = &mut self.providers.notifications[n];
                notification.learn(&answer);
                let what = notification.what;
                self.note(format!("L{instance} answers notification {n} ({what}): {}", answer.status()));
            }
            (job, Ended::Run(result)) => {
                self.note(format!("L{instance} ends {job:?}: {result:?}"));
                self.came_to = result;
            }
            (job, Ended::Answer(_)) => self.note(format!("L{instance} answers {job:?}")),
        }
    }

    fn free(&self) -> Vec<usize> {
        (0..INSTANCES).filter(|instance| self.running[*instance].is_none()).collect()
    }

    fn note(&mut self, line: String) {
        let millis = self.world.millis();
        self.report.trace.push(format!("{:>9} {line}", format!("{}.{:03}", millis / 1000, millis % 1000)));
    }

    fn violation(&mut self, what: String) {
        self.note(format!("VIOLATION: {what}"));
        self.report.violations.push(what);
    }

    /// Has an instance that is free do this.
    fn run(&mut self, instance: usize, job: Job) {
        let (ended, gate) = (self.ended.clone(), self.world.gate.clone());
        let request = match job {
            Job::Ask(n) => Some(self.asking(n)),
            Job::Notification(n) => Some(self.notification_request(n)),
            _ => None,
        };
        let lambda = &self.world.lambdas[instance];
        let (router, payments, sync) = (lambda.router.clone(), lambda.payments.clone(), lambda.sync.clone());
        let now = self.world.ports.now();
        let handle = tokio::spawn(async move {
            let end = match (job, request) {
                (_, Some(request)) => Ended::Answer(serve(router, request).await),
                (Job::Expiry, None) => {
                    let ended = payments.expire_orders(now).await.map(|ended| ended as usize);
                    Ended::Run(ended.map_err(|error| error.to_string()))
                }
                (Job::Resolve, None) => {
                    let resolved = payments.resolve_refunds(now).await.map(|resolved| resolved as usize);
                    Ended::Run(resolved.map_err(|error| error.to_string()))
                }
                (Job::Inquire, None) => {
                    let ended = payments.ask_about_attempts(now).await.map(|ended| ended as usize);
                    Ended::Run(ended.map_err(|error| error.to_string()))
                }
                (Job::Reconcile, None) => {
                    let reconciled = payments.reconcile(now).await.map(|accounts| accounts as usize);
                    Ended::Run(reconciled.map_err(|error| error.to_string()))
                }
                (Job::TakeOrdersAt(provider), None) => {
                    let chosen = payments.take_orders_at(tenant(), provider.name()).await.map(|()| 1);
                    Ended::Run(chosen.map_err(|error| error.to_string()))
                }
                (_, None) => {
                    let carried = sync.handle(Trigger::Wake).await;
                    let carried = carried.map(|carried| carried.pulled + carried.pushed);
                    Ended::Run(carried.map_err(|error| error.to_string()))
                }
            };
            ended.lock().unwrap().push((instance, end));
            gate.stir();
        });
        self.note(format!("L{instance} begins {job:?}"));
        self.running[instance] = Some(Running { job, since: self.world.millis(), handle });
    }

    fn notification_request(&mut self, n: usize) -> Request<Body> {
        let notification = &mut self.providers.notifications[n];
        notification.times += 1;
        notification.request(&self.world.ground.callbacks, &self.world.ports).map(Body::from)
    }

    /// Has the edge serve a request; nobody may wait for the answer.
    fn serve_at_edge(&mut self, request: Request<Bytes>, reply: Option<Reply>) {
        self.served += 1;
        let number = self.served;
        let (router, gate) = (self.world.ground.edge.router.clone(), self.world.gate.clone());
        let serving = REQUEST.scope(number, async move {
            let answer = serve(router, request.map(Body::from)).await;
            if let Some(reply) = reply {
                // Whoever asked may have crashed.
                let _ = reply.send(Ok(answer));
            }
            gate.stir();
        });
        self.serving.insert(number, tokio::spawn(serving));
    }
}
