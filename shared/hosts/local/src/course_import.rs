//! A course from an archive, as an instructor's program brings it in: a signed upload, then a job.

use anyhow::{Context, bail, ensure};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use serde_json::{Value, json};
use std::time::Duration;

use crate::api_client::{ApiClient, JsonExt};

/// How often a job is asked how far it is.
const ASK_EVERY: Duration = Duration::from_millis(100);
/// How long a job may take, in times asked: ten minutes.
const ASK_TIMES: u32 = 6_000;

/// Sends the archive and starts its import; the job's id. `key` is the request's `Idempotency-Key`.
///
/// # Errors
/// When the academy or its storage refuses.
pub async fn start(instructor: &ApiClient, key: &str, archive: Bytes) -> anyhow::Result<String> {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (HeaderName::from_static("idempotency-key"), HeaderValue::try_from(key)?),
    ];
    let asked = json!({ "file_name": "course.tar.gz", "bytes": archive.len() }).to_string();
    let made = instructor.send(Method::POST, "/api/v1/authoring/imports", &headers, asked.into()).await?;
    let made = made.expect(StatusCode::CREATED)?;
    let upload = made.get("upload").context("the import has no upload")?;
    let kind = upload.pointer("/headers/content-type").and_then(Value::as_str).unwrap_or_default();
    let sent = instructor.upload(&upload.text("url")?, kind, archive).await?;
    ensure!(sent.status == StatusCode::OK, "storage answers {} to the upload", sent.status);
    let job = made.text("job")?;
    let started = instructor.post(&format!("/api/v1/authoring/imports/{job}/start"), &json!({})).await?;
    started.expect(StatusCode::ACCEPTED)?;
    Ok(job)
}

/// Waits for a job's end; what it made. `tell` hears how far it is, whenever that changes.
///
/// # Errors
/// With the job's own reason when it fails, or when it does not end.
pub async fn result(
    instructor: &ApiClient,
    job: &str,
    tell: &(dyn Fn(&str) + Sync),
) -> anyhow::Result<Value> {
    let mut told = String::new();
    for _ in 0..ASK_TIMES {
        let answer = instructor.get(&format!("/api/v1/authoring/jobs/{job}")).await?;
        let answer = answer.expect(StatusCode::OK)?;
        match answer.text("state")?.as_str() {
            "done" => return answer.get("result").cloned().context("a job that is done has no result"),
            "failed" => bail!("{}", answer.text("message")?),
            _ => {}
        }
        let percent = answer.get("progress_permille").and_then(Value::as_u64).unwrap_or(0) / 10;
        let message = answer.text("message")?;
        let far = format!("{} ({percent} %)", if message.is_empty() { "waiting" } else { &message });
        if far != told {
            tell(&far);
            told = far;
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
    bail!("the job does not end")
}

/// Imports an archive and makes its videos playable; what the import made.
///
/// # Errors
/// With the reason for a person when the archive or a video cannot be had.
pub async fn import(
    instructor: &ApiClient,
    key: &str,
    archive: Bytes,
    tell: &(dyn Fn(&str) + Sync),
) -> anyhow::Result<Value> {
    let job = start(instructor, key, archive).await?;
    let imported = result(instructor, &job, tell).await?;
    for transcode in imported.get("transcodes").and_then(Value::as_array).into_iter().flatten() {
        result(instructor, &transcode.text("job")?, tell).await.context("transcoding a video")?;
    }
    Ok(imported)
}

/// The lessons of a draft in the order of the course.
pub fn lessons_mut(draft: &mut Value) -> impl Iterator<Item = &mut Value> {
    fn each<'a>(parent: &'a mut Value, key: &str) -> impl Iterator<Item = &'a mut Value> + use<'a> {
        parent.get_mut(key).and_then(Value::as_array_mut).into_iter().flatten()
    }
    each(draft, "modules")
        .flat_map(|module| each(module, "sections"))
        .flat_map(|section| each(section, "lessons"))
}
