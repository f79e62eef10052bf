//! The archive: a gzipped tar file, read into memory under limits.

use flate2::read::MultiGzDecoder;
use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    io::{self, Read},
    rc::Rc,
};
use tar::EntryType;

use crate::ImportError;

/// How much an archive may hold. What is read stays in memory until the import ends, so `unpacked_bytes` is
/// about the memory that an import takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// All entries with their headers, unpacked.
    pub unpacked_bytes: u64,
    /// One file, unpacked.
    pub file_bytes: u64,
    /// Files and folders.
    pub entries: usize,
    /// A path in the archive, in bytes.
    pub path_bytes: usize,
    /// Unpacked bytes for each byte of the archive; not looked at before [`Limits::RATIO_FROM`].
    pub ratio: u64,
}

impl Limits {
    /// Up to so many unpacked bytes any ratio will do: a small course of plain text packs very well.
    pub const RATIO_FROM: u64 = 4 << 20;
}

impl Default for Limits {
    /// For a function with 1 GB of memory: 512 MB in all, 256 MB a file, 20,000 entries, paths of 512 bytes,
    /// a ratio of 100 (a course is mostly images and video, which do not pack).
    fn default() -> Self {
        Self {
            unpacked_bytes: 512 << 20,
            file_bytes: 256 << 20,
            entries: 20_000,
            path_bytes: 512,
            ratio: 100,
        }
    }
}

/// One component of a path, in bytes: what file systems take.
const COMPONENT_BYTES: usize = 255;

/// The files of a course, by their path below the folder of `course.xml`.
pub(crate) struct Archive {
    files: BTreeMap<String, Vec<u8>>,
    /// Paths of files that stand beside the course's folder.
    pub outside: Vec<String>,
    read: RefCell<BTreeSet<String>>,
}

impl Archive {
    pub fn read(reader: impl Read, limits: &Limits) -> Result<Self, ImportError> {
        let files = unpack(reader, limits)?;
        let root = files
            .keys()
            .filter(|path| path.matches('/').count() <= 1)
            .filter_map(|path| path.strip_suffix("course.xml"))
            .filter(|root| root.is_empty() || root.ends_with('/'))
            .min_by_key(|root| root.len())
            .ok_or(ImportError::NoCourse)?
            .to_owned();
        let mut inside = BTreeMap::new();
        let mut outside = Vec::new();
        for (path, bytes) in files {
            match path.strip_prefix(&root) {
                Some(path) => {
                    inside.insert(path.to_owned(), bytes);
                }
                None => outside.push(path),
            }
        }
        Ok(Self { files: inside, outside, read: RefCell::default() })
    }

    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    pub fn holds(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    /// Whether [`Archive::text`] was asked for the file.
    pub fn was_read(&self, path: &str) -> bool {
        self.read.borrow().contains(path)
    }

    /// The text of a file that `needed_by` refers to, without a byte order mark.
    pub fn text(&self, path: &str, needed_by: &str) -> Result<&str, ImportError> {
        let bytes = self.files.get(path).ok_or_else(|| ImportError::MissingFile {
            path: path.to_owned(),
            needed_by: needed_by.to_owned(),
        })?;
        self.read.borrow_mut().insert(path.to_owned());
        let text = std::str::from_utf8(bytes).map_err(|_| ImportError::NotUtf8 { path: path.to_owned() })?;
        Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
    }

    /// The files of the folder `static`, by their path below it.
    pub fn statics(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.files.iter().filter_map(|(path, bytes)| Some((path.strip_prefix("static/")?, bytes.as_slice())))
    }

    /// Takes the content of a file of the folder `static` out of the archive.
    pub fn take_static(&mut self, path: &str) -> Vec<u8> {
        self.files.get_mut(&format!("static/{path}")).map(std::mem::take).unwrap_or_default()
    }
}

/// What is known of the two ends of the decompressor while it runs.
#[derive(Default)]
struct Flow {
    packed: Cell<u64>,
    unpacked: Cell<u64>,
    /// Zero bytes at the end of what was unpacked so far.
    trailing_zeros: Cell<u64>,
    stopped: RefCell<Option<ImportError>>,
}

struct Packed<R> {
    inner: R,
    flow: Rc<Flow>,
}

impl<R: Read> Read for Packed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.flow.packed.set(self.flow.packed.get() + count as u64);
        Ok(count)
    }
}

struct Unpacked<R> {
    inner: R,
    flow: Rc<Flow>,
    limits: Limits,
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let flow = &self.flow;
        let unpacked = flow.unpacked.get() + count as u64;
        flow.unpacked.set(unpacked);
        let read = buffer.get(..count).unwrap_or_default();
        let zeros = read.iter().rev().take_while(|byte| **byte == 0).count();
        flow.trailing_zeros.set(if zeros == count { flow.trailing_zeros.get() } else { 0 } + zeros as u64);
        let over = if unpacked > self.limits.unpacked_bytes {
            Some(ImportError::TooLarge { limit: self.limits.unpacked_bytes })
        } else if unpacked > Limits::RATIO_FROM && unpacked / self.limits.ratio > flow.packed.get() {
            Some(ImportError::CompressionBomb { limit: self.limits.ratio })
        } else {
            None
        };
        if over.is_some() {
            *flow.stopped.borrow_mut() = over;
            return Err(io::Error::other("over the limit"));
        }
        Ok(count)
    }
}

