//! PostgreSQL's messages (PostgreSQL documentation, "Frontend/Backend Protocol"), as far as the proxy must read them.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use std::io;
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

/// A text that ends with a zero, and what follows it.
pub fn text(bytes: &[u8]) -> (&str, &[u8]) {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap();
    (std::str::from_utf8(&bytes[..end]).unwrap(), &bytes[end + 1..])
}

/// A message of this type, with all of this in it.
pub fn message(kind: u8, content: &[&[u8]]) -> BytesMut {
    let length: usize = content.iter().map(|part| part.len()).sum();
    let mut message = BytesMut::with_capacity(length + 5);
    message.put_u8(kind);
    message.put_u32(length as u32 + 4);
    content.iter().for_each(|part| message.put_slice(part));
    message
}

/// A simple query.
pub fn query(sql: &str) -> BytesMut {
    message(b'Q', &[sql.as_bytes(), b"\0"])
}
