//! An academy's files: a port over the `object_store` crate, with a local folder or whatever else that crate reaches.
//!
//! What type a file is of, the link says under which it is read ([`crate::links`]); a bucket keeps it too, for who reads
//! there without one.

use akademi_domain::ids::TenantId;
use bytes::Bytes;
use futures::{Stream, StreamExt, TryStreamExt, stream::BoxStream};
use object_store::{
    Attribute, Attributes, GetOptions, GetRange, ObjectMeta, ObjectStore, ObjectStoreExt,
    PutMultipartOptions, PutOptions, WriteMultipart, local::LocalFileSystem, path::Path,
};
use sha2::{Digest, Sha256};
use std::{ops::Range, pin::pin, sync::Arc};

use crate::{content_type::ContentType, object_key::ObjectKey};

/// How many parts of an upload may be on their way at once.
const PARTS_IN_FLIGHT: usize = 4;

/// A failed access. `Display` names no path of the machine; what storage said is behind `source()`.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    #[error("there is no such file")]
    NotFound,
    #[error("the file is larger than {limit} bytes")]
    TooLarge { limit: u64 },
    /// The range begins at or after the end (HTTP 416).
    #[error("the file has {size} bytes, the range lies beyond")]
    OutOfRange { size: u64 },
    #[error("the bytes are not those that were announced")]
    NotAnnounced,
    /// The sender of an upload broke off.
    #[error("the upload ended early")]
    Interrupted(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("storage is not reachable")]
    Storage(#[source] object_store::Error),
}

impl ObjectError {
    /// The error with what storage said, for the log only.
    pub fn with_source(&self) -> String {
        let source = std::error::Error::source(self);
        source.map_or_else(|| self.to_string(), |source| format!("{self}: {source}"))
    }
}

impl From<object_store::Error> for ObjectError {
    fn from(error: object_store::Error) -> Self {
        match error {
            object_store::Error::NotFound { .. } => Self::NotFound,
            other => Self::Storage(other),
        }
    }
}

/// What somebody is going to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announced {
    pub bytes: u64,
    pub sha256: [u8; 32],
}

/// What is known of an object without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectInfo {
    pub key: ObjectKey,
    /// Bytes of the whole object.
    pub size: u64,
    /// Changes whenever the content does.
    pub etag: Option<String>,
}

/// An object, or a range of one, to be read.
pub struct Object {
    pub info: ObjectInfo,
    /// Which bytes of it `bytes` gives.
    pub range: Range<u64>,
    pub bytes: BoxStream<'static, Result<Bytes, ObjectError>>,
}

/// Object storage. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Objects {
    store: Arc<dyn ObjectStore>,
    /// A folder keeps bytes alone.
    keeps_types: bool,
}

impl Objects {
    /// A bucket.
    pub fn bucket(store: Arc<dyn ObjectStore>) -> Self {
        Self { store, keeps_types: true }
    }

    /// A folder of this machine, made if it is not there. What was put is on the disk before `put` returns.
    pub fn local(folder: &std::path::Path) -> Result<Self, ObjectError> {
        std::fs::create_dir_all(folder).map_err(|source| {
            ObjectError::Storage(object_store::Error::Generic {
                store: "local folder",
                source: source.into(),
            })
        })?;
        let store = LocalFileSystem::new_with_prefix(folder)?.with_automatic_cleanup(true).with_fsync(true);
        Ok(Self { store: Arc::new(store), keeps_types: false })
    }

    /// Stores an object whole, replacing one of that name. Readers see the old one or the new one, nothing between.
    pub async fn put(
        &self,
        key: &ObjectKey,
        content_type: &ContentType,
        bytes: Bytes,
    ) -> Result<(), ObjectError> {
        let options = PutOptions { attributes: self.attributes(content_type), ..PutOptions::default() };
        self.store.put_opts(&path(key), bytes.into(), options).await?;
        Ok(())
    }

