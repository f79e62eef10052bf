//! What a host gives to functions beside a store: time, randomness, a log, an HTTP client.

use akademi_domain::time::Timestamp;
use bytes::Bytes;
use futures::future::BoxFuture;
use std::{sync::Arc, time::Duration};

use crate::{
    answers::{Answer, Question},
    compression::Compressor,
};

/// The wall clock. It may jump; nothing depends on it being monotonic.
pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;
}

/// A cryptographic random generator.
pub trait Rng: Send + Sync {
    fn fill(&self, bytes: &mut [u8]);
}

/// Where log lines go, one JSON object a line.
pub trait Log: Send + Sync {
    fn line(&self, json: &str);
}

/// The other side could not be asked: refused, timed out, or cut off. Nothing is known of what it did.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreachable(pub String);

/// In a request's extensions: how long its whole exchange may take, where the host's own limit is longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeLimit(pub Duration);

impl TimeLimit {
    /// The time for `request` on a host that gives `most`.
    pub fn of<B>(request: &http::Request<B>, most: Duration) -> Duration {
        request.extensions().get().map_or(most, |Self(limit)| most.min(*limit))
    }
}

/// Outgoing HTTP with bodies in memory and a bounded time, both the host's. A request may ask for a shorter time: [`TimeLimit`].
pub trait HttpClient: Send + Sync {
    /// # Errors
    /// [`Unreachable`] when no whole response came back.
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, Unreachable>>;
}

/// Asks for a run of `sync` soon. A wake may be lost, so nothing depends on it but time.
pub trait Wake: Send + Sync {
    fn wake(&self);
}

/// The platform's cache of public answers, near the people who ask. What it holds may go at any time.
pub trait PublicCache: Send + Sync {
    /// The answer that was kept for `question`, on whichever machine.
    fn find<'a>(&'a self, question: &'a Question) -> BoxFuture<'a, Option<Answer>>;

    /// Keeps `answer`, if the platform will.
    fn keep<'a>(&'a self, question: &'a Question, answer: &'a Answer) -> BoxFuture<'a, ()>;
}

/// The ports that every function has.
#[derive(Clone)]
pub struct Ports {
    pub clock: Arc<dyn Clock>,
    pub rng: Arc<dyn Rng>,
    pub log: Arc<dyn Log>,
    /// Nothing where answers leave as they are.
    pub compressor: Option<Arc<dyn Compressor>>,
    /// Nothing where the platform has none.
    pub cache: Option<Arc<dyn PublicCache>>,
}

impl Ports {
    /// Ports of a host that neither compresses nor has a cache.
    pub fn new(clock: Arc<dyn Clock>, rng: Arc<dyn Rng>, log: Arc<dyn Log>) -> Self {
        Self { clock, rng, log, compressor: None, cache: None }
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.rng.fill(&mut bytes);
        bytes
    }
}
