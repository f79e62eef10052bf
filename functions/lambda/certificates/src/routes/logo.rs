//! The academy's logo on its certificates.

use akademi_api::{Body, Caller, Problem, signed::CallContext};
use akademi_domain::{
    ids::ImageId,
    picture::{PictureFile, PictureName},
};
use akademi_lambda_store::{
    audit::{Action, Actor, Write},
    pictures::{files_of, key},
    postgres::TenantTransaction,
};
use axum::{Extension, extract::State};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Certificates, store};
use crate::CertificatesError;

/// The most that is read of a logo, in bytes: far more than one of 640 pixels has.
const MAX_BYTES: u64 = 1 << 20;

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LogoRequest {
    /// An image of the preset `certificate_logo`.
    image: ImageId,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = CertificateLogo)]
pub struct LogoAnswer {
    /// Null if the academy has none.
    image: Option<ImageId>,
    /// Its files, the smallest size first.
    files: Vec<PictureFile>,
}

async fn answer(tx: &mut TenantTransaction, image: Option<ImageId>) -> Result<LogoAnswer, CertificatesError> {
    let mut files = files_of(tx, &image.into_iter().collect::<Vec<_>>()).await?;
    let files = image.and_then(|image| files.remove(&image)).unwrap_or_default();
    Ok(LogoAnswer { image, files })
}

/// What a logo is in the log.
fn write(caller: &Caller, action: Action, before: Option<ImageId>, after: Option<ImageId>) -> Write {
    let told = |image: Option<ImageId>| image.map_or(Value::Null, |image| json!({ "image": image }));
    let target = format!("certificate_logo:{}", caller.tenant);
    Write { action, target, before: told(before), after: told(after) }
}

/// The logo on the academy's certificates
#[utoipa::path(get, path = "/api/v1/academy/certificate-logo", tag = "certificates",
    responses((status = 200, description = "The logo", body = LogoAnswer)))]
pub async fn show(
    State(certificates): State<Certificates>,
    caller: Caller,
) -> Result<Body<LogoAnswer>, CertificatesError> {
    let mut tx = certificates.postgres.tenant(caller.tenant).await?;
    let image = store::find_logo(&mut tx).await?;
    let answer = answer(&mut tx, image).await?;
    tx.commit().await?;
    Ok(Body(answer))
}

/// Set the logo on the academy's certificates
///
/// Certificates are printed when somebody asks for them: those that were issued before show it too.
#[utoipa::path(put, path = "/api/v1/academy/certificate-logo", tag = "certificates", request_body = LogoRequest,
    responses((status = 200, description = "The logo", body = LogoAnswer)))]
pub async fn set(
    State(certificates): State<Certificates>,
    caller: Caller,
    Extension(call): Extension<CallContext>,
    Body(LogoRequest { image }): Body<LogoRequest>,
) -> Result<Body<LogoAnswer>, CertificatesError> {
    let mut tx = certificates.postgres.tenant(caller.tenant).await?;
    if !store::hold_logo_image(&mut tx, image).await? {
        return Err(Problem::field("image", "is no image of the preset certificate_logo").into());
    }
    let before = store::find_logo(&mut tx).await?;
    store::save_logo(&mut tx, image).await?;
    let answer = answer(&mut tx, Some(image)).await?;
    let set = write(&caller, Action::CertificateLogoSet, before, Some(image));
    certificates.auditor.record(&mut tx, Actor::new(&caller, &call), set).await?;
    tx.commit().await?;
    Ok(Body(answer))
}

/// Take the logo off the academy's certificates
#[utoipa::path(delete, path = "/api/v1/academy/certificate-logo", tag = "certificates",
    responses((status = 204, description = "There is none")))]
pub async fn remove(
    State(certificates): State<Certificates>,
    caller: Caller,
    Extension(call): Extension<CallContext>,
) -> Result<StatusCode, CertificatesError> {
    let mut tx = certificates.postgres.tenant(caller.tenant).await?;
    let before = store::find_logo(&mut tx).await?;
    store::remove_logo(&mut tx).await?;
    let removed = write(&caller, Action::CertificateLogoRemoved, before, None);
    certificates.auditor.record(&mut tx, Actor::new(&caller, &call), removed).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

impl Certificates {
    /// The largest JPEG of the logo. A certificate is printed without it if it cannot be read.
    pub(super) async fn logo(&self, caller: &Caller, name: Option<PictureName>) -> Option<Vec<u8>> {
        let key = key(caller.tenant, &name?).ok()?;
        let read = self.objects.read(&key, MAX_BYTES).await.map_err(CertificatesError::from);
        self.or_log(caller.tenant, read).map(Vec::from)
    }
}
