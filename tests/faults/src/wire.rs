//! PostgreSQL's messages (PostgreSQL documentation, "Frontend/Backend Protocol"), as far as the proxy must read them.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use std::{collections::BTreeMap, io};
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// The messages of one direction.
pub struct Messages<R> {
    stream: R,
    buffer: BytesMut,
}

impl<R: AsyncRead + Unpin> Messages<R> {
    pub fn new(stream: R) -> Self {
        Self { stream, buffer: BytesMut::with_capacity(8192) }
    }

    /// The client's first message, which has a length and no type.
    pub async fn startup(&mut self) -> io::Result<Option<Bytes>> {
        self.whole(0).await
    }

    /// The next message: its type, its length, its content. `None` at the end of the connection.
    pub async fn next(&mut self) -> io::Result<Option<Bytes>> {
        self.whole(1).await
    }

    async fn whole(&mut self, type_bytes: usize) -> io::Result<Option<Bytes>> {
        loop {
            if let Some(mut length) = self.buffer.get(type_bytes..type_bytes + 4) {
                let end = type_bytes + length.get_u32() as usize;
                if self.buffer.len() >= end {
                    return Ok(Some(self.buffer.split_to(end).freeze()));
                }
            }
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Ok(None);
            }
        }
    }
}

/// What a client sends before it waits for an answer.
pub struct Unit {
    pub bytes: BytesMut,
    /// What is executed; `None` where something is only prepared, or the connection only asked whether it lives.
    pub sql: Option<String>,
}

/// The statements that a connection has prepared, by name.
#[derive(Default)]
pub struct Prepared(BTreeMap<String, String>);

impl Prepared {
    /// The next unit of `client`; `None` when it has gone. Each text passes through `rewrite` on its way.
    pub async fn unit<R: AsyncRead + Unpin>(
        &mut self,
        client: &mut Messages<R>,
        rewrite: &(dyn Fn(&str) -> String + Send + Sync),
    ) -> io::Result<Option<Unit>> {
        let mut unit = Unit { bytes: BytesMut::new(), sql: None };
        loop {
            let Some(message) = client.next().await? else { return Ok(None) };
            let content = &message[5..];
            match message[0] {
                b'X' => return Ok(None),
                b'P' => {
                    let (name, rest) = text(content);
                    let (sql, types) = text(rest);
                    let sql = rewrite(sql);
                    unit.bytes.put_u8(b'P');
                    unit.bytes.put_u32((4 + name.len() + 1 + sql.len() + 1 + types.len()) as u32);
                    for part in [name.as_bytes(), b"\0", sql.as_bytes(), b"\0", types] {
                        unit.bytes.put_slice(part);
                    }
                    self.0.insert(name.to_owned(), sql);
                    continue;
                }
                b'B' => {
                    let (_, rest) = text(content);
                    unit.sql = self.0.get(text(rest).0).cloned();
                }
                b'Q' => unit.sql = Some(text(content).0.to_owned()),
                _ => {}
            }
            unit.bytes.put_slice(&message);
            if matches!(message[0], b'S' | b'Q') {
                return Ok(Some(unit));
            }
        }
    }
}

/// A text that ends with a zero, and what follows it.
fn text(bytes: &[u8]) -> (&str, &[u8]) {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap();
    (std::str::from_utf8(&bytes[..end]).unwrap(), &bytes[end + 1..])
}

/// A simple query.
pub fn query(sql: &str) -> BytesMut {
    let mut message = BytesMut::new();
    message.put_u8(b'Q');
    message.put_u32(sql.len() as u32 + 5);
    message.put_slice(sql.as_bytes());
    message.put_u8(0);
    message
}
