//! What components print, and what the host has to say about them.

use bytes::Bytes;
use std::{
    fmt::Write as _,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};
use tokio::io::AsyncWrite;
use wasmtime_wasi::{
    async_trait,
    cli::{IsTerminal, StdoutStream},
    p2::{OutputStream, Pollable, StreamResult},
};

/// One line of a component's output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub component: String,
    pub source: Source,
    pub text: String,
}

/// Who wrote a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Stdout,
    Stderr,
    /// The host itself: a refusal, a trap.
    Host,
}

/// Everything that the components of an application printed, in order. It is kept until the last handle goes.
#[derive(Debug, Clone, Default)]
pub struct Log {
    lines: Arc<Mutex<Vec<Line>>>,
    echo: bool,
}

impl Log {
    /// `echo` also writes each line to this process' stderr.
    pub fn new(echo: bool) -> Self {
        Self { lines: Arc::default(), echo }
    }

    pub fn lines(&self) -> Vec<Line> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// All lines of all components, each with its end of line.
    pub fn text(&self) -> String {
        self.lines().into_iter().fold(String::new(), |mut text, line| {
            text.push_str(&line.text);
            text.push('\n');
            text
        })
    }

    pub(crate) fn push(&self, line: Line) {
        if self.echo {
            eprintln!("[{}] {}", line.component, line.text);
        }
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }
}

/// The log as one component sees it.
#[derive(Debug, Clone)]
pub(crate) struct ComponentLog {
    pub(crate) log: Log,
    pub(crate) component: Arc<str>,
}

impl ComponentLog {
    /// A line of the host about this component.
    pub(crate) fn host_line(&self, text: &str) {
        self.push(Source::Host, text.to_owned());
    }

    pub(crate) fn stream(&self, source: Source) -> Output {
        Output { log: self.clone(), source, unfinished: Arc::default() }
    }

    fn push(&self, source: Source, text: String) {
        self.log.push(Line { component: self.component.to_string(), source, text });
    }
}

/// One standard stream of one instance. The guest may open it many times: all share the unfinished line.
#[derive(Clone)]
pub(crate) struct Output {
    log: ComponentLog,
    source: Source,
    unfinished: Arc<Mutex<Vec<u8>>>,
}

impl Output {
    fn append(&self, bytes: &[u8]) {
        let mut unfinished = self.unfinished.lock().unwrap_or_else(PoisonError::into_inner);
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            unfinished.extend_from_slice(part);
            if part.ends_with(b"\n") {
                unfinished.pop();
                let line = String::from_utf8_lossy(&unfinished).into_owned();
                unfinished.clear();
                self.log.push(self.source, line);
            }
        }
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if Arc::strong_count(&self.unfinished) == 1 {
            let unfinished = self.unfinished.lock().unwrap_or_else(PoisonError::into_inner);
            if !unfinished.is_empty() {
                self.log.push(self.source, String::from_utf8_lossy(&unfinished).into_owned());
            }
        }
    }
}

impl IsTerminal for Output {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Output {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl AsyncWrite for Output {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        self.append(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[async_trait]
impl Pollable for Output {
    async fn ready(&mut self) {}
}

impl OutputStream for Output {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.append(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        // One permit; there is always room.
        Ok(64 * 1024)
    }
}

/// An error with its causes on one line, as the log takes it.
pub(crate) fn one_line(error: &wasmtime::Error) -> String {
    let mut text = String::new();
    for (depth, cause) in error.chain().enumerate() {
        let separator = if depth == 0 { "" } else { ": " };
        // Writing into a String does not fail.
        let _ = write!(text, "{separator}{cause}");
    }
    text.replace('\n', " ")
}
