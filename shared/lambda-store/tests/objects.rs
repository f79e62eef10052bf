//! What an academy's files leave in a local folder. What they do in a folder and in a bucket alike, `akademi-lambda` tests,
//! where both are.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use akademi_domain::{ids::TenantId, time::Timestamp};
use akademi_lambda_store::{
    content_type::ContentType,
    object_key::ObjectKey,
    objects::{ObjectError, Objects},
};
use bytes::Bytes;
use futures::{StreamExt, stream};
use std::{
    io,
    path::{Path, PathBuf},
};

fn key(parts: &[&str]) -> ObjectKey {
    let tenant = TenantId::new(Timestamp::from_millis(1_790_000_000_000), [1; 10]);
    ObjectKey::new(tenant, parts.iter().copied()).unwrap()
}

/// All files below a folder, as the file system has them.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

#[tokio::test]
async fn a_folder_holds_the_objects_and_nothing_of_what_was_not_whole() {
    let folder = tempfile::tempdir().unwrap();
    let objects = Objects::local(&folder.path().join("not/there/yet")).unwrap();
    let (name, kind) = (key(&["imports", "course.tar.gz"]), ContentType::unknown());
    let megabyte = Bytes::from(vec![7; 1 << 20]);
    let whole = || stream::iter((0..12).map(|_| Ok::<_, io::Error>(megabyte.clone())));
    let lost = stream::iter([Err(io::Error::from(io::ErrorKind::ConnectionReset))]);
    let error = objects.put_stream(&name, &kind, 12 << 20, whole().take(9).chain(lost)).await.unwrap_err();
    assert!(matches!(error, ObjectError::Interrupted(_)), "{error:?}");
    for size in [(12 << 20) - 1, (12 << 20) + 1] {
        objects.put_stream(&name, &kind, size, whole()).await.unwrap_err();
    }
    assert_eq!(files(folder.path()), Vec::<PathBuf>::new());

    objects.put_stream(&name, &kind, 12 << 20, whole()).await.unwrap();
    let file = folder.path().join("not/there/yet").join(name.as_str());
    assert_eq!(files(folder.path()), [file]);
    objects.delete(&name).await.unwrap();
    assert_eq!(files(folder.path()), Vec::<PathBuf>::new());
}
