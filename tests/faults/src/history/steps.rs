//! One step: of PostgreSQL, of SQLite, or over the network, with what may go wrong about it.

use akademi_api::ports::Unreachable;
use akademi_edge_store::{Database as _, Rows, Statement, StoreError};
use anyhow::ensure;
use bytes::Bytes;
use futures::future::LocalBoxFuture;
use http::Request;
use std::{sync::Arc, time::Duration};
use tokio::{sync::oneshot, time::timeout};

use super::{History, Job, Reply, Running, UnderWay, asking::Wanted};
use crate::{
    gate::{Done, Owner, Parked, Passage, Work},
    providers::{iyzico, paytr},
};

/// What goes wrong about a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// Whoever takes it is gone before it is done, with all memory.
    CrashBefore,
    /// It is done, and whoever took it is gone.
    CrashAfter,
    /// It is not done, and whoever took it learns only that the connection is lost.
    LoseConnection,
    /// It is done, and whoever took it learns only that the connection is lost.
    LoseReply,
    /// It arrives twice.
    Duplicate,
    /// It arrives when nobody waits any more.
    Delay,
}

const OF_STORES: [Fault; 4] =
    [Fault::CrashBefore, Fault::CrashAfter, Fault::LoseConnection, Fault::LoseReply];
/// Nobody between here and a provider sends a request twice that is not ours to send twice.
const OF_REFUNDS: [Fault; 5] =
    [Fault::CrashBefore, Fault::CrashAfter, Fault::LoseConnection, Fault::LoseReply, Fault::Delay];
const OF_CALLS: [Fault; 6] = [
    Fault::CrashBefore,
    Fault::CrashAfter,
    Fault::LoseConnection,
    Fault::LoseReply,
    Fault::Duplicate,
    Fault::Delay,
];
/// Milliseconds that a request for a refund is under way at the most: a provider answers or gives up before.
const LONGEST_WAY: i64 = 10 * 60 * 1000;
/// Milliseconds after which whoever tells a provider of refunds is ended (AWS Lambda, quotas: 15 minutes). With
/// [`LONGEST_WAY`] it is less than what the academy waits before it holds a refund for never booked. Others may take as
/// long as they like.
const LONGEST_RUN: i64 = 15 * 60 * 1000;
/// Milliseconds that iyzico looks at a payment: less than the days for which the academy asks about one, and reads its report
/// again.
const LONGEST_REVIEW: i64 = 2 * 24 * 60 * 60 * 1000;
/// Longer than a statement takes that waits for nobody.
const SOON: Duration = Duration::from_millis(1);
/// A deadlock ends after a second; nothing takes longer.
const MOST_LOOKS: usize = 2_000;

