//! Steps with their times, and how many of them held.

use std::{future::Future, time::Duration};

/// A step that was walked.
#[derive(Debug, Clone)]
pub struct Step {
    pub name: &'static str,
    pub took: Duration,
    /// What went wrong, with its causes.
    pub error: Option<String>,
}

/// All steps of a journey.
#[derive(Debug, Default)]
pub struct Report {
    pub steps: Vec<Step>,
}

impl Report {
    /// Walks one step, prints it, and hands on what it found; nothing when it failed.
    #[allow(clippy::disallowed_methods, reason = "this measures how long a person would wait")]
    pub async fn step<T>(
        &mut self,
        name: &'static str,
        walk: impl Future<Output = anyhow::Result<T>>,
    ) -> Option<T> {
        let started = std::time::Instant::now();
        let outcome = walk.await;
        let took = started.elapsed();
        let error = outcome.as_ref().err().map(|error| format!("{error:#}"));
        let mark = if error.is_none() { "ok    " } else { "FAILED" };
        println!("{mark} {:>6} ms  {name}", took.as_millis());
        if let Some(error) = &error {
            println!("       {error}");
        }
        self.steps.push(Step { name, took, error });
        outcome.ok()
    }

    pub fn failed(&self) -> usize {
        self.steps.iter().filter(|step| step.error.is_some()).count()
    }

    pub fn passed(&self) -> usize {
        self.steps.len() - self.failed()
    }
}
