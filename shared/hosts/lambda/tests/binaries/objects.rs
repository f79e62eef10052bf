//! An academy's files in a folder and in a bucket.

use akademi_lambda_store::{
    content_type::ContentType,
    object_key::ObjectKey,
    objects::{Announced, Object, ObjectError},
};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use sha2::{Digest, Sha256};
use std::io;

use crate::storage::{Storage, key, on_both};

on_both! {
    what_was_put_comes_back_whole_or_in_part
    a_replaced_object_has_another_etag_and_the_new_type
    a_deleted_object_is_gone_and_may_be_deleted_again
    a_list_holds_what_is_below_a_folder_of_one_academy
    an_academys_objects_go_a_few_at_a_time_and_no_others
    a_deleted_folder_is_gone_and_its_neighbours_stay
    an_upload_appears_whole_or_not_at_all
}

fn mp4() -> ContentType {
    "video/mp4".parse().unwrap()
}

async fn bytes(object: Object) -> Vec<u8> {
    object.bytes.map_ok(|chunk| chunk.to_vec()).try_concat().await.unwrap()
}

async fn put(storage: &Storage, names: &[ObjectKey]) {
    for name in names {
        storage.objects.put(name, &mp4(), Bytes::from_static(b"12345")).await.unwrap();
    }
}

async fn what_was_put_comes_back_whole_or_in_part(storage: Storage) {
    let (objects, film) = (&storage.objects, key(1, &["media", "film.mp4"]));
    let content: Vec<u8> = (0..100_000u32).map(|n| (n % 251) as u8).collect();
    objects.put(&film, &mp4(), Bytes::from(content.clone())).await.unwrap();
    let info = objects.head(&film).await.unwrap();
    assert_eq!((info.size, &info.key), (100_000, &film));
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
    assert_eq!(objects.read_range(&film, 10..20).await.unwrap(), content[10..20]);
    let missing = key(1, &["media", "other.mp4"]);
    assert!(matches!(objects.head(&missing).await, Err(ObjectError::NotFound)));
    assert!(matches!(objects.get(&missing).await, Err(ObjectError::NotFound)));
    assert!(matches!(objects.read_range(&missing, 0..1).await, Err(ObjectError::NotFound)));
}

async fn a_replaced_object_has_another_etag_and_the_new_type(storage: Storage) {
    let (objects, name) = (&storage.objects, key(1, &["a"]));
    objects.put(&name, &mp4(), Bytes::from_static(b"one")).await.unwrap();
    let before = objects.head(&name).await.unwrap();
    objects.put(&name, &"text/plain".parse().unwrap(), Bytes::from_static(b"three")).await.unwrap();
    let after = objects.head(&name).await.unwrap();
    assert_ne!(before.etag, after.etag);
    assert_eq!(after.size, 5);
    assert!(storage.kept_type(&name).is_none_or(|kept| kept == "text/plain"));
}

async fn a_deleted_object_is_gone_and_may_be_deleted_again(storage: Storage) {
    let (objects, name) = (&storage.objects, key(1, &["a"]));
    put(&storage, std::slice::from_ref(&name)).await;
    objects.delete(&name).await.unwrap();
    objects.delete(&name).await.unwrap();
    assert!(matches!(objects.get(&name).await, Err(ObjectError::NotFound)));
    assert!(matches!(objects.get_range(&name, 0..1).await, Err(ObjectError::NotFound)));
}

async fn a_list_holds_what_is_below_a_folder_of_one_academy(storage: Storage) {
    let names = [
        key(1, &["media", "a"]),
        key(1, &["media", "hls", "b"]),
        key(1, &["mediax", "c"]),
        key(2, &["media", "d"]),
    ];
    put(&storage, &names).await;
    let found = storage.objects.list(&key(1, &["media"]));
    let mut found: Vec<(ObjectKey, u64)> = found.try_collect().await.unwrap();
    found.sort();
    assert_eq!(found, [(names[0].clone(), 5), (names[1].clone(), 5)]);
    assert_eq!(storage.objects.list(&key(3, &["media"])).count().await, 0);
}

async fn an_academys_objects_go_a_few_at_a_time_and_no_others(storage: Storage) {
    let names = [key(1, &["a", "1"]), key(1, &["a", "2"]), key(1, &["b"]), key(2, &["a", "1"])];
    put(&storage, &names).await;
    let tenant = names[0].tenant();
    let mut steps = Vec::new();
    for _ in 0..3 {
        steps.push(storage.objects.delete_of_tenant(tenant, 2).await.unwrap());
    }
    assert_eq!(steps, [2, 1, 0]);
    assert!(storage.is_there(&names[3]).await);
}

async fn a_deleted_folder_is_gone_and_its_neighbours_stay(storage: Storage) {
    let inside = [key(1, &["a", "1", "x"]), key(1, &["a", "1", "deep", "y"])];
    let beside = [key(1, &["a", "10", "z"]), key(1, &["a", "1b"])];
    put(&storage, &inside).await;
    put(&storage, &beside).await;
    for _ in 0..2 {
        storage.objects.delete_folder(&key(1, &["a", "1"])).await.unwrap();
    }
    for (name, stays) in inside.iter().map(|name| (name, false)).chain(beside.iter().map(|name| (name, true)))
    {
        assert_eq!(storage.is_there(name).await, stays, "{name}");
    }
}

async fn an_upload_appears_whole_or_not_at_all(storage: Storage) {
    let (objects, name) = (&storage.objects, key(1, &["imports", "course.tar.gz"]));
    let (megabyte, size) = (Bytes::from(vec![7; 1 << 20]), 12 << 20);
    let whole = || stream::iter((0..12).map(|_| Ok::<_, io::Error>(megabyte.clone())));
    let lost = || stream::iter([Err(io::Error::from(io::ErrorKind::ConnectionReset))]);

    let error = objects.put_stream(&name, &mp4(), size, whole().take(6).chain(lost())).await.unwrap_err();
    assert!(matches!(error, ObjectError::Interrupted(_)), "{error:?}");
    let error = objects.put_stream(&name, &mp4(), size - 1, whole()).await.unwrap_err();
    assert!(matches!(error, ObjectError::TooLarge { .. }), "{error:?}");
    let error = objects.put_stream(&name, &mp4(), size + 1, whole()).await.unwrap_err();
    assert!(matches!(error, ObjectError::NotAnnounced), "{error:?}");
    let other = Announced { bytes: size, sha256: [1; 32] };
    let error = objects.put_announced(&name, &other, whole()).await.unwrap_err();
    assert!(matches!(error, ObjectError::NotAnnounced), "{error:?}");
    assert!(!storage.is_there(&name).await);

    objects.put_stream(&name, &mp4(), size, whole()).await.unwrap();
    assert_eq!(objects.read(&name, u64::MAX).await.unwrap(), vec![7; 12 << 20]);
    assert!(storage.kept_type(&name).is_none_or(|kept| kept == "video/mp4"));
    let own = Announced { bytes: size, sha256: Sha256::digest(vec![7; 12 << 20]).into() };
    objects.put_announced(&name, &own, whole()).await.unwrap();
}
