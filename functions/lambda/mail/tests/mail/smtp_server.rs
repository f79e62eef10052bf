//! A real SMTP server, aiosmtpd of Python, as a process of its own.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use mail_parser::{Message, MessageParser};
use serde_json::{Value, json};
use std::sync::Arc;
use std::{
    env,
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Condvar, Mutex, mpsc},
    time::Duration,
};

/// What a test waits for the server at most.
const PATIENCE: Duration = Duration::from_secs(20);

/// A message that the server took over.
#[derive(Debug, Clone)]
pub struct Taken {
    pub from: String,
    pub to: Vec<String>,
    pub bytes: Vec<u8>,
}

impl Taken {
    /// Read by a parser that shares no code with what wrote it.
    pub fn parsed(&self) -> Message<'_> {
        MessageParser::default().parse(&self.bytes).unwrap()
    }

    /// The header's value as it travels, unfolded.
    pub fn raw_header(&self, name: &str) -> String {
        self.parsed().header_raw(name).unwrap_or_default().trim().replace("\r\n", "")
    }
}

pub struct SmtpServer {
    pub port: u16,
    process: Child,
    input: Mutex<ChildStdin>,
    told: Mutex<mpsc::Receiver<String>>,
    taken: Arc<(Mutex<Vec<Taken>>, Condvar)>,
}

impl SmtpServer {
    pub fn start() -> Self {
        Self::demanding(&[])
    }

    /// One that takes mail of nobody else.
    pub fn demanding(credentials: &[&str]) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mail/smtp_server.py");
        let mut process = Command::new(python())
            .arg(script)
            .args(credentials)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python's tools are there: `cargo xtask test` installs them");
        let input = Mutex::new(process.stdin.take().unwrap());
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let first = lines.next().expect("aiosmtpd is there: `cargo xtask test` installs it").unwrap();
        let first: Value = serde_json::from_str(&first).unwrap();
        let port = first["port"].as_u64().unwrap() as u16;
        let taken = Arc::new((Mutex::new(Vec::new()), Condvar::new()));
        let (tell, told) = mpsc::channel();
        let kept = taken.clone();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let line: Value = serde_json::from_str(&line).unwrap();
                if let Some(recipient) = line["told"].as_str() {
                    let _ = tell.send(recipient.to_owned());
                    continue;
                }
                let to = line["to"].as_array().unwrap().iter().map(|to| to.as_str().unwrap().to_owned());
                let message = Taken {
                    from: line["from"].as_str().unwrap().to_owned(),
                    to: to.collect(),
                    bytes: STANDARD.decode(line["message"].as_str().unwrap()).unwrap(),
                };
                kept.0.lock().unwrap().push(message);
                kept.1.notify_all();
            }
        });
        Self { port, process, input, told: Mutex::new(told), taken }
    }

    pub fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    /// How it answers the next RCPT commands for `recipient`.
    pub fn answer(&self, recipient: &str, answers: &[&str]) {
        let line = json!({ "recipient": recipient, "answers": answers });
        writeln!(self.input.lock().unwrap(), "{line}").unwrap();
        assert_eq!(self.told.lock().unwrap().recv_timeout(PATIENCE).unwrap(), recipient);
    }

    /// What it has taken over: at least so many messages, waited for.
    pub fn taken(&self, at_least: usize) -> Vec<Taken> {
        let (taken, grew) = &*self.taken;
        let waited = grew.wait_timeout_while(taken.lock().unwrap(), PATIENCE, |taken| taken.len() < at_least);
        let taken = waited.unwrap().0.clone();
        assert!(taken.len() >= at_least, "{} of {at_least} messages came", taken.len());
        taken
    }
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Of the virtual environment that `cargo xtask test` makes.
fn python() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3).unwrap();
    let tools = env::var_os("AKADEMI_TOOLS").map_or_else(|| root.join("target/tools"), PathBuf::from);
    tools.join("python/bin/python")
}
