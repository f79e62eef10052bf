//! Which core runs what, and how much of one a process has used.

use anyhow::Context;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The two ends of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Server,
    Load,
}

/// Keeps this thread, and those that it starts from now on, on one core: the server on the first that this process may
/// use, the load on the last.
///
/// # Errors
/// When the system refuses.
pub fn pin_to(side: Side) -> anyhow::Result<()> {
    let allowed = sched_getaffinity(None).context("asking which cores there are")?;
    let mut cores = (0..CpuSet::MAX_CPU).filter(|&core| allowed.is_set(core));
    let core = match side {
        Side::Server => cores.next(),
        Side::Load => cores.next_back(),
    };
    let mut one = CpuSet::new();
    one.set(core.context("there is no core to run on")?);
    sched_setaffinity(None, &one).context("keeping to one core")
}

/// User and system time that all threads of a process have used so far, in seconds, from `/proc/<pid>/stat`.
///
/// # Errors
/// When there is no such process.
pub fn cpu_seconds(process: u32) -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
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
