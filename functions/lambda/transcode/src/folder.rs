//! The output folder: empty at the start, counted while it fills, and empty again after a failure.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{ManifestFile, TranscodeError};

/// Media type of playlists (RFC 8216 §4).
pub const PLAYLIST_TYPE: &str = "application/vnd.apple.mpegurl";

/// A folder that files are written to, within a number of bytes.
pub struct Folder {
    root: PathBuf,
    limit_bytes: u64,
    bytes: u64,
    files: Vec<ManifestFile>,
}

impl Folder {
    /// Makes the folder, or takes one that is empty: what fails later is removed without a look at what it is.
    pub fn create(root: &Path, limit_bytes: u64) -> Result<Self, TranscodeError> {
        require_empty(root)?;
        Ok(Self { root: root.to_owned(), limit_bytes, bytes: 0, files: Vec::new() })
    }

    /// Writes one file to a path relative to the folder.
    pub fn write(&mut self, path: String, content_type: &str, content: &[u8]) -> Result<(), TranscodeError> {
        let bytes = u64::try_from(content.len()).unwrap_or(u64::MAX);
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > self.limit_bytes {
            return Err(TranscodeError::OutputTooLarge { limit_bytes: self.limit_bytes });
        }
        let target = self.root.join(&path);
        let written = match target.parent() {
            Some(parent) => fs::create_dir_all(parent).and_then(|()| fs::write(&target, content)),
            None => fs::write(&target, content),
        };
        written.map_err(|error| TranscodeError::storage("write", &error))?;
        self.files.push(ManifestFile { path, content_type: content_type.to_owned(), bytes });
        Ok(())
    }

    /// What was written, in order.
    pub fn into_files(self) -> Vec<ManifestFile> {
        self.files
    }
}

/// Makes the folder where it is absent; refuses one that holds anything.
pub fn require_empty(root: &Path) -> Result<(), TranscodeError> {
    let storage = |error| TranscodeError::storage("output folder", &error);
    fs::create_dir_all(root).map_err(storage)?;
    match fs::read_dir(root).map_err(storage)?.next() {
        None => Ok(()),
        Some(_) => Err(TranscodeError::Storage { detail: "the output folder is not empty".to_owned() }),
    }
}

/// Removes everything in the folder, and keeps the folder.
pub fn clear(root: &Path) -> io::Result<()> {
    for entry in fs::read_dir(root)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
