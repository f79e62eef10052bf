//! Images that nobody finishes, and files of pictures that no image shows.

use akademi_domain::{ids::TenantId, picture::PictureName, retention::IMAGES, time::Timestamp};
use uuid::Uuid;

use super::PlatformTransaction;
use crate::{error::StoreError, pictures::name};

impl PlatformTransaction {
    /// Gives up at most `limit` images that are due at `now`; how many.
    pub async fn give_up_images(&mut self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let given_up = sqlx::query(
            "WITH due AS (SELECT tenant_id, id FROM image WHERE ready_at IS NULL AND created_at <= $1
                          ORDER BY created_at LIMIT $2),
                  files AS (DELETE FROM image_file USING due
                            WHERE image_file.tenant_id = due.tenant_id AND image_file.image_id = due.id)
             DELETE FROM image USING due WHERE image.tenant_id = due.tenant_id AND image.id = due.id",
        )
        .bind(IMAGES.ends(now).as_millis())
        .bind(i64::from(limit))
        .execute(self.connection().await?)
        .await?;
        Ok(given_up.rows_affected())
    }

    /// At most `limit` files that no image shows, by academy: for [`crate::pictures::delete_unused`].
    pub async fn unused_pictures(&mut self, limit: u32) -> Result<Vec<(TenantId, PictureName)>, StoreError> {
        let found: Vec<(Uuid, String)> = sqlx::query_as(
            "SELECT tenant_id, name FROM picture
             WHERE NOT EXISTS (SELECT FROM image_file
                               WHERE image_file.tenant_id = picture.tenant_id AND image_file.name = picture.name)
             ORDER BY tenant_id LIMIT $1",
        )
        .bind(i64::from(limit))
        .fetch_all(self.connection().await?)
        .await?;
        found.into_iter().map(|(tenant, text)| Ok((TenantId::from_uuid(tenant), name(text)?))).collect()
    }
}
