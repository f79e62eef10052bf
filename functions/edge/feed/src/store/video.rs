//! Read copies of what plays a video.

use akademi_domain::ids::{AssetId, CourseId};
use akademi_edge_store::{TenantSql, TenantStatement};

pub fn save_playlist(asset: AssetId, folder: &str, path: &str, deflated: &str) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO playlist (tenant_id, asset_id, folder, path, deflated) VALUES (?1, ?2, ?3, ?4, ?5) \
         ON CONFLICT (tenant_id, asset_id, folder, path) DO UPDATE SET deflated = excluded.deflated",
    );
    SQL.with([asset.into(), folder.into(), path.into(), deflated.into()])
}

pub fn save_video(asset: AssetId, folder: &str, duration_ms: i64, poster: Option<&str>) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO video (tenant_id, asset_id, folder, duration_ms, poster) VALUES (?1, ?2, ?3, ?4, ?5) \
         ON CONFLICT (tenant_id, asset_id) DO UPDATE SET folder = excluded.folder, \
         duration_ms = excluded.duration_ms, poster = excluded.poster",
    );
    SQL.with([asset.into(), folder.into(), duration_ms.into(), poster.into()])
}

/// Those of what was made of the video before.
pub fn drop_older_playlists(asset: AssetId, folder: &str) -> TenantStatement {
    const SQL: TenantSql =
        TenantSql::new("DELETE FROM playlist WHERE tenant_id = ?1 AND asset_id = ?2 AND folder <> ?3");
    SQL.with([asset.into(), folder.into()])
}

/// Lessons that were published before their video was read get its whole seconds.
pub fn tell_lessons_length(asset: AssetId, course: CourseId, seconds: i64) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "UPDATE lesson SET duration_seconds = ?4 WHERE tenant_id = ?1 AND course_id = ?3 AND kind = 'video' \
         AND duration_seconds IS NULL AND body ->> '$.source.asset' = ?2 AND ?4 > 0",
    );
    SQL.with([asset.into(), course.into(), seconds.into()])
}
