//! Where every step of every task waits until the scheduler lets it go.

use akademi_api::ports::Unreachable;
use akademi_edge_store::{Rows, Statement, StoreError};
use bytes::Bytes;
use http::{Request, Response};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};
use tokio::sync::{Notify, oneshot};

/// Who a step belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// An instance of a Lambda function, by its place.
    Lambda(usize),
    /// A request that the edge serves, by its number.
    Edge(u64),
}

/// What befalls a statement on its way to PostgreSQL and back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passage {
    Whole,
    /// The statement is never heard of.
    CutBefore,
    /// It is done; its answer never comes.
    CutAfter,
}

/// A step that waits.
pub enum Work {
    Statement { sql: String, go: oneshot::Sender<(Passage, Arc<Done>)> },
    Http { request: Box<Request<Bytes>>, answer: oneshot::Sender<Result<Response<Bytes>, Unreachable>> },
    Batch { statements: Vec<Statement>, answer: oneshot::Sender<Result<Vec<Rows>, StoreError>> },
}

impl Work {
    const fn rank(&self) -> u8 {
        match self {
            Self::Statement { .. } => 0,
            Self::Http { .. } => 1,
            Self::Batch { .. } => 2,
        }
    }
}

/// Told when a statement has had its answer or its end.
#[derive(Default)]
pub struct Done {
    is_done: AtomicBool,
    told: Notify,
}

impl Done {
    pub fn tell(&self) {
        self.is_done.store(true, Ordering::SeqCst);
        self.told.notify_one();
    }

    pub fn is_done(&self) -> bool {
        self.is_done.load(Ordering::SeqCst)
    }

    pub async fn wait(&self) {
        while !self.is_done() {
            self.told.notified().await;
        }
    }
}

pub struct Parked {
    pub owner: Owner,
    pub work: Work,
}

/// All that waits, and whether anything is on its way that waits for nobody.
#[derive(Clone, Default)]
pub struct Gate(Arc<State>);

#[derive(Default)]
struct State {
    parked: Mutex<Vec<Parked>>,
    activity: AtomicUsize,
    busy: AtomicUsize,
    idle: Notify,
}

/// Something is on its way that no decision is taken about: a connection's beginning or end, a statement's preparation.
pub struct Busy(Arc<State>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.activity.fetch_add(1, Ordering::SeqCst);
        self.0.busy.fetch_sub(1, Ordering::SeqCst);
        self.0.idle.notify_one();
    }
}

/// A message between two tasks of this thread takes one turn of the runtime, with one look at its sockets; from a task to
/// the proxy and on to the gate it is two.
const QUIET_TURNS: usize = 4;

impl Gate {
    pub fn park(&self, owner: Owner, work: Work) {
        self.stir();
        let mut parked = self.0.parked.lock().unwrap();
        parked.push(Parked { owner, work });
        parked.sort_by_key(|parked| (parked.owner, parked.work.rank()));
    }

    /// Something happened: whoever waits for quiet waits on.
    pub fn stir(&self) {
        self.0.activity.fetch_add(1, Ordering::SeqCst);
    }

    pub fn busy(&self) -> Busy {
        self.0.busy.fetch_add(1, Ordering::SeqCst);
        Busy(self.0.clone())
    }

    /// Who waits, in an order that does not depend on who came first.
    pub fn owners(&self) -> Vec<Owner> {
        self.0.parked.lock().unwrap().iter().map(|parked| parked.owner).collect()
    }

    /// Whether the step at this place commits.
    pub fn commits(&self, place: usize) -> bool {
        let parked = self.0.parked.lock().unwrap();
        matches!(&parked[place].work, Work::Statement { sql, .. } if sql == "COMMIT")
    }

    /// The step at this place of [`Self::owners`].
    pub fn take(&self, place: usize) -> Parked {
        self.0.parked.lock().unwrap().remove(place)
    }

    /// What it waited for never comes.
    pub fn forget(&self, owner: Owner) {
        self.0.parked.lock().unwrap().retain(|parked| parked.owner != owner);
    }

    /// Returns when every task waits: for the scheduler, or for a lock in the database.
    pub async fn settle(&self) {
        let mut quiet = 0;
        while quiet < QUIET_TURNS {
            let before = self.0.activity.load(Ordering::SeqCst);
            tokio::task::yield_now().await;
            while self.0.busy.load(Ordering::SeqCst) > 0 {
                self.0.idle.notified().await;
            }
            let is_quiet = self.0.activity.load(Ordering::SeqCst) == before;
            quiet = if is_quiet { quiet + 1 } else { 0 };
        }
    }
}
