//! An archive becomes a course in memory, while it arrives.

use akademi_lambda_store::objects::{Object, ObjectError};
use akademi_olx::{Imported, Limits};
use bytes::Bytes;
use futures::{StreamExt, future::BoxFuture, stream::BoxStream};
use std::io::{self, Read};
use tokio::sync::mpsc;

use super::work::ImportFailure;

/// How many chunks wait between storage and the parser.
const CHUNKS: usize = 8;
/// How often progress is told.
const REPORTS: u64 = 20;

/// Reads the archive as it comes, never as a whole; parsing runs on a thread for work that blocks.
///
/// `progress` is told how much of the archive has been read, in permille, 1000 when only parsing is left. Its failure ends
/// the reading.
///
/// # Errors
/// [`ImportFailure::Broken`] with the one reason; [`ImportFailure::Storage`]; what `progress` fails with.
pub async fn read_course<'job>(
    archive: Object,
    limits: Limits,
    progress: impl FnMut(u64) -> BoxFuture<'job, Result<(), ImportFailure>>,
) -> Result<Imported, ImportFailure> {
    let (sender, receiver) = mpsc::channel(CHUNKS);
    let parsing = tokio::task::spawn_blocking(move || {
        akademi_olx::import(Arriving { chunks: receiver, chunk: Bytes::new() }, &limits)
    });
    let (sent, parsed) = tokio::join!(send(archive.bytes, archive.info.size, sender, progress), parsing);
    // What storage did not give would look like a truncated archive.
    sent?;
    match parsed {
        Ok(parsed) => parsed.map_err(|error| ImportFailure::Broken(error.to_string())),
        Err(_) => Err(ImportFailure::Broken("the archive cannot be read".into())),
    }
}

/// Owns the sender, so that the parser sees the archive's end when this ends.
async fn send<'job>(
    mut archive: BoxStream<'static, Result<Bytes, ObjectError>>,
    size: u64,
    sender: mpsc::Sender<Bytes>,
    mut progress: impl FnMut(u64) -> BoxFuture<'job, Result<(), ImportFailure>>,
) -> Result<(), ImportFailure> {
    let (mut read, mut told) = (0_u64, 0);
    while let Some(chunk) = archive.next().await {
        let chunk = chunk?;
        read = read.saturating_add(chunk.len() as u64);
        if sender.send(chunk).await.is_err() {
            // The parser has seen enough.
            return Ok(());
        }
        let step = read.saturating_mul(REPORTS) / size.max(1);
        if step > told {
            told = step;
            progress((step * 1000 / REPORTS).min(1000)).await?;
        }
    }
    Ok(())
}

/// The archive as the parser reads it.
struct Arriving {
    chunks: mpsc::Receiver<Bytes>,
    chunk: Bytes,
}

impl Read for Arriving {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.chunk.is_empty() {
            match self.chunks.blocking_recv() {
                Some(chunk) => self.chunk = chunk,
                None => return Ok(0),
            }
        }
        let head = self.chunk.split_to(buffer.len().min(self.chunk.len()));
        head.as_ref().read(buffer)
    }
}