fn unpack(mut reader: impl Read, limits: &Limits) -> Result<BTreeMap<String, Vec<u8>>, ImportError> {
    let mut magic = Vec::new();
    reader
        .by_ref()
        .take(2)
        .read_to_end(&mut magic)
        .map_err(|error| ImportError::Damaged(error.to_string()))?;
    // RFC 1952 §2.3.1.
    if magic != [0x1f, 0x8b] {
        return Err(ImportError::NotAnArchive);
    }
    let flow = Rc::new(Flow::default());
    let packed = Packed { inner: io::Cursor::new(magic).chain(reader), flow: Rc::clone(&flow) };
    let unpacked = Unpacked { inner: MultiGzDecoder::new(packed), flow: Rc::clone(&flow), limits: *limits };
    let mut archive = tar::Archive::new(unpacked);
    let reason = |error: io::Error| refusal(&flow, &error);

    let mut files = BTreeMap::new();
    let mut entries = 0;
    for entry in archive.entries().map_err(reason)? {
        let mut entry = entry.map_err(|error| match reason(error) {
            // Whole, but not one header in it is a header of tar.
            ImportError::Damaged(_) if entries == 0 => ImportError::NotAnArchive,
            other => other,
        })?;
        entries += 1;
        if entries > limits.entries {
            return Err(ImportError::TooManyEntries { limit: limits.entries });
        }
        // A comment of `git archive`, not a file.
        if entry.header().entry_type() == EntryType::XGlobalHeader {
            continue;
        }
        let path = safe_path(&entry.path_bytes(), limits)?;
        match entry.header().entry_type() {
            EntryType::Regular | EntryType::Continuous => {}
            EntryType::Directory => continue,
            other => return Err(ImportError::NotAFile { path, kind: kind_of(other) }),
        }
        if path.is_empty() {
            return Err(ImportError::UnsafePath { path: ".".to_owned() });
        }
        if entry.size() > limits.file_bytes {
            return Err(ImportError::FileTooLarge { path, limit: limits.file_bytes });
        }
        let size = entry.size();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(reason)?;
        if bytes.len() as u64 != size {
            return Err(ImportError::Truncated);
        }
        if files.contains_key(&path) {
            return Err(ImportError::DuplicateEntry { path });
        }
        files.insert(path, bytes);
    }
    if flow.unpacked.get() == 0 {
        return Err(ImportError::NotAnArchive);
    }
    // Read to the very end, so that gzip's checksum is compared.
    io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(reason)?;
    // POSIX ustar: the archive ends with two blocks of zeros. Without them, files may be missing unseen.
    if flow.trailing_zeros.get() < 1024 {
        return Err(ImportError::Truncated);
    }
    Ok(files)
}

fn refusal(flow: &Flow, error: &io::Error) -> ImportError {
    if let Some(stopped) = flow.stopped.borrow_mut().take() {
        return stopped;
    }
    match error.kind() {
        io::ErrorKind::UnexpectedEof => ImportError::Truncated,
        _ => ImportError::Damaged(error.to_string()),
    }
}

/// A path in its plain form: no `.`, no `..`, not absolute, `/` between the parts.
fn safe_path(bytes: &[u8], limits: &Limits) -> Result<String, ImportError> {
    let shown: String = String::from_utf8_lossy(bytes).chars().take(80).collect();
    if bytes.len() > limits.path_bytes {
        return Err(ImportError::NameTooLong { start: shown, limit: limits.path_bytes });
    }
    let Ok(path) = std::str::from_utf8(bytes) else {
        return Err(ImportError::UnsafePath { path: shown });
    };
    // A backslash or a drive's colon would be a path elsewhere on some systems.
    if path.starts_with('/') || path.contains('\\') || path.chars().any(char::is_control) {
        return Err(ImportError::UnsafePath { path: shown });
    }
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => return Err(ImportError::UnsafePath { path: shown }),
            part if part.len() > COMPONENT_BYTES => {
                return Err(ImportError::NameTooLong { start: shown, limit: COMPONENT_BYTES });
            }
            part => parts.push(part),
        }
    }
    Ok(parts.join("/"))
}

const fn kind_of(entry: EntryType) -> &'static str {
    match entry {
        EntryType::Symlink => "symbolic link",
        EntryType::Link => "hard link",
        EntryType::Char | EntryType::Block => "device",
        EntryType::Fifo => "pipe",
        EntryType::GNUSparse => "sparse file",
        _ => "special entry",
    }
}
