//! A virus scanner that speaks clamd's protocol: `INSTREAM` as clamd(8) describes it.
//!
//! A file is sent in chunks, each after its length in 32 bits, big-endian; a length of zero ends it. The answer is
//! `stream: OK`, `stream: NAME FOUND`, or why there is none, and ends with a zero byte.

use akademi_lambda_store::{objects::ObjectError, uploads::PartedFile};
use std::{io, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    time::timeout,
};

/// How long one file may take: people wait for the answer.
const WHOLE: Duration = Duration::from_secs(20);
/// Bytes of a chunk, and of the file in memory.
const CHUNK_BYTES: u64 = 1 << 20;
/// The longest answer, in bytes.
const ANSWER_BYTES: u64 = 1024;
/// The longest name of a virus that is kept, in characters.
const MAX_NAME: usize = 100;

/// A clamd at `host:port`.
#[derive(Debug, Clone)]
pub struct VirusScanner {
    address: String,
}

/// Text that is no `host:port`.
#[derive(Debug, thiserror::Error)]
#[error("must be host:port")]
pub struct InvalidAddress;

#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    Clean,
    /// By the virus' name.
    Infected(String),
}

/// Why there is no verdict.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    #[error("the virus scanner did not answer within {} s", WHOLE.as_secs())]
    TimedOut,
    #[error("the virus scanner is not reachable: {0}")]
    Unreachable(#[from] io::Error),
    #[error("the file cannot be read: {}", .0.with_source())]
    Storage(#[from] ObjectError),
    /// As where its limit is below the file's size.
    #[error("the virus scanner answers {0:?}")]
    Refused(String),
}

impl VirusScanner {
    pub fn at(address: &str) -> Result<Self, InvalidAddress> {
        let (host, port) = address.rsplit_once(':').ok_or(InvalidAddress)?;
        let is_port = port.parse::<u16>().is_ok_and(|port| port > 0);
        if host.is_empty() || !is_port {
            Err(InvalidAddress)
        } else {
            Ok(Self { address: address.to_owned() })
        }
    }

    /// Has a file of so many bytes looked at.
    pub async fn scan(&self, file: &PartedFile, bytes: u64) -> Result<Verdict, ScanError> {
        timeout(WHOLE, self.ask(file, bytes)).await.unwrap_or(Err(ScanError::TimedOut))
    }

    async fn ask(&self, file: &PartedFile, bytes: u64) -> Result<Verdict, ScanError> {
        let mut clamd = TcpStream::connect(&self.address).await?;
        clamd.write_all(b"zINSTREAM\0").await?;
        let mut sent = 0;
        while sent < bytes {
            let chunk = file.read_range(sent..sent + CHUNK_BYTES).await?;
            let length = u32::try_from(chunk.len()).unwrap_or(0);
            clamd.write_all(&length.to_be_bytes()).await?;
            clamd.write_all(&chunk).await?;
            sent += u64::from(length).max(1);
        }
        clamd.write_all(&0_u32.to_be_bytes()).await?;
        let mut answer = Vec::new();
        BufReader::new(clamd.take(ANSWER_BYTES)).read_until(0, &mut answer).await?;
        verdict(&answer)
    }
}

/// What an answer says, which is whole only with its last byte.
fn verdict(answer: &[u8]) -> Result<Verdict, ScanError> {
    let refused = || ScanError::Refused(String::from_utf8_lossy(answer).into_owned());
    let text =
        answer.strip_suffix(b"\0").and_then(|text| std::str::from_utf8(text).ok()).ok_or_else(refused)?;
    match text.strip_prefix("stream: ").ok_or_else(refused)? {
        "OK" => Ok(Verdict::Clean),
        other => {
            let name = other.strip_suffix(" FOUND").ok_or_else(refused)?;
            Ok(Verdict::Infected(name.chars().filter(char::is_ascii_graphic).take(MAX_NAME).collect()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use akademi_domain::{
        ids::{TenantId, UploadId},
        time::Timestamp,
        upload::Parts,
    };
    use akademi_lambda_store::{objects::Objects, uploads::folder};
    use tokio::net::TcpListener;

    #[test]
    fn only_a_host_with_a_port_is_an_address() {
        for address in ["localhost:3310", "10.0.0.7:1", "[::1]:3310"] {
            assert!(VirusScanner::at(address).is_ok(), "{address}");
        }
        for address in
            ["", "localhost", ":3310", "localhost:", "localhost:0", "localhost:x", "localhost:70000"]
        {
            assert!(VirusScanner::at(address).is_err(), "{address}");
        }
    }

    #[test]
    fn only_a_whole_answer_that_says_so_is_a_verdict() {
        assert_eq!(verdict(b"stream: OK\0").unwrap(), Verdict::Clean);
        let found = verdict(b"stream: Win.Test.EICAR_HDB-1 FOUND\0").unwrap();
        assert_eq!(found, Verdict::Infected("Win.Test.EICAR_HDB-1".into()));
        for answer in [
            b"".as_slice(),
            b"stream: OK",
            b"stream: OK\n\0",
            b"OK\0",
            b"stream: \0",
            b"stream: Virus",
            b"stream: Virus FOUND",
            b"INSTREAM size limit exceeded. ERROR\0",
            b"UNKNOWN COMMAND\0",
            b"\xff\0",
        ] {
            assert!(matches!(verdict(answer), Err(ScanError::Refused(_))), "{answer:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_scanner_that_stays_silent_is_waited_for_so_long() {
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let scanner = VirusScanner::at(&silent.local_addr().unwrap().to_string()).unwrap();
        let files = tempfile::tempdir().unwrap();
        let now = Timestamp::from_millis(1);
        let folder = folder(TenantId::new(now, [1; 10]), UploadId::new(now, [2; 10])).unwrap();
        let empty = PartedFile::new(Objects::local(files.path()).unwrap(), folder, Parts::new(0, 1));
        assert!(matches!(scanner.scan(&empty, 0).await, Err(ScanError::TimedOut)));
    }
}
