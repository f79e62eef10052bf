//! A video in object storage, read range by range: the child asks over a socket, since it can reach nothing else, and the
//! parent answers. A question is the offset in 64 bits and the length in 32, an answer the length in 32 bits and so many
//! bytes, all big-endian; the length [`REFUSED`] means that there is no answer.

use std::{
    collections::VecDeque,
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::net::UnixStream,
    sync::{Arc, Mutex, PoisonError},
};

use akademi_lambda_store::{objects::ObjectError, uploads::StoredFile};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Bytes of a range; the last one of a video is shorter.
const BLOCK_BYTES: u64 = 1 << 20;

/// Ranges that a reader keeps: the tracks of a file lie apart, and are read in turn.
const BLOCKS_KEPT: usize = 8;

const REFUSED: u32 = u32::MAX;

/// The child's end.
#[derive(Clone)]
pub struct Ranges {
    socket: Arc<Mutex<UnixStream>>,
    bytes: u64,
}

impl Ranges {
    /// A video of so many bytes, whose ranges this socket gives.
    pub fn new(socket: UnixStream, bytes: u64) -> Self {
        Self { socket: Arc::new(Mutex::new(socket)), bytes }
    }

    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// A reader at the beginning.
    pub fn reader(&self) -> RangeReader {
        RangeReader { ranges: self.clone(), position: 0, blocks: VecDeque::with_capacity(BLOCKS_KEPT) }
    }

    fn block(&self, number: u64) -> io::Result<Vec<u8>> {
        let start = number * BLOCK_BYTES;
        let length = u32::try_from(self.bytes.saturating_sub(start).min(BLOCK_BYTES)).unwrap_or(0);
        let mut socket = self.socket.lock().unwrap_or_else(PoisonError::into_inner);
        let mut question = start.to_be_bytes().to_vec();
        question.extend(length.to_be_bytes());
        socket.write_all(&question)?;
        let mut answered = [0; 4];
        socket.read_exact(&mut answered)?;
        if u32::from_be_bytes(answered) != length {
            return Err(io::Error::other("storage gave no such range"));
        }
        let mut content = vec![0; usize::try_from(length).unwrap_or(0)];
        socket.read_exact(&mut content)?;
        Ok(content)
    }
}

/// Reads a video whose ranges another process gives.
pub struct RangeReader {
    ranges: Ranges,
    position: u64,
    /// By number, the one read last at the end.
    blocks: VecDeque<(u64, Vec<u8>)>,
}

impl Read for RangeReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.position >= self.ranges.bytes {
            return Ok(0);
        }
        let number = self.position / BLOCK_BYTES;
        let kept = self.blocks.iter().position(|(kept, _)| *kept == number);
        let block = match kept.and_then(|index| self.blocks.remove(index)) {
            Some(block) => block,
            None => (number, self.ranges.block(number)?),
        };
        let offset = usize::try_from(self.position % BLOCK_BYTES).unwrap_or(0);
        let rest = block.1.get(offset..).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..length), rest.get(..length)) {
            to.copy_from_slice(from);
        }
        if self.blocks.len() >= BLOCKS_KEPT {
            self.blocks.pop_front();
        }
        self.blocks.push_back(block);
        self.position += u64::try_from(length).unwrap_or(0);
        Ok(length)
    }
}

impl Seek for RangeReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
            SeekFrom::End(offset) => self.ranges.bytes.checked_add_signed(offset),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

/// The parent's end: answers until the child is gone. The first failure of storage ends it.
pub async fn serve(mut socket: tokio::net::UnixStream, file: &StoredFile) -> Result<(), ObjectError> {
    let mut question = [0; 12];
    while socket.read_exact(&mut question).await.is_ok() {
        let [offset @ .., a, b, c, d] = question;
        let (offset, length) = (u64::from_be_bytes(offset), u32::from_be_bytes([a, b, c, d]));
        // A child that asks for what no reader asks for has been taken over.
        if u64::from(length) > BLOCK_BYTES || length == 0 {
            break;
        }
        let range = offset..offset.saturating_add(length.into());
        let (answered, failure) = match file.read_range(range).await {
            Ok(content) => {
                let length = u32::try_from(content.len()).unwrap_or(REFUSED);
                (socket.write_all(&[&length.to_be_bytes(), &content[..]].concat()).await, None)
            }
            Err(error) => (socket.write_all(&REFUSED.to_be_bytes()).await, Some(error)),
        };
        if let Some(error) = failure {
            return Err(error);
        }
        if answered.is_err() {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use akademi_domain::{ids::TenantId, time::Timestamp};
    use akademi_lambda_store::{object_key::ObjectKey, objects::Objects};

    /// What a reader gives is what storage has, wherever it goes; and no more is read than it asks for.
    #[tokio::test]
    async fn a_reader_gives_the_bytes_of_any_place() {
        let folder = tempfile::tempdir().unwrap();
        let objects = Objects::local(folder.path()).unwrap();
        let key = ObjectKey::new(TenantId::new(Timestamp::from_millis(1), [1; 10]), ["film"]).unwrap();
        let content: Vec<u8> = (0..BLOCK_BYTES * 2 + 777).map(|number| (number % 251) as u8).collect();
        objects.put(&key, &"video/mp4".parse().unwrap(), content.clone().into()).await.unwrap();
        let (ours, theirs) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        let ours = tokio::net::UnixStream::from_std(ours).unwrap();
        let bytes = content.len() as u64;
        let reading = tokio::task::spawn_blocking(move || {
            let mut reader = Ranges::new(theirs, bytes).reader();
            let (mut all, mut tail) = (Vec::new(), Vec::new());
            reader.read_to_end(&mut all).unwrap();
            assert_eq!(reader.seek(SeekFrom::End(-1000)).unwrap(), bytes - 1000);
            reader.read_to_end(&mut tail).unwrap();
            assert_eq!((all.len(), tail.len()), (content.len(), 1000));
            assert!(all == content && content.ends_with(&tail));
            reader.seek(SeekFrom::Start(BLOCK_BYTES - 1)).unwrap();
            let mut two = [0; 2];
            reader.read_exact(&mut two).unwrap();
            assert_eq!(two[..], content[BLOCK_BYTES as usize - 1..][..2]);
            assert!(reader.seek(SeekFrom::Current(i64::MIN)).is_err());
        });
        serve(ours, &StoredFile::Whole { objects, key, bytes }).await.unwrap();
        reading.await.unwrap();
    }
}