    /// Stores an object of so many bytes as it arrives. It appears when the last byte is there; an upload that breaks off, or
    /// has more or fewer, leaves nothing behind.
    ///
    /// # Errors
    /// [`ObjectError::TooLarge`] for more, [`ObjectError::NotAnnounced`] for fewer.
    pub async fn put_stream<E>(
        &self,
        key: &ObjectKey,
        content_type: &ContentType,
        size: u64,
        bytes: impl Stream<Item = Result<Bytes, E>>,
    ) -> Result<(), ObjectError>
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let attributes = self.attributes(content_type);
        let options = PutMultipartOptions { attributes, ..PutMultipartOptions::default() };
        let mut upload = WriteMultipart::new(self.store.put_multipart_opts(&path(key), options).await?);
        let sent = send(&mut upload, bytes, size).await;
        self.end(upload, sent, |sent| sent == size).await
    }

    /// Stores the announced bytes as they arrive: exactly these, or nothing.
    ///
    /// # Errors
    /// [`ObjectError::TooLarge`] for more, [`ObjectError::NotAnnounced`] for fewer or others.
    pub async fn put_announced<E>(
        &self,
        key: &ObjectKey,
        announced: &Announced,
        bytes: impl Stream<Item = Result<Bytes, E>>,
    ) -> Result<(), ObjectError>
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let mut digest = Sha256::new();
        let seen = bytes.inspect_ok(|chunk| digest.update(chunk));
        let mut upload = WriteMultipart::new(self.store.put_multipart(&path(key)).await?);
        let sent = send(&mut upload, seen, announced.bytes).await;
        let found: [u8; 32] = digest.finalize().into();
        self.end(upload, sent, |size| size == announced.bytes && found == announced.sha256).await
    }

    /// The object appears if what was sent is as it must be, and is given up otherwise.
    async fn end(
        &self,
        upload: WriteMultipart,
        sent: Result<u64, ObjectError>,
        is_announced: impl FnOnce(u64) -> bool,
    ) -> Result<(), ObjectError> {
        match sent {
            Ok(size) if is_announced(size) => {
                upload.finish().await?;
                Ok(())
            }
            other => {
                upload.abort().await?;
                Err(other.err().unwrap_or(ObjectError::NotAnnounced))
            }
        }
    }

    pub async fn head(&self, key: &ObjectKey) -> Result<ObjectInfo, ObjectError> {
        let meta = self.store.head(&path(key)).await?;
        Ok(info(key, meta))
    }

    /// The whole object, as a stream.
    pub async fn get(&self, key: &ObjectKey) -> Result<Object, ObjectError> {
        self.open(key, GetOptions::default()).await
    }

    /// A range of the object, cut at its end.
    ///
    /// # Errors
    /// [`ObjectError::OutOfRange`] if the range begins at or after the end, or holds nothing.
    pub async fn get_range(&self, key: &ObjectKey, range: Range<u64>) -> Result<Object, ObjectError> {
        let options = GetOptions { range: Some(GetRange::Bounded(range.clone())), ..GetOptions::default() };
        match self.open(key, options).await {
            // The crate gives no error of its own for this one.
            Err(ObjectError::Storage(error)) => {
                let size = self.store.head(&path(key)).await?.size;
                let beyond = range.start >= size || range.is_empty();
                Err(if beyond { ObjectError::OutOfRange { size } } else { ObjectError::Storage(error) })
            }
            other => other,
        }
    }

    /// The whole object in memory: for what is known to be small.
    ///
    /// # Errors
    /// [`ObjectError::TooLarge`] above `max_bytes`; nothing is read then.
    pub async fn read(&self, key: &ObjectKey, max_bytes: u64) -> Result<Bytes, ObjectError> {
        let result = self.store.get(&path(key)).await?;
        if result.meta.size > max_bytes {
            return Err(ObjectError::TooLarge { limit: max_bytes });
        }
        Ok(result.bytes().await?)
    }

    /// A range of the object in memory, cut at its end: for what reads here and there and knows the object already.
    pub async fn read_range(&self, key: &ObjectKey, range: Range<u64>) -> Result<Bytes, ObjectError> {
        Ok(self.store.get_range(&path(key), range).await?)
    }

    /// Removes an object; one that is not there is removed already.
    pub async fn delete(&self, key: &ObjectKey) -> Result<(), ObjectError> {
        match self.store.delete(&path(key)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes all objects below a folder, at any depth.
    pub async fn delete_folder(&self, folder: &ObjectKey) -> Result<(), ObjectError> {
        self.delete_below(&path(folder), usize::MAX).await?;
        Ok(())
    }

    /// Removes at most `limit` objects of an academy, whatever they are; how many. None are left once it is 0.
    ///
    /// # Errors
    /// [`ObjectError`] at the first that cannot be removed.
    pub async fn delete_of_tenant(&self, tenant: TenantId, limit: usize) -> Result<u64, ObjectError> {
        self.delete_below(&Path::from(format!("tenants/{tenant}")), limit).await
    }

    async fn delete_below(&self, folder: &Path, limit: usize) -> Result<u64, ObjectError> {
        let found = self.store.list(Some(folder)).map_ok(|meta| meta.location);
        let mut gone = self.store.delete_stream(found.take(limit).boxed());
        let mut deleted = 0;
        while let Some(outcome) = gone.next().await {
            match outcome {
                Ok(_) => deleted += 1,
                // Another run has removed it.
                Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(deleted)
    }

    /// The keys and sizes of all objects below a folder, at any depth, in no order.
    pub fn list(&self, folder: &ObjectKey) -> BoxStream<'static, Result<(ObjectKey, u64), ObjectError>> {
        self.store
            .list(Some(&path(folder)))
            .map_err(ObjectError::from)
            // Only keys were ever put here; another file in the folder is none of ours.
            .try_filter_map(|meta| async move {
                Ok(meta.location.as_ref().parse().ok().map(|key| (key, meta.size)))
            })
            .boxed()
    }

    async fn open(&self, key: &ObjectKey, options: GetOptions) -> Result<Object, ObjectError> {
        let result = self.store.get_opts(&path(key), options).await?;
        let (info, range) = (info(key, result.meta.clone()), result.range.clone());
        Ok(Object { info, range, bytes: result.into_stream().map_err(ObjectError::from).boxed() })
    }

    fn attributes(&self, content_type: &ContentType) -> Attributes {
        let kept = (Attribute::ContentType, content_type.to_string());
        self.keeps_types.then_some(kept).into_iter().collect()
    }
}

fn info(key: &ObjectKey, meta: ObjectMeta) -> ObjectInfo {
    ObjectInfo { key: key.clone(), size: meta.size, etag: meta.e_tag }
}

async fn send<E>(
    upload: &mut WriteMultipart,
    bytes: impl Stream<Item = Result<Bytes, E>>,
    max_bytes: u64,
) -> Result<u64, ObjectError>
where
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut bytes = pin!(bytes);
    let mut size = 0u64;
    while let Some(chunk) = bytes.next().await {
        let chunk = chunk.map_err(|error| ObjectError::Interrupted(error.into()))?;
        size = size.saturating_add(chunk.len() as u64);
        if size > max_bytes {
            return Err(ObjectError::TooLarge { limit: max_bytes });
        }
        upload.wait_for_capacity(PARTS_IN_FLIGHT).await?;
        upload.put(chunk);
    }
    Ok(size)
}

fn path(key: &ObjectKey) -> Path {
    Path::from(key.as_str())
}
