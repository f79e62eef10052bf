//! Time, randomness and the log of a process of one's own.

use akademi_api::ports::{Clock, Log, Ports, Rng};
use akademi_domain::time::Timestamp;
use std::{
    io::Write,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

struct Process;

impl Clock for Process {
    #[allow(clippy::disallowed_methods, reason = "this is the port that everything else takes")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

impl Rng for Process {
    #[allow(clippy::expect_used, reason = "a system without randomness must not go on")]
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the system gives random bytes");
    }
}

/// Writes each line to a file or stream; a log that cannot be written stops nothing.
pub struct WriteLog<W>(std::sync::Mutex<W>);

impl<W: Write + Send> WriteLog<W> {
    pub const fn new(writer: W) -> Self {
        Self(std::sync::Mutex::new(writer))
    }
}

impl<W: Write + Send> Log for WriteLog<W> {
    fn line(&self, json: &str) {
        let mut writer = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // One write a line: to a file, each is a system call.
        let _ = writer.write_all(format!("{json}\n").as_bytes());
    }
}

/// The process's clock and randomness with this log.
pub fn ports(log: Arc<dyn Log>) -> Ports {
    Ports::new(Arc::new(Process), Arc::new(Process), log)
}
