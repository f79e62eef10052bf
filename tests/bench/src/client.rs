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
}

/// Where an answer's body lies in what was read.
#[derive(Clone, Copy)]
struct Extent {
    status: u16,
    body: usize,
    end: usize,
}

impl Connection {
    /// # Errors
    /// When nobody listens there.
    pub async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, read: Vec::with_capacity(64 * 1024) })
    }

    /// Sends `request`, whole as it stands on the wire, and reads its answer.
    ///
    /// # Errors
    /// When the connection ends or what comes is no answer with a `Content-Length`.
    pub async fn exchange(&mut self, request: &[u8]) -> io::Result<Answer<'_>> {
        self.stream.write_all(request).await?;
        self.read.clear();
        let mut found = None;
        let Extent { status, body, end } = loop {
            if self.stream.read_buf(&mut self.read).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if found.is_none() {
                found = parse(&self.read)?;
            }
            match found {
                Some(extent) if extent.end <= self.read.len() => break extent,
                _ => {}
            }
        };
        Ok(Answer { status, body: self.read.get(body..end).unwrap_or_default() })
    }
}

/// The answer that `read` begins with, once its head is there.
fn parse(read: &[u8]) -> io::Result<Option<Extent>> {
    let invalid = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut response = httparse::Response::new(&mut headers);
    let body = match response.parse(read) {
        Ok(httparse::Status::Complete(body)) => body,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(error) => return Err(invalid(&error.to_string())),
    };
    let length = response
        .headers
        .iter()
        .find(|header| header.name.eq_ignore_ascii_case("content-length"))
        .and_then(|header| std::str::from_utf8(header.value).ok()?.parse::<usize>().ok())
        .ok_or_else(|| invalid("an answer without a length"))?;
    Ok(Some(Extent { status: response.code.unwrap_or(0), body, end: body + length }))
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
            for piece in ["HTTP/1.1 201 Created\r\nConte", "nt-Length: 5\r\n\r\nhe", "llo"] {
                stream.write_all(piece.as_bytes()).await.unwrap();
                tokio::task::yield_now().await;
            }
            stream.read_exact(&mut request).await.unwrap();
            stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
        });
        let mut connection = Connection::open(address).await.unwrap();
        let answer = connection.exchange(b"ask1").await.unwrap();
        assert_eq!(answer, Answer { status: 201, body: b"hello" });
        assert!(connection.exchange(b"ask2").await.is_err(), "an answer without a length has no end");
        server.await.unwrap();
    }
}
