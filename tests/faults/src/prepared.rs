//! Statements that are prepared. A process of the server keeps them for all the sessions that it serves, one after the
//! other: to read and plan a text anew after each crash takes longer than to run it. A session knows none but its own.

use bytes::{Bytes, BytesMut};
use std::{collections::BTreeMap, io};
use tokio::io::AsyncRead;

use crate::wire::{Messages, message, text};

/// What a process of the server has prepared, each text under a name of its own.
#[derive(Default)]
pub struct Prepared(BTreeMap<Bytes, Statement>);

struct Statement {
    name: String,
    /// What the server said when it was prepared and described; nothing until then.
    answer: Option<BytesMut>,
}

impl Prepared {
    /// The server's name of a text with the types of its parameters.
    fn name(&mut self, text: &Bytes) -> String {
        let next = self.0.len();
        let statement = self.0.entry(text.clone());
        statement.or_insert_with(|| Statement { name: format!("text{next}"), answer: None }).name.clone()
    }

    /// What to answer to whoever prepares it again.
    pub fn answer(&self, text: &Bytes) -> Option<&BytesMut> {
        self.0.get(text)?.answer.as_ref()
    }

    pub fn learn(&mut self, text: &Bytes, answer: &[u8]) {
        if let Some(statement) = self.0.get_mut(text) {
            statement.answer = Some(answer.into());
        }
    }
}

/// What a client sends before it waits for an answer.
pub struct Unit {
    pub bytes: BytesMut,
    pub what: What,
}

pub enum What {
    /// Executes this SQL.
    Execute(String),
    /// Prepares this text, with the types of its parameters, and has it described.
    Prepare(Bytes),
    /// Asks whether the connection lives, or forgets a statement.
    Other,
}

/// The statements of a client's session: by its name of each, the server's name and the SQL.
#[derive(Default)]
pub struct Session(BTreeMap<Bytes, (String, String)>);

impl Session {
    /// The next unit of `client`, by the server's names; `None` when it has gone. Each text passes through `rewrite` on its
    /// way.
    pub async fn unit<R: AsyncRead + Unpin>(
        &mut self,
        client: &mut Messages<R>,
        prepared: &mut Prepared,
        rewrite: &(dyn Fn(&str) -> String + Send + Sync),
    ) -> io::Result<Option<Unit>> {
        let mut unit = Unit { bytes: BytesMut::new(), what: What::Other };
        loop {
            let Some(next) = client.next().await? else { return Ok(None) };
            let content = &next[5..];
            match next[0] {
                b'X' => return Ok(None),
                b'P' => {
                    let (name, rest) = text(content);
                    let (sql, types) = text(rest);
                    let sql = rewrite(sql);
                    let whole = Bytes::from([sql.as_bytes(), b"\0", types].concat());
                    let known = prepared.name(&whole);
                    unit.bytes.unsplit(message(b'P', &[known.as_bytes(), b"\0", &whole]));
                    unit.what = What::Prepare(whole);
                    self.0.insert(Bytes::copy_from_slice(name.as_bytes()), (known, sql));
                }
                b'B' => {
                    let (portal, rest) = text(content);
                    let (name, parameters) = text(rest);
                    let (known, sql) = self.statement(name)?;
                    let content = [portal.as_bytes(), b"\0", known.as_bytes(), b"\0", parameters];
                    unit.bytes.unsplit(message(b'B', &content));
                    unit.what = What::Execute(sql.clone());
                }
                b'D' if content.first() == Some(&b'S') => {
                    let (known, _) = self.statement(text(&content[1..]).0)?;
                    unit.bytes.unsplit(message(b'D', &[b"S", known.as_bytes(), b"\0"]));
                }
                kind => {
                    if kind == b'Q' {
                        unit.what = What::Execute(text(content).0.to_owned());
                    }
                    unit.bytes.extend_from_slice(&next);
                }
            }
            if matches!(next[0], b'S' | b'Q') {
                return Ok(Some(unit));
            }
        }
    }

    fn statement(&self, name: &str) -> io::Result<&(String, String)> {
        let unknown = || io::Error::other(format!("the session has prepared no {name:?}"));
        self.0.get(name.as_bytes()).ok_or_else(unknown)
    }
}
