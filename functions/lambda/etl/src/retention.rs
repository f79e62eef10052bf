//! What need not be kept any longer goes: here at once, at the edge by an event of each academy.
//!
//! Each night the planes also tell each other whom they have erased lately, since either may have been restored from a backup
//! of before: as long as there are such backups.

use akademi_domain::{ids::TenantId, retention::BACKUPS, time::Timestamp};
use akademi_feed::LambdaEvent;
use akademi_lambda_store::{
    error::StoreError,
    feed,
    object_key::InvalidKey,
    objects::{ObjectError, Objects},
    pictures::{PictureError, delete_unused},
    postgres::Postgres,
    uploads::folder,
};

use crate::store;

/// Rows of a table that one transaction deletes.
const AT_ONCE: u32 = 5_000;
/// Files that one round deletes: as many as storage lists and deletes by one request (S3's ListObjectsV2, DeleteObjects).
const FILES_AT_ONCE: usize = 1_000;
/// Uploads that one round takes away.
const UPLOADS_AT_ONCE: u32 = 100;
/// Files of pictures that one round deletes.
const PICTURES_AT_ONCE: u32 = 100;
/// How many such rounds a night has; the next one goes on.
const MAX_ROUNDS: usize = 200;

/// Why something stays.
#[derive(Debug, thiserror::Error)]
pub enum RetentionError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Storage(#[from] ObjectError),
    #[error(transparent)]
    Key(#[from] InvalidKey),
}

impl RetentionError {
    /// For the log.
    pub fn with_source(&self) -> String {
        match self {
            Self::Store(error) => error.with_source(),
            Self::Storage(error) => error.with_source(),
            Self::Key(error) => error.to_string(),
        }
    }
}

/// Deletes what is due on this plane; how many rows.
pub async fn delete_what_is_due(postgres: &Postgres, now: Timestamp) -> Result<u64, StoreError> {
    let mut all = 0;
    for _ in 0..MAX_ROUNDS {
        let mut platform = postgres.platform().await?;
        let deleted = platform.delete_what_is_due(now, AT_ONCE).await?;
        platform.commit().await?;
        all += deleted;
        if deleted == 0 {
            break;
        }
    }
    Ok(all)
}

/// Deletes what is left of an academy that the edge has deleted; how many rows.
pub async fn delete_academy(postgres: &Postgres, tenant: TenantId) -> Result<u64, StoreError> {
    let mut all = 0;
    for _ in 0..MAX_ROUNDS {
        let mut platform = postgres.platform().await?;
        let deleted = platform.delete_academy(tenant, AT_ONCE).await?;
        platform.commit().await?;
        all += deleted;
        if deleted == 0 {
            break;
        }
    }
    Ok(all)
}

/// Deletes the files of an academy that the edge has deleted; how many. What a night leaves, the next one deletes, and what was
/// still on its way into storage.
pub async fn delete_files(objects: &Objects, tenant: TenantId) -> Result<u64, ObjectError> {
    let mut all = 0;
    for _ in 0..MAX_ROUNDS {
        let deleted = objects.delete_of_tenant(tenant, FILES_AT_ONCE).await?;
        all += deleted;
        if deleted == 0 {
            break;
        }
    }
    Ok(all)
}

/// Takes away uploads that nobody has completed in time, and what they reserved; how many.
///
/// # Errors
/// When the database or storage does not answer. What was given up and not taken away, the next night takes away.
pub async fn delete_abandoned_uploads(
    postgres: &Postgres,
    objects: &Objects,
    now: Timestamp,
) -> Result<u64, RetentionError> {
    let mut all = 0;
    for _ in 0..MAX_ROUNDS {
        let mut platform = postgres.platform().await?;
        let given_up = platform.give_up_uploads(now, UPLOADS_AT_ONCE).await?;
        platform.commit().await?;
        if given_up.is_empty() {
            break;
        }
        for (tenant, upload) in given_up {
            objects.delete_folder(&folder(tenant, upload)?).await?;
            let mut platform = postgres.platform().await?;
            platform.delete_upload(tenant, upload).await?;
            platform.commit().await?;
            all += 1;
        }
    }
    Ok(all)
}

/// Gives up images that nobody has finished in time, and deletes the files of pictures that no image shows; how many of both.
///
/// # Errors
/// When the database or storage does not answer; the next night goes on.
pub async fn delete_unused_pictures(
    postgres: &Postgres,
    objects: &Objects,
    now: Timestamp,
) -> Result<u64, PictureError> {
    let mut all = 0;
    for _ in 0..MAX_ROUNDS {
        let mut platform = postgres.platform().await?;
        let mut deleted = platform.give_up_images(now, PICTURES_AT_ONCE).await?;
        let unused = platform.unused_pictures(PICTURES_AT_ONCE).await?;
        platform.commit().await?;
        for of_one in unused.chunk_by(|(one, _), (other, _)| one == other) {
            let Some((tenant, _)) = of_one.first() else { continue };
            let names: Vec<_> = of_one.iter().map(|(_, name)| name.clone()).collect();
            deleted += delete_unused(postgres, objects, *tenant, &names).await?;
        }
        all += deleted;
        if deleted == 0 {
            break;
        }
    }
    Ok(all)
}

/// Has the edge do its part for an academy.
pub async fn tell_edge(postgres: &Postgres, tenant: TenantId, now: Timestamp) -> Result<(), StoreError> {
    let mut tx = postgres.tenant(tenant).await?;
    for (person, at) in store::erased_since(&mut tx, BACKUPS.ends(now)).await? {
        feed::append(&mut tx, &LambdaEvent::PersonErased { person, at }, now).await?;
    }
    feed::append(&mut tx, &LambdaEvent::RetentionDue { at: now }, now).await?;
    tx.commit().await
}
