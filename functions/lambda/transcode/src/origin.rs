//! Where the bytes of a video are read from.

use std::{
    fs::File,
    io::{self, Read, Seek},
    path::PathBuf,
};

use crate::ranges::Ranges;

/// What is read from any place.
pub trait ReadSeek: Read + Seek + Send {}

impl<T: Read + Seek + Send> ReadSeek for T {}

/// A video, as the process that decodes it sees it. It may be opened several times.
#[derive(Clone)]
pub enum Origin {
    /// A file of this machine.
    File(PathBuf),
    /// Ranges that the parent process reads.
    Ranges(Ranges),
}

impl Origin {
    /// A reader at the beginning, and how many bytes there are.
    pub fn open(&self) -> io::Result<(Box<dyn ReadSeek>, u64)> {
        match self {
            Self::File(path) => {
                let file = File::open(path)?;
                let bytes = file.metadata()?.len();
                Ok((Box::new(file), bytes))
            }
            Self::Ranges(ranges) => Ok((Box::new(ranges.reader()), ranges.bytes())),
        }
    }
}
