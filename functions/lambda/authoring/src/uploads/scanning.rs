//! Files that are held back until a virus scanner has found nothing.
//!
//! Where the variable `virus_scanner` names one, it is asked about documents and images, since people download those as they
//! were sent. Videos and sound are not: nobody gets them before they are made anew by the transcoder, whose child can reach
//! nothing. The largest of what is asked about has 20 MiB, which is within clamd's own default limit (25 MB or more); a scanner with
//! a lower limit gives no verdict on what is above it. Without a verdict a file stays held back, and the next `complete` or
//! look at it asks again; the night gives it up as it does with what nobody completes.

use akademi_api::{
    Caller, Problem,
    config::{Config, ConfigError},
    signed::CallContext,
};
use akademi_domain::{ids::UploadId, upload::FileKind};
use akademi_lambda_store::audit::{Action, Actor, Write};
use http::StatusCode;
use serde_json::json;

use super::{
    clamd::{Verdict, VirusScanner},
    store::{self, Upload, UploadState},
    target,
};
use crate::{Authoring, AuthoringError};

impl Authoring {
    /// Holds documents and images back until the scanner of the variable `virus_scanner` has found nothing; without it, none.
    ///
    /// # Errors
    /// [`ConfigError`] where it is no `host:port`.
    pub fn scanning(self, config: &Config<'_>) -> Result<Self, ConfigError> {
        let scanner = config.read_if_set(akademi_functions::VIRUS_SCANNER, VirusScanner::at)?;
        Ok(Self { scanner, ..self })
    }

    /// Whether files of this kind are held back.
    pub(super) fn scans(&self, kind: FileKind) -> bool {
        self.scanner.is_some() && matches!(kind, FileKind::Document | FileKind::Image)
    }

    /// Asks about a file that is held back: it is complete then, or gone, or held back as before.
    ///
    /// # Errors
    /// 422 `infected`: it is gone.
    pub(super) async fn scanned(
        &self,
        caller: &Caller,
        call: &CallContext,
        id: UploadId,
        upload: Upload,
    ) -> Result<Upload, AuthoringError> {
        // Whoever takes the scanner away lets files through.
        let Some(scanner) = &self.scanner else { return self.finish(caller, call, id, upload).await };
        let file = self.parted_file(caller.tenant, id, upload.parts)?;
        match scanner.scan(&file, upload.parts.bytes()).await {
            Ok(Verdict::Clean) => self.finish(caller, call, id, upload).await,
            Ok(Verdict::Infected(virus)) => {
                self.refuse(caller, call, id, &upload, &virus).await?;
                let detail = format!("The file holds a virus ({virus}): it was deleted.");
                Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "infected", "").with_detail(detail).into())
            }
            Err(error) => {
                let line = json!({
                    "at": self.ports.now(), "function": "authoring", "level": "error", "held_back": target(id),
                    "cause": error.to_string(),
                });
                self.ports.log.line(&line.to_string());
                Ok(upload)
            }
        }
    }

    /// Makes an upload complete that has a type.
    pub(super) async fn finish(
        &self,
        caller: &Caller,
        call: &CallContext,
        id: UploadId,
        upload: Upload,
    ) -> Result<Upload, AuthoringError> {
        let content_type = upload.content_type.as_deref().ok_or_else(Problem::internal)?;
        let mut tx = self.postgres.tenant(caller.tenant).await?;
        if store::complete_upload(&mut tx, id, content_type, self.ports.now()).await? {
            let completed = Write {
                action: Action::UploadCompleted,
                target: target(id),
                before: json!({ "content_type": null }),
                after: json!({ "content_type": content_type, "bytes": upload.parts.bytes() }),
            };
            self.auditor.record(&mut tx, Actor::new(caller, call), completed).await?;
            tx.commit().await?;
            return Ok(Upload { state: UploadState::Complete, ..upload });
        }
        // Somebody else was faster, or has deleted it.
        store::find_upload(&mut tx, id, caller.user).await?.ok_or(AuthoringError::NotFound)
    }

    async fn refuse(
        &self,
        caller: &Caller,
        call: &CallContext,
        id: UploadId,
        upload: &Upload,
        virus: &str,
    ) -> Result<(), AuthoringError> {
        let mut tx = self.postgres.tenant(caller.tenant).await?;
        if store::give_up(&mut tx, id).await? {
            let refused = Write {
                action: Action::UploadRefused,
                target: target(id),
                before: json!({ "kind": upload.kind, "bytes": upload.parts.bytes() }),
                after: json!({ "virus": virus }),
            };
            self.auditor.record(&mut tx, Actor::new(caller, call), refused).await?;
            tx.commit().await?;
            self.delete_parts(caller.tenant, id).await?;
        }
        Ok(())
    }
}
