//! An academy's files in a local folder.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use akademi_domain::{ids::TenantId, time::Timestamp};
use akademi_lambda_store::{
    content_type::ContentType,
    object_key::ObjectKey,
    objects::{Object, ObjectError, Objects},
};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use std::{
    io,
    path::{Path, PathBuf},
};

fn key(tenant: u8, parts: &[&str]) -> ObjectKey {
    let tenant = TenantId::new(Timestamp::from_millis(1_790_000_000_000), [tenant; 10]);
    ObjectKey::new(tenant, parts.iter().copied()).unwrap()
}

fn mp4() -> ContentType {
    "video/mp4".parse().unwrap()
}

fn storage() -> (tempfile::TempDir, Objects) {
    let folder = tempfile::tempdir().unwrap();
    let objects = Objects::local(&folder.path().join("not/there/yet")).unwrap();
    (folder, objects)
}

async fn bytes(object: Object) -> Vec<u8> {
    object.bytes.map_ok(|chunk| chunk.to_vec()).try_concat().await.unwrap()
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
async fn what_was_put_comes_back_with_its_type_whole_or_in_part() {
    let (_folder, objects) = storage();
    let film = key(1, &["media", "film.mp4"]);
    let content: Vec<u8> = (0..100_000u32).map(|n| (n % 251) as u8).collect();
    objects.put(&film, &mp4(), Bytes::from(content.clone())).await.unwrap();
    let info = objects.head(&film).await.unwrap();
    assert_eq!((info.size, info.content_type, &info.key), (100_000, mp4(), &film));
    assert_eq!(bytes(objects.get(&film).await.unwrap()).await, content);
    for (asked, given) in [(0..10, 0..10), (99_990..200_000, 99_990..100_000), (5..6, 5..6)] {
        let part = objects.get_range(&film, asked.clone()).await.unwrap();
        assert_eq!(part.range, given, "{asked:?}");
        assert_eq!(part.info.size, 100_000);
        assert_eq!(bytes(part).await, content[given.start as usize..given.end as usize]);
    }
    for beyond in [100_000..100_001, 7..7] {
        let error = objects.get_range(&film, beyond).await.err().unwrap();
        assert!(matches!(error, ObjectError::OutOfRange { size: 100_000 }), "{error:?}");
    }
    assert_eq!(objects.read(&film, 100_000).await.unwrap(), content);
    assert!(matches!(objects.read(&film, 99_999).await, Err(ObjectError::TooLarge { limit: 99_999 })));
}

#[tokio::test]
async fn a_replaced_object_has_another_etag_and_the_new_type() {
    let (_folder, objects) = storage();
    let name = key(1, &["a"]);
    objects.put(&name, &mp4(), Bytes::from_static(b"one")).await.unwrap();
    let before = objects.head(&name).await.unwrap();
    objects.put(&name, &"text/plain".parse().unwrap(), Bytes::from_static(b"three")).await.unwrap();
    let after = objects.head(&name).await.unwrap();
    assert_ne!(before.etag, after.etag);
    assert_eq!((after.size, after.content_type.as_str()), (5, "text/plain"));
}

#[tokio::test]
async fn a_deleted_object_is_gone_and_may_be_deleted_again() {
    let (folder, objects) = storage();
    let name = key(1, &["a"]);
    objects.put(&name, &mp4(), Bytes::from_static(b"one")).await.unwrap();
    objects.delete(&name).await.unwrap();
    objects.delete(&name).await.unwrap();
    assert!(matches!(objects.get(&name).await, Err(ObjectError::NotFound)));
    assert!(matches!(objects.get_range(&name, 0..1).await, Err(ObjectError::NotFound)));
    assert_eq!(files(folder.path()), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn a_list_holds_what_is_below_a_folder_of_one_academy() {
    let (_folder, objects) = storage();
    let names = [
        key(1, &["media", "a"]),
        key(1, &["media", "hls", "b"]),
        key(1, &["mediax", "c"]),
        key(2, &["media", "d"]),
    ];
    for name in &names {
        objects.put(name, &mp4(), Bytes::from_static(b"12345")).await.unwrap();
    }
    let mut found: Vec<(ObjectKey, u64)> = objects.list(&key(1, &["media"])).try_collect().await.unwrap();
    found.sort();
    assert_eq!(found, [(names[0].clone(), 5), (names[1].clone(), 5)]);
    assert_eq!(objects.list(&key(3, &["media"])).count().await, 0);
}

#[tokio::test]
async fn an_academys_objects_go_a_few_at_a_time_and_no_others() {
    let (folder, objects) = storage();
    for name in [key(1, &["a", "1"]), key(1, &["a", "2"]), key(1, &["b"]), key(2, &["a", "1"])] {
        objects.put(&name, &mp4(), Bytes::from_static(b"one")).await.unwrap();
    }
    let tenant = key(1, &["a"]).tenant();
    let mut steps = Vec::new();
    for _ in 0..3 {
        steps.push(objects.delete_of_tenant(tenant, 2).await.unwrap());
    }
    // Each with the type beside it.
    assert_eq!(steps, [4, 2, 0]);
    let left = files(&folder.path().join("not/there/yet"));
    assert_eq!(left.len(), 2, "{left:?}");
    assert!(objects.head(&key(2, &["a", "1"])).await.is_ok());
}

#[tokio::test]
async fn a_deleted_folder_is_gone_with_what_was_half_put_there_and_its_neighbours_stay() {
    let (folder, objects) = storage();
    for name in [&["a", "1", "x"][..], &["a", "1", "deep", "y"], &["a", "10", "z"], &["a", "1b"]] {
        objects.put(&key(1, name), &mp4(), Bytes::from_static(b"one")).await.unwrap();
    }
    // What a process leaves that is killed between an object's type and the object.
    let root = folder.path().join("not/there/yet");
    std::fs::remove_file(root.join(key(1, &["a", "1", "x"]).as_str())).unwrap();
    objects.delete_folder(&key(1, &["a", "1"])).await.unwrap();
    objects.delete_folder(&key(1, &["a", "1"])).await.unwrap();
    let mut left: Vec<_> =
        files(&root).iter().map(|path| path.strip_prefix(&root).unwrap().display().to_string()).collect();
    left.sort();
    let kept = [key(1, &["a", "10", "z"]), key(1, &["a", "1b"])];
    let mut expected: Vec<_> =
        kept.iter().flat_map(|key| [format!("content-types/{key}"), key.to_string()]).collect();
    expected.sort();
    assert_eq!(left, expected);
}

#[tokio::test]
async fn an_upload_appears_whole_or_not_at_all() {
    let (folder, objects) = storage();
    let name = key(1, &["imports", "course.tar.gz"]);
    let megabyte = Bytes::from(vec![7; 1 << 20]);
    let whole = || stream::iter((0..12).map(|_| Ok::<_, io::Error>(megabyte.clone())));
    let lost = || Err(io::Error::from(io::ErrorKind::ConnectionReset));

    let breaks_off = whole().chain(stream::once(async { lost() }));
    let error = objects.put_stream(&name, &mp4(), 1 << 30, breaks_off).await.unwrap_err();
    assert!(matches!(error, ObjectError::Interrupted(_)), "{error:?}");
    let error = objects.put_stream(&name, &mp4(), (12 << 20) - 1, whole()).await.unwrap_err();
    assert!(matches!(error, ObjectError::TooLarge { .. }), "{error:?}");
    assert!(matches!(objects.head(&name).await, Err(ObjectError::NotFound)));
    assert_eq!(files(folder.path()), Vec::<PathBuf>::new());

    let size = objects.put_stream(&name, &mp4(), 12 << 20, whole()).await.unwrap();
    assert_eq!(size, 12 << 20);
    assert_eq!(objects.head(&name).await.unwrap().size, 12 << 20);
    assert_eq!(objects.read(&name, u64::MAX).await.unwrap(), vec![7; 12 << 20]);
}
