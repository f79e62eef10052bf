//! The parent's side.

use std::{
    env, fs,
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    thread,
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStderr, Command},
    time,
};

use super::{Job, MARKER, Order, Report};
use crate::{Limits, Manifest, Progress, TranscodeError, folder};

/// Bytes of reports that a child may write; the manifest of four hours in four renditions is less than one million.
const REPORT_BYTES: u64 = 16 << 20;

/// Bytes of a child's log that are kept.
const LOG_BYTES: usize = 4096;

/// Probes, plans and transcodes one file in a child process.
///
/// `on_progress` is called about once per second of video. Dropping the future kills the child. After an error, and
/// after a drop, the output folder is empty. Needs a tokio runtime with time and I/O.
pub async fn run(
    job: &Job,
    limits: &Limits,
    mut on_progress: impl FnMut(Progress),
) -> Result<Manifest, TranscodeError> {
    folder::require_empty(&job.output)?;
    let mut running = Running { child: spawn(job)?, output: job.output.clone(), succeeded: false };
    let order = Order { source: job.source.clone(), output: job.output.clone(), limits: limits.clone() };
    let supervised = supervise(&mut running.child, &order, &mut on_progress);
    let outcome = time::timeout(Duration::from_millis(limits.wall_ms), supervised)
        .await
        .unwrap_or(Err(TranscodeError::TimedOut { limit_ms: limits.wall_ms }))
        .and_then(|manifest| check(manifest, &job.output, limits));
    running.succeeded = outcome.is_ok();
    outcome
}

/// A child that is killed, and its output removed, unless it succeeded.
struct Running {
    child: Child,
    output: PathBuf,
    succeeded: bool,
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.succeeded {
            return;
        }
        // The folder can be emptied for good only when nobody writes to it any more. A killed process is gone within
        // milliseconds, so this waits for it, but not for ever.
        let _ = self.child.start_kill();
        for _ in 0..500 {
            if !matches!(self.child.try_wait(), Ok(None)) {
                break;
            }
            thread::sleep(Duration::from_millis(2));
        }
        let _ = folder::clear(&self.output);
    }
}

fn spawn(job: &Job) -> Result<Child, TranscodeError> {
    let failed = |error| TranscodeError::storage("start child", &error);
    let program = match &job.program {
        Some(program) => program.clone(),
        None => env::current_exe().map_err(failed)?,
    };
    let mut command = Command::new(program);
    command
        .arg(MARKER)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    // Where a Lambda layer puts FFmpeg.
    if let Some(libraries) = env::var_os("LD_LIBRARY_PATH") {
        command.env("LD_LIBRARY_PATH", libraries);
    }
    command.spawn().map_err(failed)
}

async fn supervise(
    child: &mut Child,
    order: &Order,
    on_progress: &mut impl FnMut(Progress),
) -> Result<Manifest, TranscodeError> {
    let failed = |error| TranscodeError::storage("child", &error);
    let missing = || TranscodeError::Storage { detail: "child: no pipe".to_owned() };
    let mut stdin = child.stdin.take().ok_or_else(missing)?;
    let stdout = child.stdout.take().ok_or_else(missing)?;
    let stderr = child.stderr.take().ok_or_else(missing)?;

    let mut line = serde_json::to_vec(order)
        .map_err(|error| TranscodeError::Storage { detail: format!("order: {error}") })?;
    line.push(b'\n');
    // A child that died at once is told from its exit status, not from the broken pipe. Standard input stays open until
    // the end of this function: the child ends with it.
    let _ = stdin.write_all(&line).await;

    let read_reports = async {
        let mut lines = BufReader::new(stdout.take(REPORT_BYTES)).lines();
        let mut last = None;
        // A line that is no report ends the conversation; the exit status says the rest.
        while let Ok(Some(line)) = lines.next_line().await {
            match serde_json::from_str(&line) {
                Ok(Report::Progress(progress)) => on_progress(progress),
                Ok(report) => last = Some(report),
                Err(_) => break,
            }
        }
        last
    };
    let (report, log) = tokio::join!(read_reports, last_words(stderr));
    let status = child.wait().await.map_err(failed)?;
    match report {
        Some(Report::Done(manifest)) if status.success() => Ok(manifest),
        Some(Report::Failed(error)) => Err(error),
        _ => Err(cause_of_death(status, log, &order.limits)),
    }
}

/// The end of what the child logged.
async fn last_words(mut stderr: ChildStderr) -> String {
    let mut kept = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = stderr.read(&mut buffer).await {
        kept.extend(buffer.iter().take(length));
        kept.drain(..kept.len().saturating_sub(LOG_BYTES));
    }
    String::from_utf8_lossy(&kept).into_owned()
}

/// Why a child ended that reported neither a manifest nor an error.
fn cause_of_death(status: ExitStatus, log: String, limits: &Limits) -> TranscodeError {
    match status.signal() {
        Some(libc::SIGXCPU) => TranscodeError::CpuExhausted { limit_seconds: limits.cpu_seconds },
        Some(libc::SIGXFSZ) => TranscodeError::OutputTooLarge { limit_bytes: limits.output_bytes },
        // What Rust's allocator says before it aborts, or its runtime where a thread finds no room for its stack (ENOMEM).
        Some(libc::SIGABRT) if log.contains("memory allocation of") || log.contains("(os error 12)") => {
            TranscodeError::OutOfMemory { limit_bytes: limits.memory_bytes }
        }
        Some(signal) => TranscodeError::Crashed { how: format!("signal {signal}"), log },
        None => TranscodeError::Crashed { how: status.to_string(), log },
    }
}

/// A child that a hostile file has taken over may claim anything: its files must be in the folder, behind no link, of
/// the size that it says, and together within the limit.
fn check(manifest: Manifest, output: &Path, limits: &Limits) -> Result<Manifest, TranscodeError> {
    let root = fs::canonicalize(output).map_err(|error| TranscodeError::storage("output folder", &error))?;
    let is_there = |path: &str, bytes: u64| {
        let expected = root.join(path);
        fs::canonicalize(&expected).is_ok_and(|found| found == expected && found.starts_with(&root))
            && fs::metadata(&expected).is_ok_and(|file| file.is_file() && file.len() == bytes)
    };
    if manifest.bytes() > limits.output_bytes {
        return Err(TranscodeError::OutputTooLarge { limit_bytes: limits.output_bytes });
    }
    match manifest.files.iter().find(|file| !is_there(&file.path, file.bytes)) {
        None => Ok(manifest),
        Some(file) => Err(TranscodeError::Crashed {
            how: "its manifest names a file that is not there".to_owned(),
            log: file.path.clone(),
        }),
    }
}
