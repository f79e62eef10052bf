//! On which processor a world runs. It and the server's processes that serve it take turns, so they share one: to hand on
//! to whoever runs beside costs less than to wake another processor. Where the machine refuses, it is only slower.

use rustix::thread::{CpuSet, Pid, sched_getaffinity, sched_setaffinity};

/// Keeps this thread, and those that it starts from now on, on one of the processors that it may use: another one for each
/// `place`, as far as there are any.
pub fn stay(place: usize) {
    let Ok(all) = sched_getaffinity(None) else { return };
    let usable: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|cpu| all.is_set(*cpu)).collect();
    let mut one = CpuSet::new();
    one.set(usable[place % usable.len()]);
    let _ = sched_setaffinity(None, &one);
}

/// Has a process run where this thread does.
pub fn share(pid: i32) {
    if let Ok(own) = sched_getaffinity(None) {
        let _ = sched_setaffinity(Pid::from_raw(pid), &own);
    }
}
