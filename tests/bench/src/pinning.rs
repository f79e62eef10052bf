//! Which core runs what, and how much of one a process has used.

use anyhow::Context;
use rustix::{
    process::Pid,
    thread::{CpuSet, sched_getaffinity, sched_setaffinity},
};
use std::fs;

/// The two ends of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Server,
    Load,
}

/// The cores that servers and load run on, the same where there is only one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cores {
    server: usize,
    load: usize,
}

impl Cores {
    /// The first and the last that this thread may use: to be asked before it is kept to one.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn allowed() -> anyhow::Result<Self> {
        let allowed = sched_getaffinity(None).context("asking which cores there are")?;
        let mut cores = (0..CpuSet::MAX_CPU).filter(|&core| allowed.is_set(core));
        let server = cores.next().context("there is no core to run on")?;
        Ok(Self { server, load: cores.next_back().unwrap_or(server) })
    }

    /// Keeps this thread, and the threads and processes that it starts from now on, on one core.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn keep_to(&self, side: Side) -> anyhow::Result<()> {
        sched_setaffinity(None, &self.only(side)).context("keeping to one core")
    }

    /// Moves all threads of a process, which has been started on one core and so counts on no more.
    ///
    /// # Errors
    /// When there is no such process, or the system refuses.
    pub fn move_process(&self, process: u32, side: Side) -> anyhow::Result<()> {
        for thread in fs::read_dir(format!("/proc/{process}/task"))? {
            let thread = thread?.file_name().to_string_lossy().parse().ok().and_then(Pid::from_raw);
            sched_setaffinity(thread, &self.only(side)).context("moving a thread")?;
        }
        Ok(())
    }

    fn only(self, side: Side) -> CpuSet {
        let mut one = CpuSet::new();
        one.set(match side {
            Side::Server => self.server,
            Side::Load => self.load,
        });
        one
    }
}

/// User and system time that all threads of a process have used so far, in seconds, from `/proc/<pid>/stat`.
///
/// # Errors
/// When there is no such process.
pub fn cpu_seconds(process: u32) -> anyhow::Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    let ticks = cpu_ticks(&stat).context("/proc/<pid>/stat is not as proc(5) says")?;
    Ok(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

/// `utime` and `stime`, fields 14 and 15; the name before them may hold spaces and brackets.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split(' ').skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_user_and_system_time_whatever_the_process_is_called() {
        let stat = "42 (a) (b c) S 1 42 42 0 -1 4194304 100 0 0 0 700 33 0 0 20 0 4 0 12345 0 0";
        assert_eq!(cpu_ticks(stat), Some(733));
        assert_eq!(cpu_ticks("42 (a"), None);
    }

    #[test]
    fn work_shows_as_cpu_time() {
        let before = cpu_seconds(std::process::id()).unwrap();
        let mut sum = 0_u64;
        while cpu_seconds(std::process::id()).unwrap() < before + 0.03 {
            sum = (0..100_000_u64).fold(sum, |sum, n| std::hint::black_box(sum ^ n));
        }
    }
}
