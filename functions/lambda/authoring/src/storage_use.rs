//! How much an academy stores, and how much it may.

mod store;

use akademi_api::{Body, Caller};
use akademi_domain::storage::StorageState;
use axum::extract::State;
use serde::Serialize;

use crate::{Authoring, AuthoringError};

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct StorageUse {
    /// Bytes.
    used: u64,
    /// The most bytes that the academy may store; null if there is no limit.
    limit: Option<u64>,
    state: StorageState,
    by_kind: StorageByKind,
}

/// The bytes that are used, by what they are of.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct StorageByKind {
    /// Files of courses, as they were sent.
    files: u64,
    /// What was transcoded from videos.
    playback: u64,
    /// Files that were sent in parts, and what is reserved for those that are on their way.
    uploads: u64,
    /// What was made of images, in all sizes and formats.
    pictures: u64,
}

/// How much the academy stores
///
/// Counted as files come and go. From 80 % of the limit on its state is `warning`; what would be more than the limit is
/// refused with `storage-full`, save what is transcoded from a video that is there.
#[utoipa::path(get, path = "/api/v1/academy/storage", tag = "media",
    responses((status = 200, description = "What is used", body = StorageUse)))]
pub async fn show(
    State(authoring): State<Authoring>,
    caller: Caller,
) -> Result<Body<StorageUse>, AuthoringError> {
    let mut tx = authoring.postgres.tenant(caller.tenant).await?;
    let found = store::find_storage_use(&mut tx).await?;
    tx.commit().await?;
    let used = found.used;
    Ok(Body(StorageUse {
        used,
        limit: found.limit,
        state: StorageState::of(used, found.limit),
        by_kind: StorageByKind {
            files: found.files,
            playback: found.playback,
            uploads: found.uploads,
            pictures: found.pictures,
        },
    }))
}
