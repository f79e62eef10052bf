//! A bucket of S3 in memory: the calls that object storage makes of it (Amazon S3 API Reference: PutObject, GetObject,
//! HeadObject, DeleteObjects, ListObjectsV2), objects whole or in one range, addressed by path.

use axum::{
    Router,
    body::Body,
    extract::{DefaultBodyLimit, Path, Query, State},
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use std::{
    collections::{BTreeMap, HashMap},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::{net::TcpListener, task::JoinHandle};

const MODIFIED: &str = "Sat, 21 Nov 2026 09:00:00 GMT";
const MODIFIED_RFC3339: &str = "2026-11-21T09:00:00.000Z";

#[derive(Clone, Default)]
struct Objects(Arc<Mutex<BTreeMap<String, Bytes>>>);

impl Objects {
    fn kept(&self) -> MutexGuard<'_, BTreeMap<String, Bytes>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A bucket of any name.
pub struct Bucket {
    pub address: SocketAddr,
    objects: Objects,
    task: JoinHandle<()>,
}

impl Bucket {
    /// # Errors
    /// When no port can be had.
    pub async fn start() -> anyhow::Result<Self> {
        let objects = Objects::default();
        let router = Router::new()
            .route("/{bucket}", get(list).post(delete))
            .route("/{bucket}/{*key}", get(read).put(write))
            .layer(DefaultBodyLimit::disable())
            .with_state(objects.clone());
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(async move {
            // It ends with the test.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { address, objects, task })
    }

    /// Puts an object there, as a person's upload does.
    pub fn put(&self, key: &str, bytes: Bytes) {
        self.objects.kept().insert(key.to_owned(), bytes);
    }

    pub fn keys(&self) -> Vec<String> {
        self.objects.kept().keys().cloned().collect()
    }
}

impl Drop for Bucket {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What is not signed for S3 is refused; the signature's value `object_store` answers for.
fn check(headers: &HeaderMap) -> Result<(), StatusCode> {
    let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let is_signed = authorization.is_some_and(|value| value.contains("/eu-central-1/s3/aws4_request"));
    if is_signed { Ok(()) } else { Err(StatusCode::FORBIDDEN) }
}

async fn write(
    State(objects): State<Objects>,
    Path((_, key)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, StatusCode> {
    check(&headers)?;
    objects.kept().insert(key, body);
    Ok([(header::ETAG, "\"1\"")].into_response())
}

/// HEAD too: the server leaves the body out then.
async fn read(
    State(objects): State<Objects>,
    Path((_, key)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, StatusCode> {
    check(&headers)?;
    let bytes = objects.kept().get(&key).cloned().ok_or(StatusCode::NOT_FOUND)?;
    let about = [(header::ETAG, "\"1\""), (header::LAST_MODIFIED, MODIFIED)];
    let Some(range) = headers.get(header::RANGE) else {
        return Ok((about, Body::from(bytes)).into_response());
    };
    let (first, end) = range
        .to_str()
        .ok()
        .and_then(asked_for)
        .filter(|(first, end)| first < end && *first < bytes.len())
        .ok_or(StatusCode::RANGE_NOT_SATISFIABLE)?;
    let end = end.min(bytes.len());
    let content_range = format!("bytes {first}-{}/{}", end - 1, bytes.len());
    let part = Body::from(bytes.slice(first..end));
    Ok((StatusCode::PARTIAL_CONTENT, about, [(header::CONTENT_RANGE, content_range)], part).into_response())
}

/// The first byte, and the first after the last, of `bytes=0-99` (RFC 9110, 14.1.2).
fn asked_for(range: &str) -> Option<(usize, usize)> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    Some((first.parse().ok()?, last.parse::<usize>().ok()?.checked_add(1)?))
}

async fn list(
    State(objects): State<Objects>,
    Query(asked): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Result<String, StatusCode> {
    check(&headers)?;
    let prefix = asked.get("prefix").map(String::as_str).unwrap_or_default();
    let kept = objects.kept();
    let contents = kept.iter().filter(|(key, _)| key.starts_with(prefix)).map(|(key, bytes)| {
        format!(
            "<Contents><Key>{key}</Key><Size>{}</Size><ETag>\"1\"</ETag>\
             <LastModified>{MODIFIED_RFC3339}</LastModified></Contents>",
            bytes.len()
        )
    });
    let contents: String = contents.collect();
    Ok(format!("<ListBucketResult><IsTruncated>false</IsTruncated>{contents}</ListBucketResult>"))
}

async fn delete(
    State(objects): State<Objects>,
    headers: HeaderMap,
    body: String,
) -> Result<String, StatusCode> {
    check(&headers)?;
    let keys: Vec<&str> =
        body.split("<Key>").skip(1).filter_map(|rest| rest.split("</Key>").next()).collect();
    objects.kept().retain(|key, _| !keys.contains(&key.as_str()));
    let deleted: String = keys.iter().map(|key| format!("<Deleted><Key>{key}</Key></Deleted>")).collect();
    Ok(format!("<DeleteResult>{deleted}</DeleteResult>"))
}
