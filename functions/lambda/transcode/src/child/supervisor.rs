//! The parent's side.

use std::{
    env,
    os::{fd::OwnedFd, unix::process::ExitStatusExt},
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    thread,
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::UnixStream,
    process::{Child as Process, ChildStderr, Command},
    time,
};

use super::{Child, MARKER, Order, Reading, Report, Survey, Video, Work, claims};
use crate::{Limits, Made, Progress, Task, TranscodeError, folder, ranges};

/// Bytes of reports that a child may write; what four hours become in six renditions is told in less than eight million.
const REPORT_BYTES: u64 = 16 << 20;

/// Bytes of a child's log that are kept.
const LOG_BYTES: usize = 4096;

impl Child {
    /// Reads what the video is. Needs a tokio runtime with time and I/O, as all that follows. Dropping the future kills
    /// the child.
    ///
    /// # Errors
    /// [`TranscodeError`], where the video is none, or one that is not taken.
    pub async fn survey(&self) -> Result<Survey, TranscodeError> {
        match self.run(None, |_| ()).await? {
            Report::Surveyed { probe, end_ms } => claims::survey(&probe, end_ms, &self.limits),
            _ => Err(unasked()),
        }
    }

    /// Makes what the task says into a folder, which must be absent or empty before and is empty again after an error or
    /// a drop. `on_progress` is called about once per second of video.
    ///
    /// # Errors
    /// [`TranscodeError`], where nothing was made.
    pub async fn make(
        &self,
        task: &Task,
        output: &Path,
        on_progress: impl FnMut(Progress),
    ) -> Result<Made, TranscodeError> {
        folder::require_empty(output)?;
        match self.run(Some((task, output)), on_progress).await? {
            Report::Made(made) => Ok(made),
            _ => Err(unasked()),
        }
    }

    /// Has a child make a task into a folder, or else survey the video.
    async fn run(
        &self,
        task: Option<(&Task, &Path)>,
        mut on_progress: impl FnMut(Progress),
    ) -> Result<Report, TranscodeError> {
        let limits = &self.limits;
        let output = task.map(|(_, output)| output.to_owned());
        let work = match task {
            None => Work::Survey,
            Some((task, output)) => Work::Make { task: task.clone(), output: output.to_owned() },
        };
        let (child, socket) = self.spawn()?;
        let mut running = Running { child, output, succeeded: false };
        let outcome = time::timeout(
            Duration::from_millis(limits.wall_ms),
            self.supervise(&mut running.child, socket, work, &mut on_progress),
        )
        .await
        .unwrap_or(Err(TranscodeError::TimedOut { limit_ms: limits.wall_ms }))
        .and_then(|report| match (&report, task) {
            (Report::Made(made), Some((task, output))) => {
                claims::check(made, task, output, limits).map(|()| report)
            }
            _ => Ok(report),
        });
        running.succeeded = outcome.is_ok();
        outcome
    }

    /// The process, and our end of its standard input.
    fn spawn(&self) -> Result<(Process, UnixStream), TranscodeError> {
        let failed = |error| TranscodeError::storage("start child", &error);
        let program = match &self.program {
            Some(program) => program.clone(),
            None => env::current_exe().map_err(failed)?,
        };
        let (ours, theirs) = UnixStream::pair().map_err(failed)?;
        let theirs = theirs.into_std().map_err(failed)?;
        theirs.set_nonblocking(false).map_err(failed)?;
        let mut command = Command::new(program);
        command
            .arg(MARKER)
            .env_clear()
            .stdin(OwnedFd::from(theirs))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        // Where a Lambda layer puts FFmpeg.
        if let Some(libraries) = env::var_os("LD_LIBRARY_PATH") {
            command.env("LD_LIBRARY_PATH", libraries);
        }
        Ok((command.spawn().map_err(failed)?, ours))
    }

    async fn supervise(
        &self,
        child: &mut Process,
        mut socket: UnixStream,
        work: Work,
        on_progress: &mut impl FnMut(Progress),
    ) -> Result<Report, TranscodeError> {
        let failed = |error| TranscodeError::storage("child", &error);
        let missing = || TranscodeError::Storage { detail: "child: no pipe".to_owned() };
        let stdout = child.stdout.take().ok_or_else(missing)?;
        let stderr = child.stderr.take().ok_or_else(missing)?;

        let video = match &self.video {
            Video::File(path) => Reading::File(path.clone()),
            Video::Stored(file) => Reading::Ranges(file.bytes()),
        };
        let order = Order { video, limits: self.limits.clone(), work };
        let mut line = serde_json::to_vec(&order)
            .map_err(|error| TranscodeError::Storage { detail: format!("order: {error}") })?;
        line.push(b'\n');
        // A child that died at once is told from its exit status, not from the broken socket. The socket stays open until
        // the end of this function: the child ends with it.
        let _ = socket.write_all(&line).await;

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
        let give_ranges = async {
            match &self.video {
                Video::File(_) => Ok(Some(socket)),
                Video::Stored(file) => ranges::serve(socket, file).await.map(|()| None),
            }
        };
        let (report, log, given) = tokio::join!(read_reports, last_words(stderr), give_ranges);
        let status = child.wait().await.map_err(failed)?;
        // What the child makes of a video that it cannot read is not the video's fault.
        given.map_err(|error| TranscodeError::Storage { detail: error.with_source() })?;
        match report {
            Some(Report::Failed(error)) => Err(error),
            Some(report) if status.success() => Ok(report),
            _ => Err(cause_of_death(status, log, &self.limits)),
        }
    }
}

/// A child that answers something else than was asked has been taken over.
fn unasked() -> TranscodeError {
    TranscodeError::Crashed { how: "it answered another question".to_owned(), log: String::new() }
}

/// A child that is killed, and its output removed, unless it succeeded.
struct Running {
    child: Process,
    output: Option<PathBuf>,
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
        let _ = self.output.as_deref().map(folder::clear);
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
