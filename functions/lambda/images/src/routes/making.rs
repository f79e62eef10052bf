//! From an upload to the files of an image.

use akademi_api::{Caller, Problem};
use akademi_domain::{
    ids::{ImageId, TenantId, UploadId},
    picture::PictureName,
    upload::Parts,
};
use akademi_lambda_store::{
    objects::ObjectError,
    pictures,
    uploads::{PartedFile, folder},
};
use bytes::Bytes;
use futures::future::try_join_all;

use super::{
    Images,
    error::ImagesError,
    store::{self, NewImage},
};
use crate::{Crop, Limits, Preset, Variant, crop::Size, variants};

/// A file of an image, not stored yet.
pub struct MadeFile {
    pub name: PictureName,
    pub size: Size,
    pub content: Bytes,
}

impl MadeFile {
    fn new(variant: Variant) -> Result<Self, Problem> {
        let name = variant.name().parse().map_err(Problem::broken)?;
        Ok(Self { name, size: variant.size, content: variant.content.into() })
    }
}

impl Images {
    /// The content of an upload that is complete.
    pub(super) async fn source(
        &self,
        tenant: TenantId,
        id: UploadId,
        parts: Parts,
    ) -> Result<Bytes, ImagesError> {
        let folder = folder(tenant, id).map_err(Problem::broken)?;
        let file = PartedFile::new(self.objects.clone(), folder, parts);
        match file.read_range(0..parts.bytes()).await {
            // Somebody deletes it meanwhile.
            Err(ObjectError::NotFound) => Err(Problem::not_found().into()),
            content => Ok(content?),
        }
    }

    /// What is made of a source, on a thread where nothing waits for it.
    pub(super) async fn make(
        &self,
        source: Bytes,
        preset: Preset,
        crop: Crop,
    ) -> Result<Vec<MadeFile>, ImagesError> {
        let _place = self.places.acquire().await.map_err(Problem::broken)?;
        let work = tokio::task::spawn_blocking(move || variants(&source, preset, crop, &Limits::default()));
        let made = work.await.map_err(Problem::broken)??;
        let mut files: Vec<MadeFile> = made.into_iter().map(MadeFile::new).collect::<Result<_, _>>()?;
        // Two formats of one size differ; two sizes may have come out as one.
        files.sort_by(|one, other| one.name.cmp(&other.name));
        files.dedup_by(|one, other| one.name == other.name);
        Ok(files)
    }

    /// Reserves what the files take and stores them; the image that they are of, which is there already if somebody was faster.
    /// Nobody sees a new one before [`store::finish`].
    pub(super) async fn keep(
        &self,
        caller: &Caller,
        new: &NewImage<'_>,
        files: &[MadeFile],
    ) -> Result<ImageId, ImagesError> {
        let mut tx = self.postgres.tenant(caller.tenant).await?;
        let id = if store::insert_image(&mut tx, new).await? {
            store::insert_pictures(&mut tx, files).await?;
            store::insert_files(&mut tx, new.id, files).await?;
            new.id
        } else {
            store::find_same(&mut tx, new).await?.ok_or_else(Problem::conflict)?.0
        };
        tx.commit().await?;
        try_join_all(files.iter().map(|file| async move {
            let key = pictures::key(caller.tenant, &file.name).map_err(Problem::broken)?;
            let content_type = file.name.content_type().parse().map_err(Problem::broken)?;
            self.objects.put(&key, &content_type, file.content.clone()).await.map_err(ImagesError::from)
        }))
        .await?;
        Ok(id)
    }
}
