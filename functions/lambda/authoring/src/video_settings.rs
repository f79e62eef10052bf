//! How an academy has its videos.

mod store;

use akademi_api::{Body, Caller, signed::CallContext};
use akademi_domain::time::Timestamp;
use akademi_lambda_store::audit::{Action, Actor, Write};
use axum::{Extension, extract::State};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{Authoring, AuthoringError};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VideoSettings {
    /// Whether the segments of videos are encrypted (AES-128, RFC 8216 §4.3.2.4).
    encrypted: bool,
}

#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = SavedVideoSettings)]
pub struct SettingsAnswer {
    settings: VideoSettings,
    /// Null as long as nobody has set them.
    updated_at: Option<Timestamp>,
}

/// How the academy has its videos
///
/// They are not encrypted as long as nobody has said so.
#[utoipa::path(get, path = "/api/v1/academy/video-settings", tag = "media",
    responses((status = 200, description = "The settings", body = SettingsAnswer)))]
pub async fn show(
    State(authoring): State<Authoring>,
    caller: Caller,
) -> Result<Body<SettingsAnswer>, AuthoringError> {
    let mut tx = authoring.postgres.tenant(caller.tenant).await?;
    let found = store::find_settings(&mut tx).await?;
    tx.commit().await?;
    let (encrypted, updated_at) = found.unzip();
    let settings = VideoSettings { encrypted: encrypted.unwrap_or(false) };
    Ok(Body(SettingsAnswer { settings, updated_at }))
}

/// Set how the academy has its videos
///
/// Of videos that are transcoded from now on; others stay as they are.
#[utoipa::path(put, path = "/api/v1/academy/video-settings", tag = "media", request_body = VideoSettings,
    responses((status = 200, description = "The settings", body = SettingsAnswer)))]
pub async fn save(
    State(authoring): State<Authoring>,
    caller: Caller,
    Extension(call): Extension<CallContext>,
    Body(settings): Body<VideoSettings>,
) -> Result<Body<SettingsAnswer>, AuthoringError> {
    let now = authoring.ports.now();
    let mut tx = authoring.postgres.tenant(caller.tenant).await?;
    let before = VideoSettings { encrypted: store::lock_settings(&mut tx, now).await? };
    store::set_encrypted(&mut tx, settings.encrypted).await?;
    let saved = Write {
        action: Action::VideoSettingsSaved,
        target: format!("video_settings:{}", caller.tenant),
        before: json!(before),
        after: json!(settings),
    };
    authoring.auditor.record(&mut tx, Actor::new(&caller, &call), saved).await?;
    tx.commit().await?;
    Ok(Body(SettingsAnswer { settings, updated_at: Some(now) }))
}
