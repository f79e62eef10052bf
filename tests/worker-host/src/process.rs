//! A program with all that it starts, as one process group that ends with its owner.

use anyhow::Context;
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use std::{
    ffi::OsStr,
    io::{BufRead, BufReader, Read},
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

/// Ends the group when the pipe to it closes, however its owner came to its end.
const GUARD: &str = r#""$@" </dev/null & child=$!
cat >/dev/null
trap '' TERM
kill -s TERM 0
(sleep 5; kill -s KILL 0) &
wait $child
kill -s KILL 0"#;

/// How often 50 ms pass before what does not end is killed.
const PATIENCE: u32 = 100;

/// What was written so far, one line after the other.
#[derive(Debug, Clone, Default)]
pub struct Output(Arc<Mutex<String>>);

impl Output {
    pub fn text(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn follow(&self, stream: Option<impl Read + Send + 'static>) {
        let Some(stream) = stream else { return };
        let output = self.0.clone();
        thread::spawn(move || {
            let mut reader = BufReader::new(stream);
            let mut line = Vec::new();
            while reader.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                let text = String::from_utf8_lossy(&line);
                output.lock().unwrap_or_else(PoisonError::into_inner).push_str(&text);
                line.clear();
            }
        });
    }
}

/// A running group. Dropping it ends it.
#[derive(Debug)]
pub struct Group {
    guard: Child,
    output: Output,
}

impl Group {
    /// Starts `command`, whose environment and folder are kept.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(command: &Command) -> anyhow::Result<Self> {
        let mut guard = Command::new("sh");
        guard.args([OsStr::new("-c"), OsStr::new(GUARD), OsStr::new("guard"), command.get_program()]);
        guard.args(command.get_args());
        if let Some(folder) = command.get_current_dir() {
            guard.current_dir(folder);
        }
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => guard.env(name, value),
                None => guard.env_remove(name),
            };
        }
        guard.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut guard = guard.spawn().context("starting sh")?;
        let output = Output::default();
        output.follow(guard.stdout.take());
        output.follow(guard.stderr.take());
        Ok(Self { guard, output })
    }

    pub fn output(&self) -> &Output {
        &self.output
    }

    /// The group's id.
    pub fn id(&self) -> Option<Pid> {
        i32::try_from(self.guard.id()).ok().and_then(Pid::from_raw)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let Some(group) = self.id() else { return };
        // An error says that there is nobody left.
        let mut is_there = kill_process_group(group, Signal::TERM).is_ok();
        for _ in 0..PATIENCE {
            // Reaped, or it would stay in the group as a zombie.
            let _ = self.guard.try_wait();
            is_there = test_kill_process_group(group).is_ok();
            if !is_there {
                break;
            }
            thread::sleep(Duration::from_millis(50));
        }
        if is_there {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.guard.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleepers() -> Group {
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 1000 & echo started; sleep 1000"]);
        let group = Group::start(&command).unwrap();
        while !group.output().text().contains("started") {
            thread::sleep(Duration::from_millis(10));
        }
        group
    }

    #[test]
    fn nothing_of_a_dropped_group_is_left() {
        let group = sleepers();
        let id = group.id().unwrap();
        drop(group);
        assert!(test_kill_process_group(id).is_err());
    }

    #[test]
    fn nothing_is_left_of_a_group_whose_owner_was_killed() {
        let mut group = sleepers();
        // What the kernel does to the pipe of a process that is gone.
        drop(group.guard.stdin.take());
        group.guard.wait().unwrap();
        let mut patience = 0..100;
        while test_kill_process_group(group.id().unwrap()).is_ok() {
            patience.next().expect("something was left running");
            thread::sleep(Duration::from_millis(20));
        }
    }
}
