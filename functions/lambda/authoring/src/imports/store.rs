//! The imports' SQL: one function a statement.

use akademi_domain::{
    ids::{AssetId, CourseId, JobId, UserId},
    time::Timestamp,
};
use akademi_lambda_store::{error::StoreError, object_key::ObjectKey, postgres::TenantTransaction};
use akademi_olx::RawBlock;
use sqlx::Row;

/// An archive that may be sent.
pub struct Import {
    pub owner: UserId,
    /// Its size.
    pub bytes: u64,
}

/// A file of the new course.
pub struct NewAsset {
    pub id: AssetId,
    pub path: String,
    pub content_type: &'static str,
    pub bytes: u64,
    pub sha256: [u8; 32],
    pub key: ObjectKey,
    /// A lesson plays it.
    pub is_video_of_lesson: bool,
}

pub async fn insert_import(
    tx: &mut TenantTransaction,
    id: JobId,
    owner: UserId,
    file_name: &str,
    bytes: u64,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO course_import (tenant_id, id, user_id, file_name, bytes, created_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(tx.tenant().as_uuid())
    .bind(id.as_uuid())
    .bind(owner.as_uuid())
    .bind(file_name)
    .bind(bytes.cast_signed())
    .bind(now.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// The import, if it is there and `owner`'s or anybody's; nobody else starts it before this transaction ends.
pub async fn lock_import(
    tx: &mut TenantTransaction,
    id: JobId,
    owner: Option<UserId>,
) -> Result<Option<Import>, StoreError> {
    let row = sqlx::query(
        "SELECT user_id, bytes FROM course_import
         WHERE tenant_id = $1 AND id = $2 AND ($3::uuid IS NULL OR user_id = $3) FOR UPDATE",
    )
    .bind(tx.tenant().as_uuid())
    .bind(id.as_uuid())
    .bind(owner.map(|owner| owner.as_uuid()))
    .fetch_optional(tx.connection())
    .await?;
    row.map(|row| {
        Ok(Import {
            owner: UserId::from_uuid(row.try_get("user_id")?),
            bytes: row.try_get::<i64, _>("bytes")?.cast_unsigned(),
        })
    })
    .transpose()
}

pub async fn import_created_at(
    tx: &mut TenantTransaction,
    id: JobId,
) -> Result<Option<Timestamp>, StoreError> {
    let created_at =
        sqlx::query_scalar("SELECT created_at FROM course_import WHERE tenant_id = $1 AND id = $2")
            .bind(tx.tenant().as_uuid())
            .bind(id.as_uuid())
            .fetch_optional(tx.connection())
            .await?;
    Ok(created_at.map(Timestamp::from_millis))
}

pub async fn insert_assets(
    tx: &mut TenantTransaction,
    course: CourseId,
    assets: &[NewAsset],
    now: Timestamp,
) -> Result<(), StoreError> {
    let each = |asset: &NewAsset| if asset.is_video_of_lesson { "transcoding" } else { "ready" };
    sqlx::query(
        "INSERT INTO asset (tenant_id, course_id, created_at, updated_at,
                            id, path, content_type, bytes, sha256, object_key, state)
         SELECT $1, $2, $3, $3, sent.* FROM UNNEST($4::uuid[], $5::text[], $6::text[], $7::bigint[], $8::bytea[],
                                                   $9::text[], $10::text[]) AS sent",
    )
    .bind(tx.tenant().as_uuid())
    .bind(course.as_uuid())
    .bind(now.as_millis())
    .bind(assets.iter().map(|asset| asset.id.as_uuid()).collect::<Vec<_>>())
    .bind(assets.iter().map(|asset| asset.path.as_str()).collect::<Vec<_>>())
    .bind(assets.iter().map(|asset| asset.content_type).collect::<Vec<_>>())
    .bind(assets.iter().map(|asset| asset.bytes.cast_signed()).collect::<Vec<_>>())
    .bind(assets.iter().map(|asset| asset.sha256.as_slice()).collect::<Vec<_>>())
    .bind(assets.iter().map(|asset| asset.key.as_str()).collect::<Vec<_>>())
    .bind(assets.iter().map(each).collect::<Vec<_>>())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// A block that the archive refers to twice is kept once.
pub async fn insert_raw_blocks(
    tx: &mut TenantTransaction,
    course: CourseId,
    blocks: &[RawBlock],
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO raw_block (tenant_id, course_id, source_key, kind, title, olx)
         SELECT $1, $2, sent.* FROM UNNEST($3::text[], $4::text[], $5::text[], $6::text[]) AS sent
         ON CONFLICT DO NOTHING",
    )
    .bind(tx.tenant().as_uuid())
    .bind(course.as_uuid())
    .bind(blocks.iter().map(|block| block.source_key.as_str()).collect::<Vec<_>>())
    .bind(blocks.iter().map(|block| block.kind.as_str()).collect::<Vec<_>>())
    .bind(blocks.iter().map(|block| block.title.as_deref()).collect::<Vec<_>>())
    .bind(blocks.iter().map(|block| block.olx.as_str()).collect::<Vec<_>>())
    .execute(tx.connection())
    .await?;
    Ok(())
}
