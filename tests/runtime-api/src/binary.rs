//! A binary that runs as Lambda runs it: with its own variables and Lambda's, and no others.

use anyhow::Context;
use std::{
    collections::BTreeMap,
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    task::JoinHandle,
};

use crate::{RuntimeApi, bucket::CREDENTIALS};

/// A process; killed when this is dropped.
pub struct Binary {
    process: Child,
    lines: Arc<Mutex<Vec<String>>>,
    reading: JoinHandle<()>,
}

impl Binary {
    /// Starts `program` with these variables, in upper case.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(
        program: &str,
        api: &RuntimeApi,
        variables: &BTreeMap<String, String>,
    ) -> anyhow::Result<Self> {
        let own = variables.iter().map(|(name, value)| (name.to_ascii_uppercase(), value));
        let mut process = Command::new(program)
            .env_clear()
            .envs(own)
            .env("AWS_LAMBDA_RUNTIME_API", api.address.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", "akademi")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .envs(CREDENTIALS)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("starting {program}"))?;
        let lines = Arc::new(Mutex::new(Vec::new()));
        let output = process.stdout.take().context("its standard output")?;
        let kept = lines.clone();
        let reading = tokio::spawn(async move {
            let mut output = BufReader::new(output).lines();
            while let Ok(Some(line)) = output.next_line().await {
                kept.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            }
        });
        Ok(Self { process, lines, reading })
    }

    /// The lines of its log so far, once one of them holds `part`.
    ///
    /// # Errors
    /// When none does within a minute.
    pub async fn log_with(&self, part: &str) -> anyhow::Result<Vec<String>> {
        let found = async {
            loop {
                let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner).clone();
                if lines.iter().any(|line| line.contains(part)) {
                    return lines;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let lines = tokio::time::timeout(Duration::from_secs(60), found).await;
        lines.with_context(|| format!("{part} is not in the log"))
    }

    /// Waits until it ends by itself; then the log is whole.
    ///
    /// # Errors
    /// When it has not within 30 seconds.
    pub async fn end(&mut self) -> anyhow::Result<ExitStatus> {
        let patience = Duration::from_secs(30);
        let status = tokio::time::timeout(patience, self.process.wait()).await??;
        tokio::time::timeout(patience, &mut self.reading).await??;
        Ok(status)
    }
}
