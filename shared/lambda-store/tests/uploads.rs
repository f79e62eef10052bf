//! Files in parts, on a folder of this machine.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use akademi_domain::{
    ids::{TenantId, UploadId},
    time::Timestamp,
    upload::Parts,
};
use akademi_lambda_store::{
    content_type::ContentType,
    object_key::ObjectKey,
    objects::{Announced, ObjectError, Objects},
    uploads::{PartedFile, folder, part_key},
};
use bytes::Bytes;
use futures::stream;
use proptest::prelude::*;
use sha2::{Digest, Sha256};
use std::{convert::Infallible, future::Future};

const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn upload_folder() -> ObjectKey {
    folder(TenantId::new(NOW, [1; 10]), UploadId::new(NOW, [2; 10])).unwrap()
}

async fn store(objects: &Objects, folder: &ObjectKey, content: &[u8], part_bytes: usize) {
    for (place, part) in content.chunks(part_bytes).enumerate() {
        let key = part_key(folder, place as u64 + 1).unwrap();
        objects.put(&key, &ContentType::unknown(), Bytes::copy_from_slice(part)).await.unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn a_range_across_parts_is_that_of_the_whole_file(
        content in proptest::collection::vec(any::<u8>(), 1..600), part_bytes in 1usize..200,
        ranges in proptest::collection::vec((0usize..700, 0usize..700), 1..8),
    ) {
        let files = tempfile::tempdir().unwrap();
        let objects = Objects::local(files.path()).unwrap();
        let parts = Parts::new(content.len() as u64, part_bytes as u64);
        let file = PartedFile::new(objects.clone(), upload_folder(), parts);
        block_on(async {
            store(&objects, &upload_folder(), &content, part_bytes).await;
            for (from, length) in ranges {
                let whole = from.min(content.len())..(from + length).min(content.len());
                let read = file.read_range(from as u64..(from + length) as u64).await.unwrap();
                assert_eq!(&read[..], &content[whole]);
            }
        });
    }
}

#[tokio::test]
async fn a_part_that_is_missing_or_of_another_size_is_not_there() {
    let files = tempfile::tempdir().unwrap();
    let objects = Objects::local(files.path()).unwrap();
    let file = PartedFile::new(objects.clone(), upload_folder(), Parts::new(25, 10));
    assert_eq!(file.present().await.unwrap(), Vec::<u64>::new());
    store(&objects, &upload_folder(), &[7; 25], 10).await;
    assert_eq!(file.present().await.unwrap(), [1, 2, 3]);
    let second = part_key(&upload_folder(), 2).unwrap();
    objects.put(&second, &ContentType::unknown(), Bytes::from_static(b"short")).await.unwrap();
    assert_eq!(file.present().await.unwrap(), [1, 3]);
    assert!(matches!(file.read_range(5..16).await, Err(ObjectError::NotFound)));
    assert_eq!(file.read_range(20..99).await.unwrap().len(), 5);
    objects.delete(&part_key(&upload_folder(), 3).unwrap()).await.unwrap();
    assert!(matches!(file.read_range(20..25).await, Err(ObjectError::NotFound)));
}

#[tokio::test]
async fn what_is_not_as_announced_leaves_nothing() {
    let files = tempfile::tempdir().unwrap();
    let objects = Objects::local(files.path()).unwrap();
    let key = part_key(&upload_folder(), 1).unwrap();
    let put = async |sent: &[&'static [u8]]| {
        let announced = Announced { bytes: 8, sha256: Sha256::digest(b"abcdefgh").into() };
        let chunks = sent.iter().map(|chunk| Ok::<_, Infallible>(Bytes::from_static(chunk)));
        objects.put_announced(&key, &announced, stream::iter(chunks)).await
    };
    for wrong in [&[b"abcd".as_slice(), b"efg"][..], &[b"abcd", b"efgx"], &[b"abcd", b"efgh", b"i"], &[]] {
        let refused = put(wrong).await.unwrap_err();
        assert!(matches!(refused, ObjectError::NotAnnounced | ObjectError::TooLarge { .. }), "{refused:?}");
        assert!(matches!(objects.head(&key).await, Err(ObjectError::NotFound)), "{wrong:?}");
    }
    put(&[b"abc", b"", b"defgh"]).await.unwrap();
    assert_eq!(&objects.read(&key, 8).await.unwrap()[..], b"abcdefgh");
}
