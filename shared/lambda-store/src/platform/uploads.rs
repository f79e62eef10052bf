//! Uploads that nobody completes.

use akademi_domain::{
    ids::{TenantId, UploadId},
    retention::UPLOADS,
    time::Timestamp,
};
use uuid::Uuid;

use super::PlatformTransaction;
use crate::error::StoreError;

impl PlatformTransaction {
    /// Gives up at most `limit` uploads that are due at `now`, which frees what they reserved, and names them. They are named
    /// again until [`Self::delete_upload`]: first their parts go.
    pub async fn give_up_uploads(
        &mut self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<(TenantId, UploadId)>, StoreError> {
        let due: Vec<(Uuid, Uuid)> = sqlx::query_as(
            "UPDATE upload SET state = 'given_up'
             WHERE (tenant_id, id) IN (SELECT tenant_id, id FROM upload
                                       WHERE state NOT IN ('complete', 'attached') AND created_at <= $1
                                       ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED)
             RETURNING tenant_id, id",
        )
        .bind(UPLOADS.ends(now).as_millis())
        .bind(i64::from(limit))
        .fetch_all(self.connection().await?)
        .await?;
        Ok(due
            .into_iter()
            .map(|(tenant, id)| (TenantId::from_uuid(tenant), UploadId::from_uuid(id)))
            .collect())
    }

    /// Forgets an upload that was given up.
    pub async fn delete_upload(&mut self, tenant: TenantId, id: UploadId) -> Result<(), StoreError> {
        for statement in [
            "DELETE FROM upload_part WHERE tenant_id = $1 AND upload_id = $2",
            "DELETE FROM upload WHERE tenant_id = $1 AND id = $2 AND state = 'given_up'",
        ] {
            sqlx::query(statement)
                .bind(tenant.as_uuid())
                .bind(id.as_uuid())
                .execute(self.connection().await?)
                .await?;
        }
        Ok(())
    }
}
