//! HTTP as bytes, for what no client library sends.

use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// An answer's status and all of it as text; no status if the connection ended without one.
#[derive(Debug)]
pub struct RawAnswer {
    pub status: Option<u16>,
    pub text: String,
}

/// Sends these bytes and reads what is answered.
pub async fn exchange(address: SocketAddr, request: &str) -> RawAnswer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let answer = read(&mut stream).await;
    assert!(!answer.text.is_empty(), "no answer to {request}");
    answer
}

/// Reads one answer to its end, whether or not the connection goes on.
pub async fn read(stream: &mut (impl AsyncRead + Unpin)) -> RawAnswer {
    let mut bytes = Vec::new();
    let whole = async {
        // A reset after the answer is an end too.
        while !is_whole(&bytes) && stream.read_buf(&mut bytes).await.is_ok_and(|read| read > 0) {}
    };
    // What came until then is all there is.
    let _ = tokio::time::timeout(PATIENCE, whole).await;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let status = text.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok());
    RawAnswer { status, text }
}

/// Whether this is a whole answer (RFC 9112 §6.3) whose end the connection need not tell.
fn is_whole(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let field = |name: &str| {
        head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    };
    if field("transfer-encoding").is_some() {
        return body.ends_with("0\r\n\r\n");
    }
    field("content-length")
        .and_then(|length| length.parse().ok())
        .is_some_and(|length: usize| bytes.len() >= head.len() + 4 + length)
}
