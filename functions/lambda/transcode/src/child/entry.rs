//! The child's side.

use std::{
    env,
    fs::{self, File},
    io::{self, BufRead, Write},
    os::{
        fd::{AsFd, AsRawFd},
        unix::net::UnixStream,
    },
    process, thread,
};

use super::{MARKER, Order, Reading, Report, Work};
use crate::{Limits, Origin, TranscodeError, ranges::Ranges, source::Source, transcode};

/// Exit code of a child that reported an error.
const FAILED: i32 = 1;

/// Exit code of a child that could not even report.
const SPEECHLESS: i32 = 2;

/// Exit code of a child whose parent is gone.
const ORPHANED: i32 = 3;

/// Does the child's work and ends the process, if the process was started as a child; otherwise returns at once. Call
/// it first in `main`, before threads are started.
pub fn main_if_child() {
    if env::args_os().nth(1).is_some_and(|argument| argument == MARKER) {
        process::exit(serve().unwrap_or_else(|error| {
            eprintln!("transcode child: {error}");
            SPEECHLESS
        }));
    }
}

/// Reads the order, works, reports; the exit code.
fn serve() -> io::Result<i32> {
    let mut reports = claim_stdout()?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    let order: Order = serde_json::from_str(&line)?;
    thread::Builder::new().spawn(end_with_parent)?;
    restrict(&order.limits)?;
    let origin = match &order.video {
        Reading::File(path) => Origin::File(path.clone()),
        Reading::Ranges(bytes) => {
            let socket = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
            Origin::Ranges(Ranges::new(socket, *bytes))
        }
    };
    match work(&order, &origin, &mut reports) {
        Ok(report) => write(&mut reports, &report).map(|()| 0),
        Err(error) => {
            let error = blame_memory(error, &order.limits);
            write(&mut reports, &Report::Failed(error)).map(|()| FAILED)
        }
    }
}

/// Libraries that cannot allocate say so in many ways: a failed encoder, a thread that would not start, pictures that
/// seem damaged. If the address space was nearly used up by then, that is the reason.
fn blame_memory(error: TranscodeError, limits: &Limits) -> TranscodeError {
    let is_vague = matches!(error, TranscodeError::Encoding { .. } | TranscodeError::Damaged);
    // What failed may have been one allocation of this size: a thread's heap, or the pictures of an encoder.
    let margin = (limits.memory_bytes / 8).max(64 << 20);
    if is_vague && peak_address_space().is_some_and(|peak| peak.saturating_add(margin) > limits.memory_bytes)
    {
        TranscodeError::OutOfMemory { limit_bytes: limits.memory_bytes }
    } else {
        error
    }
}

/// The largest address space that this process had, in bytes (proc(5), `VmPeak` in kB).
fn peak_address_space() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmPeak:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1024)
}

fn work(order: &Order, origin: &Origin, reports: &mut File) -> Result<Report, TranscodeError> {
    let limits = &order.limits;
    ffmpeg_next::init().map_err(|error| TranscodeError::encoding("start FFmpeg", error, limits))?;
    ffmpeg_next::log::set_level(ffmpeg_next::log::Level::Error);
    match &order.work {
        Work::Survey => {
            let source = Source::open(origin, limits)?;
            let end_ms = source.stated_end_ms();
            Ok(Report::Surveyed { probe: source.probe, end_ms })
        }
        Work::Make { task, output } => transcode(origin, output, task, limits, &mut |progress| {
            // A parent that no longer listens ends this process by other means.
            let _ = write(reports, &Report::Progress(progress));
        })
        .map(Report::Made),
    }
}

fn write(reports: &mut File, report: &Report) -> io::Result<()> {
    let mut line = serde_json::to_vec(report)?;
    line.push(b'\n');
    reports.write_all(&line)
}

/// Keeps standard output for reports: whatever a library prints to it goes to standard error from now on.
fn claim_stdout() -> io::Result<File> {
    let reports = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    // SAFETY: both descriptors are open for the life of the process.
    match unsafe { libc::dup2(io::stderr().as_raw_fd(), io::stdout().as_raw_fd()) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(reports),
    }
}

/// Limits that only the kernel can keep. They cannot be raised again.
fn restrict(limits: &Limits) -> io::Result<()> {
    for (resource, soft, hard) in [
        (libc::RLIMIT_AS, limits.memory_bytes, limits.memory_bytes),
        // At the hard limit the kernel sends SIGKILL, which names no reason; at the soft one it sends SIGXCPU.
        (libc::RLIMIT_CPU, limits.cpu_seconds, limits.cpu_seconds.saturating_add(5)),
        (libc::RLIMIT_FSIZE, limits.output_bytes, limits.output_bytes),
        (libc::RLIMIT_NOFILE, 64, 64),
        (libc::RLIMIT_CORE, 0, 0),
    ] {
        let limit = libc::rlimit { rlim_cur: soft, rlim_max: hard };
        // SAFETY: `limit` is a valid rlimit for the call, which copies it.
        if unsafe { libc::setrlimit(resource, &raw const limit) } == -1 {
            return Err(io::Error::last_os_error());
        }
    }
    // SAFETY: no pointers; the call only takes away what an executed program could gain.
    match unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// Ends the process when the parent does: its end of standard input closes however it dies.
fn end_with_parent() {
    let mut input = libc::pollfd { fd: io::stdin().as_raw_fd(), events: libc::POLLRDHUP, revents: 0 };
    // SAFETY: `input` is one valid pollfd for the call. Interrupted, it waits again.
    while unsafe { libc::poll(&raw mut input, 1, -1) } < 1 {}
    // SAFETY: ends the process at once, without destructors that FFmpeg's threads might still need.
    unsafe { libc::_exit(ORPHANED) }
}
