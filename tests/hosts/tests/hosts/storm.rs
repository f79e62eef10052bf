//! Many requests at once, some of them given up midway; each answer is looked through for what is somebody else's.

use akademi_host_tests::{Academies, Learner};
use akademi_local::api_client::{Answer, ApiClient};
use futures::{StreamExt, stream};
use proptest::{
    prelude::Rng,
    test_runner::{RngAlgorithm, TestRng},
};
use std::{env, time::Duration};

use crate::asks::{Ask, Asker, asks};

/// How many requests are under way at once: fewer than one instance takes, since some that were given up still run.
const AT_ONCE: usize = 40;
/// One request in so many is given up.
const GIVEN_UP: u64 = 7;
/// At the latest after so long, in microseconds.
const GIVEN_UP_WITHIN: u64 = 5_000;

/// What a storm came to.
#[derive(Debug, Default)]
pub struct Storm {
    pub answered: usize,
    pub given_up: usize,
    /// Answers that were not the asker's, or not whole.
    pub findings: Vec<String>,
}

/// A random generator for this seed.
pub fn random(seed: u64) -> TestRng {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    TestRng::from_seed(RngAlgorithm::ChaCha, &bytes)
}

/// The seed of this run: `AKADEMI_SEED`, or always the same.
pub fn seed() -> u64 {
    let seed = env::var("AKADEMI_SEED").ok().map_or(20_261_121, |seed| seed.parse().expect("a number"));
    println!("AKADEMI_SEED={seed}");
    seed
}

/// Sends `count` of the learners' requests in an order that `seed` gives.
pub async fn storm(
    academies: &Academies,
    learners: &[Learner],
    visitors: &[ApiClient; 2],
    count: usize,
    seed: u64,
) -> Storm {
    let asks = asks(academies, learners);
    let mut random = random(seed);
    let mut draw = |below: u64| random.next_u64() % below;
    let plan: Vec<_> = (0..count)
        .map(|_| {
            let ask = &asks[usize::try_from(draw(asks.len() as u64)).unwrap()];
            let given_up = (draw(GIVEN_UP) == 0).then(|| Duration::from_micros(draw(GIVEN_UP_WITHIN)));
            (ask, given_up)
        })
        .collect();
    let outcomes = stream::iter(plan).map(async |(ask, given_up)| {
        let client = ask.client(visitors, learners);
        let exchange = ask.send(&client);
        let answer = match given_up {
            // Its connection goes with it.
            Some(time) => tokio::time::timeout(time, exchange).await.ok()?,
            None => exchange.await,
        };
        Some(match answer {
            Ok(answer) => finding(academies, learners, ask, &answer),
            Err(error) => Some(format!("{}: no answer: {error}", ask.name)),
        })
    });
    let outcomes: Vec<_> = outcomes.buffer_unordered(AT_ONCE).collect().await;
    let given_up = outcomes.iter().filter(|outcome| outcome.is_none()).count();
    Storm {
        answered: count - given_up,
        given_up,
        findings: outcomes.into_iter().flatten().flatten().collect(),
    }
}

/// What is wrong with an answer.
pub fn finding(academies: &Academies, learners: &[Learner], ask: &Ask, answer: &Answer) -> Option<String> {
    let said = format!("{:?} {}", answer.headers, String::from_utf8_lossy(&answer.body));
    let other = academies.both[1 - ask.academy].mark;
    if said.contains(other) {
        return Some(format!("{} of {:?}: another academy's: {said}", ask.name, ask.asker));
    }
    if let Some(stranger) = strangers(learners, ask).find(|learner| mentions(learner, &said)) {
        return Some(format!("{} of {:?}: of {}: {said}", ask.name, ask.asker, stranger.mark));
    }
    let is_own = answer.status.as_u16() == ask.status && said.contains(&ask.own);
    (!is_own).then(|| format!("{} of {:?}: not the asker's: {} {said}", ask.name, ask.asker, answer.status))
}

fn mentions(learner: &Learner, said: &str) -> bool {
    learner.marks().iter().any(|mark| said.contains(mark.as_str()))
}

/// The learners whose data this answer must not hold; a certificate's holder is who its address names.
fn strangers<'a>(learners: &'a [Learner], ask: &'a Ask) -> impl Iterator<Item = &'a Learner> {
    learners.iter().enumerate().filter_map(move |(number, learner)| {
        let is_asked_for = ask.path().contains(&learner.serial.to_string());
        let is_asker = ask.asker == Asker::Learner(number);
        (!is_asker && !is_asked_for).then_some(learner)
    })
}
