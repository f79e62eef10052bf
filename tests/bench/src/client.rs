//! A connection that sends one request after the other (HTTP/1.1, kept alive) and spends as little as it can.

use std::{io, net::SocketAddr};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// An answer, until the next request.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer<'a> {
    pub status: u16,
    pub body: &'a [u8],
}

pub struct Connection {
    stream: TcpStream,
    read: Vec<u8>,
    /// The body of an answer that came in chunks.
    joined: Vec<u8>,
}

/// An answer's head, and where its body begins in what was read.
#[derive(Clone, Copy)]
struct Head {
    status: u16,
    body: usize,
    length: Length,
}

#[derive(Clone, Copy)]
enum Length {
    Known(usize),
    /// RFC 9112 §7.1
    Chunked,
}

impl Connection {
    /// # Errors
    /// When nobody listens there.
    pub async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, read: Vec::with_capacity(64 * 1024), joined: Vec::new() })
    }

    /// Sends `request`, whole as it stands on the wire, and reads its answer.
    ///
    /// # Errors
    /// When the connection ends or what comes is no answer that says where it ends.
    pub async fn exchange(&mut self, request: &[u8]) -> io::Result<Answer<'_>> {
        self.stream.write_all(request).await?;
        self.read.clear();
        let mut found = None;
        loop {
            if self.stream.read_buf(&mut self.read).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if found.is_none() {
                found = parse(&self.read)?;
            }
            let Some(Head { status, body, length }) = found else { continue };
            match length {
                Length::Known(length) if body + length <= self.read.len() => {
                    let body = self.read.get(body..body + length).unwrap_or_default();
                    return Ok(Answer { status, body });
                }
                Length::Chunked
                    if join_chunks(self.read.get(body..).unwrap_or_default(), &mut self.joined)? =>
                {
                    return Ok(Answer { status, body: &self.joined });
                }
                Length::Known(_) | Length::Chunked => {}
            }
        }
    }
}

fn invalid(what: impl ToString) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_string())
}

/// The head that `read` begins with, once it is there.
fn parse(read: &[u8]) -> io::Result<Option<Head>> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut response = httparse::Response::new(&mut headers);
    let body = match response.parse(read).map_err(invalid)? {
        httparse::Status::Complete(body) => body,
        httparse::Status::Partial => return Ok(None),
    };
    let value = |name: &str| {
        let header = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(header.value).ok()
    };
    let length = match value("content-length") {
        Some(length) => Length::Known(length.parse().map_err(invalid)?),
        None if value("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) => {
            Length::Chunked
        }
        None => return Err(invalid("an answer without a length")),
    };
    Ok(Some(Head { status: response.code.unwrap_or(0), body, length }))
}

/// Puts the chunks' content into `joined`; whether the last of them is there. No server here sends trailers.
fn join_chunks(mut chunks: &[u8], joined: &mut Vec<u8>) -> io::Result<bool> {
    joined.clear();
    loop {
        let found = httparse::parse_chunk_size(chunks).map_err(|_| invalid("a chunk without a size"))?;
        let httparse::Status::Complete((start, size)) = found else { return Ok(false) };
        let end = start + usize::try_from(size).map_err(invalid)?;
        let (Some(content), Some(rest)) = (chunks.get(start..end), chunks.get(end + b"\r\n".len()..)) else {
            return Ok(false);
        };
        if size == 0 {
            return Ok(true);
        }
        joined.extend(content);
        chunks = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    #[tokio::test(flavor = "current_thread")]
    async fn an_answer_that_comes_in_pieces_is_put_together() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 4];
            stream.read_exact(&mut request).await.unwrap();
            let known = ["HTTP/1.1 201 Created\r\nConte", "nt-Length: 5\r\n\r\nhe", "llo"];
            let chunked = [
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3",
                "\r\nhel\r\n2\r\nlo",
                "\r\n0\r\n\r\n",
            ];
            for pieces in [known, chunked] {
                for piece in pieces {
                    stream.write_all(piece.as_bytes()).await.unwrap();
                    tokio::task::yield_now().await;
                }
                stream.read_exact(&mut request).await.unwrap();
            }
            stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
        });
        let mut connection = Connection::open(address).await.unwrap();
        let answer = connection.exchange(b"ask1").await.unwrap();
        assert_eq!(answer, Answer { status: 201, body: b"hello" });
        let answer = connection.exchange(b"ask2").await.unwrap();
        assert_eq!(answer, Answer { status: 200, body: b"hello" });
        assert!(connection.exchange(b"ask3").await.is_err(), "an answer without a length has no end");
        server.await.unwrap();
    }
}
