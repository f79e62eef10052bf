//! A bucket of moto's S3, as a process of its own, behind what S3 checks of a request and moto does not: see `s3_server.py`.

use anyhow::Context;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    env,
    io::{BufRead, BufReader, Lines, Write},
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{Mutex, PoisonError},
};

/// The bucket's name.
pub const BUCKET: &str = "akademi-files";

/// What Lambda gives to the process, and who signs requests to the bucket.
pub const CREDENTIALS: [(&str, &str); 4] = [
    ("AWS_REGION", "eu-central-1"),
    ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
    ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
    ("AWS_SESSION_TOKEN", "session/+="),
];

/// The process; it ends when this is dropped.
pub struct Bucket {
    pub address: SocketAddr,
    process: Child,
    talk: Mutex<(ChildStdin, Lines<BufReader<ChildStdout>>)>,
}

impl Bucket {
    /// # Errors
    /// When Python's tools are not there: `cargo xtask test` installs them.
    pub fn start() -> anyhow::Result<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/s3_server.py");
        let mut process = Command::new(python())
            .arg(script)
            .envs(CREDENTIALS)
            .env("S3_BUCKET", BUCKET)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("starting Python, which `cargo xtask test` installs")?;
        let input = process.stdin.take().context("its input")?;
        let mut lines = BufReader::new(process.stdout.take().context("its output")?).lines();
        let first = lines.next().context("moto is not there: `cargo xtask test` installs it")??;
        let first: BTreeMap<String, u16> = serde_json::from_str(&first)?;
        let port = first.get("port").copied().context("it names no port")?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Ok(Self { address, process, talk: Mutex::new((input, lines)) })
    }

    /// Puts an object there.
    ///
    /// # Errors
    /// When the process has ended.
    pub fn put(&self, key: &str, bytes: &[u8]) -> anyhow::Result<()> {
        self.tell(&json!({ "put": key, "bytes": STANDARD.encode(bytes) })).map(|_| ())
    }

    /// The keys of all objects, each with the type that is kept of it.
    ///
    /// # Errors
    /// When the process has ended.
    pub fn objects(&self) -> anyhow::Result<BTreeMap<String, String>> {
        self.tell(&json!({}))
    }

    /// Presigned URLs grow older by so much.
    ///
    /// # Errors
    /// When the process has ended.
    pub fn pass_seconds(&self, seconds: u64) -> anyhow::Result<()> {
        self.tell(&json!({ "pass_seconds": seconds })).map(|_| ())
    }

    /// What is there after a command.
    fn tell(&self, command: &Value) -> anyhow::Result<BTreeMap<String, String>> {
        let mut talk = self.talk.lock().unwrap_or_else(PoisonError::into_inner);
        let (input, lines) = &mut *talk;
        writeln!(input, "{command}")?;
        Ok(serde_json::from_str(&lines.next().context("the process has ended")??)?)
    }
}

impl Drop for Bucket {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Of the virtual environment that `cargo xtask test` makes.
fn python() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let tools = env::var_os("AKADEMI_TOOLS").map_or_else(|| root.join("target/tools"), PathBuf::from);
    tools.join("python/bin/python")
}
