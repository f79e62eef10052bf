//! Files that lie in storage in the parts that they were sent in: nothing is copied to make them whole.

use akademi_domain::{
    ids::{TenantId, UploadId},
    upload::Parts,
};
use bytes::{Bytes, BytesMut};
use futures::TryStreamExt;
use std::{collections::BTreeMap, ops::Range};

use crate::{
    object_key::{InvalidKey, ObjectKey},
    objects::{ObjectError, Objects},
};

/// The folder of an upload's parts.
pub fn folder(tenant: TenantId, upload: UploadId) -> Result<ObjectKey, InvalidKey> {
    ObjectKey::new(tenant, ["uploads", &upload.to_string()])
}

/// Where the part of this number lies.
pub fn part_key(folder: &ObjectKey, number: u64) -> Result<ObjectKey, InvalidKey> {
    folder.join(&number.to_string())
}

/// A file in parts.
#[derive(Debug, Clone)]
pub struct PartedFile {
    objects: Objects,
    folder: ObjectKey,
    parts: Parts,
}

impl PartedFile {
    pub const fn new(objects: Objects, folder: ObjectKey, parts: Parts) -> Self {
        Self { objects, folder, parts }
    }

    /// A range of the file in memory, cut at its end.
    ///
    /// # Errors
    /// [`ObjectError::NotFound`] if a part is not there.
    pub async fn read_range(&self, range: Range<u64>) -> Result<Bytes, ObjectError> {
        let mut read = BytesMut::new();
        for (number, piece) in self.parts.pieces(range) {
            let key = part_key(&self.folder, number).map_err(|_| ObjectError::NotFound)?;
            let wanted = piece.end - piece.start;
            let bytes = self.objects.read_range(&key, piece).await?;
            if bytes.len() as u64 != wanted {
                return Err(ObjectError::NotFound);
            }
            read.extend_from_slice(&bytes);
        }
        Ok(read.freeze())
    }

    /// The numbers of the parts that are there as they must be, in order.
    pub async fn present(&self) -> Result<Vec<u64>, ObjectError> {
        let stored: BTreeMap<ObjectKey, u64> = self.objects.list(&self.folder).try_collect().await?;
        let is_there = |number: &u64| {
            let key = part_key(&self.folder, *number).ok();
            let size = key.and_then(|key| stored.get(&key).copied());
            size.is_some() && size == self.parts.size(*number)
        };
        Ok((1..=self.parts.count()).filter(is_there).collect())
    }
}

/// A file to be read by ranges, wherever it lies.
#[derive(Debug, Clone)]
pub enum StoredFile {
    /// One object of so many bytes.
    Whole {
        objects: Objects,
        key: ObjectKey,
        bytes: u64,
    },
    Parted(PartedFile),
}

impl StoredFile {
    pub const fn bytes(&self) -> u64 {
        match self {
            Self::Whole { bytes, .. } => *bytes,
            Self::Parted(file) => file.parts.bytes(),
        }
    }

    /// A range of the file in memory, cut at its end.
    ///
    /// # Errors
    /// [`ObjectError::NotFound`] if the file or a part of it is not there.
    pub async fn read_range(&self, range: Range<u64>) -> Result<Bytes, ObjectError> {
        match self {
            Self::Whole { objects, key, .. } => objects.read_range(key, range).await,
            Self::Parted(file) => file.read_range(range).await,
        }
    }
}