impl History<'_> {
    /// Lets the step at this place go, and whatever it waits for before it.
    pub(super) fn step(&mut self, place: usize) -> LocalBoxFuture<'_, anyhow::Result<()>> {
        Box::pin(async move {
            let Parked { owner, work } = self.world.gate.take(place);
            self.world.clock.advance(1);
            let fault = self.draw(&work);
            self.report.steps += 1;
            self.report.faults += usize::from(fault.is_some());
            let fault_note = fault.map(|fault| format!(" [{fault:?}]")).unwrap_or_default();
            match (owner, work) {
                (Owner::Lambda(instance), Work::Statement { sql, go }) => {
                    self.note(format!("L{instance} {}{fault_note}", shortened(&sql)));
                    self.statement(instance, &sql, go, fault).await?;
                }
                (Owner::Lambda(instance), Work::Http { request, answer }) => {
                    let (method, path) = (request.method(), request.uri().path());
                    self.note(format!("L{instance} {method} {path}{fault_note}"));
                    self.call(instance, *request, answer, fault);
                }
                (Owner::Edge(number), Work::Batch { statements, answer }) => {
                    self.note(format!("E{number} batch of {}{fault_note}", statements.len()));
                    self.batch(statements, answer, fault).await;
                }
                _ => self.note("a step that nobody takes".into()),
            }
            Ok(())
        })
    }

    fn draw(&mut self, work: &Work) -> Option<Fault> {
        let (weight, faults) = match work {
            Work::Statement { sql, .. } if sql == "COMMIT" => (4, OF_STORES.as_slice()),
            Work::Statement { .. } => (1, OF_STORES.as_slice()),
            Work::Batch { .. } => (4, OF_STORES.as_slice()),
            Work::Http { request, .. } if is_refund(request) => (4, OF_REFUNDS.as_slice()),
            Work::Http { .. } => (4, OF_CALLS.as_slice()),
        };
        self.random.chance(self.faultiness * weight).then(|| self.random.pick(faults))
    }

    async fn statement(
        &mut self,
        instance: usize,
        sql: &str,
        go: oneshot::Sender<(Passage, Arc<Done>)>,
        fault: Option<Fault>,
    ) -> anyhow::Result<()> {
        if matches!(fault, Some(Fault::CrashBefore | Fault::CrashAfter)) {
            self.crash(instance);
        }
        let passage = match fault {
            None => Passage::Whole,
            Some(Fault::CrashBefore | Fault::LoseConnection) => Passage::CutBefore,
            Some(_) => Passage::CutAfter,
        };
        let done = Arc::new(Done::default());
        let may_wait = passage != Passage::CutBefore && self.may_wait(instance, sql);
        if go.send((passage, done.clone())).is_err() {
            return Ok(());
        }
        if !may_wait {
            done.wait().await;
            return Ok(());
        }
        let pid = self.world.lambdas[instance].backend.pid();
        self.under_way.push(UnderWay { pid, done: done.clone() });
        let mut looks = 0;
        loop {
            let blockers = self.confirm(&done).await?;
            if done.is_done() {
                break;
            }
            looks += 1;
            ensure!(looks < MOST_LOOKS, "L{instance} waits for nobody: {sql}");
            self.run_on(instance, &blockers, &done).await?;
        }
        self.under_way.retain(|other| !Arc::ptr_eq(&other.done, &done));
        Ok(())
    }

    /// Whether a statement may have to wait for a lock: it may take one, and another transaction is open.
    fn may_wait(&self, instance: usize, sql: &str) -> bool {
        let only_reads = sql.starts_with("SELECT")
            && !["FOR UPDATE", "FOR SHARE", "advisory"].iter().any(|lock| sql.contains(lock));
        let is_boundary = ["BEGIN", "COMMIT", "ROLLBACK", "SET"].iter().any(|word| sql.starts_with(word));
        let others = self.world.lambdas.iter().enumerate().filter(|(other, _)| *other != instance);
        let is_alone = others.filter(|(_, lambda)| lambda.backend.in_transaction()).count() == 0;
        !(only_reads || is_boundary || is_alone)
    }

    /// Returns when each statement that is under way has either ended or waits for a lock, with those that the one
    /// told of by `done` waits for.
    async fn confirm(&mut self, done: &Arc<Done>) -> anyhow::Result<Vec<i32>> {
        loop {
            let open = |under_way: &&UnderWay| !under_way.done.is_done();
            let asked: Vec<i32> = self.under_way.iter().filter(open).map(|one| one.pid).collect();
            if asked.is_empty() {
                return Ok(Vec::new());
            }
            // Most wait for nobody and are done before the server could say so. What it would say does not depend on when it
            // is asked.
            let is_alone = asked.len() == 1 && !done.is_done();
            if is_alone && timeout(SOON, done.wait()).await.is_ok() {
                continue;
            }
            let blockers = self.world.blockers(&asked).await?;
            let mut all_wait = true;
            let mut of_this = Vec::new();
            for one in self.under_way.iter().filter(open) {
                let of_one = asked.iter().zip(&blockers).find(|(pid, _)| **pid == one.pid);
                let of_one = of_one.map(|(_, of_one)| of_one.clone()).unwrap_or_default();
                all_wait &= !of_one.is_empty();
                if Arc::ptr_eq(&one.done, done) {
                    of_this = of_one;
                }
            }
            if all_wait {
                return Ok(of_this);
            }
        }
    }

    /// Has one of those go on whom a statement waits for.
    async fn run_on(&mut self, instance: usize, blockers: &[i32], done: &Arc<Done>) -> anyhow::Result<()> {
        let owners = self.world.gate.owners();
        let holds = |owner: &Owner| match owner {
            Owner::Lambda(other) => blockers.contains(&self.world.lambdas[*other].backend.pid()),
            Owner::Edge(_) => false,
        };
        let mut places: Vec<usize> =
            (0..owners.len()).filter(|place| owners.get(*place).is_some_and(holds)).collect();
        if places.is_empty() {
            places = (0..owners.len()).collect();
        }
        if places.is_empty() {
            // Whoever holds it waits too: the server ends one of them after its deadlock_timeout.
            tokio::time::sleep(Duration::from_millis(2)).await;
            return Ok(());
        }
        self.report.waits += 1;
        self.note(format!("L{instance} waits for a lock"));
        let place = self.random.pick(&places);
        self.step(place).await?;
        // Whoever has a lock by now has its answer too, before note is taken of what has ended.
        self.world.gate.settle().await;
        self.confirm(done).await?;
        self.settle().await;
        Ok(())
    }

    /// Time passes; what is under way to a provider or tells it of refunds ends when its own time is over, and so does what
    /// a provider looks at.
    pub(super) fn pass(&mut self, millis: i64) {
        let until = self.world.millis() + millis;
        let now = self.world.ports.now().as_millis();
        for attempt in self.providers.in_review_since(now + millis - LONGEST_REVIEW) {
            self.end_review(attempt);
        }
        let (due, late) = std::mem::take(&mut self.late)
            .into_iter()
            .partition(|(sent, request)| is_refund(request) && sent + LONGEST_WAY < until);
        self.late = late;
        for (_, request) in due {
            self.note(format!("{} arrives late", request.uri().path()));
            self.arrive_late(request);
        }
        for instance in 0..self.running.len() {
            let is_over = self.running[instance].as_ref().is_some_and(|Running { job, since, .. }| {
                let tells = match job {
                    Job::Ask(n) => self.asked[*n].what == Wanted::Refund,
                    job => *job == Job::Resolve,
                };
                tells && since + LONGEST_RUN < until
            });
            if is_over {
                self.note(format!("L{instance} is ended"));
                self.crash(instance);
            }
        }
        self.world.clock.advance(millis);
        self.note("time passes".into());
    }

    /// The instance is gone; another takes its place.
    fn crash(&mut self, instance: usize) {
        if let Some(running) = self.running[instance].take() {
            running.handle.abort();
        }
        self.world.gate.forget(Owner::Lambda(instance));
        self.world.replace_lambda(instance);
    }

    fn call(&mut self, instance: usize, request: Request<Bytes>, answer: Reply, fault: Option<Fault>) {
        let lost = || Err(Unreachable("the connection was lost".into()));
        let reply = match fault {
            None | Some(Fault::Duplicate) => Some(answer),
            Some(Fault::CrashBefore | Fault::CrashAfter) => {
                self.crash(instance);
                None
            }
            Some(_) => {
                // Nobody listens if the instance has crashed.
                let _ = answer.send(lost());
                None
            }
        };
        match fault {
            Some(Fault::CrashBefore | Fault::LoseConnection) => {}
            Some(Fault::Delay) => self.late.push((self.world.millis(), request)),
            Some(Fault::Duplicate) => {
                self.deliver(request.clone(), reply);
                self.deliver(request, None);
            }
            None | Some(Fault::CrashAfter | Fault::LoseReply) => self.deliver(request, reply),
        }
    }

    fn deliver(&mut self, request: Request<Bytes>, reply: Option<Reply>) {
        if request.uri().host() == Some("edge.test") {
            self.serve_at_edge(request, reply);
        } else {
            self.providers.now = self.world.ports.now().as_millis();
            let answer = self.providers.answer(&request);
            if let Some(reply) = reply {
                // Nobody listens if the instance has crashed.
                let _ = reply.send(Ok(answer));
            }
        }
    }

    pub(super) fn arrive_late(&mut self, request: Request<Bytes>) {
        self.deliver(request, None);
    }

    async fn batch(
        &mut self,
        statements: Vec<Statement>,
        answer: oneshot::Sender<Result<Vec<Rows>, StoreError>>,
        fault: Option<Fault>,
    ) {
        let lost = || Err(StoreError::Unavailable("the connection was lost".into()));
        let is_done = !matches!(fault, Some(Fault::CrashBefore | Fault::LoseConnection));
        let rows = if is_done { self.world.ground.edge.engine.batch(statements).await } else { lost() };
        match fault {
            Some(Fault::CrashBefore | Fault::CrashAfter) => self.crash_edge(),
            // Nobody listens if the request was given up.
            Some(_) => drop(answer.send(lost())),
            None => drop(answer.send(rows)),
        }
    }

    /// All that the edge serves is gone; it starts anew on what is on disk.
    fn crash_edge(&mut self) {
        for (number, serving) in std::mem::take(&mut self.serving) {
            serving.abort();
            self.world.gate.forget(Owner::Edge(number));
        }
        self.world.replace_edge();
    }
}

fn is_refund(request: &Request<Bytes>) -> bool {
    [paytr::REFUND, iyzico::CANCEL, iyzico::REFUND].contains(&request.uri().path())
}

/// A statement's beginning, in one line.
fn shortened(sql: &str) -> String {
    let words: Vec<&str> = sql.split_whitespace().collect();
    words.join(" ").chars().take(72).collect()
}
