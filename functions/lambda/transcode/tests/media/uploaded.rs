//! Videos that lie in the parts that they were sent in.

use akademi_domain::ids::{AssetId, UploadId};
use akademi_lambda_store::{
    content_type::ContentType,
    jobs::JobState,
    object_key::ObjectKey,
    uploads::{folder, part_key},
};
use akademi_transcode::job::Ran;
use bytes::Bytes;
use sqlx::types::Json;
use std::fs;

use crate::{
    academy::{NOW, World},
    oracle::real_file,
};

/// So many parts that headers, pictures and sound lie across them.
const PART_BYTES: usize = 70_001;

/// Puts the asset's video into the parts of an upload.
async fn cut(world: &World, asset: AssetId, content: &[u8]) -> ObjectKey {
    let upload = UploadId::new(NOW, [11; 10]);
    let folder = folder(world.tenant, upload).unwrap();
    for (part, number) in content.chunks(PART_BYTES).zip(1..) {
        let key = part_key(&folder, number).unwrap();
        let objects = &world.transcode.objects;
        objects.put(&key, &ContentType::unknown(), Bytes::copy_from_slice(part)).await.unwrap();
    }
    let mut tx = world.database.postgres().tenant(world.tenant).await.unwrap();
    sqlx::query(
        "INSERT INTO upload (tenant_id, id, user_id, file_name, kind, bytes, part_bytes, state, content_type, completed_at,
                             created_at)
         VALUES ($1, $2, $2, 'film.mp4', 'video', $3, $4, 'attached', 'video/mp4', 0, 0)",
    )
    .bind(world.tenant.as_uuid())
    .bind(upload.as_uuid())
    .bind(content.len() as i64)
    .bind(PART_BYTES as i64)
    .execute(tx.connection())
    .await
    .unwrap();
    sqlx::query("UPDATE asset SET upload_id = $2, object_key = $3, bytes = $4, sha256 = NULL WHERE id = $1")
        .bind(asset.as_uuid())
        .bind(upload.as_uuid())
        .bind(folder.as_str())
        .bind(content.len() as i64)
        .execute(tx.connection())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    folder
}

#[tokio::test]
async fn a_video_in_parts_becomes_what_it_becomes_in_one_piece() {
    let content = fs::read(real_file("bikes.mp4")).unwrap();
    let mut made = Vec::new();
    for is_cut in [false, true] {
        let world = World::new().await;
        let (asset, job) = world.with_video(content.clone()).await;
        if is_cut {
            cut(&world, asset, &content).await;
        }
        assert_eq!(world.transcode.run_next().await.unwrap(), Ran::One);
        let ready = world.asset(asset).await;
        assert_eq!((ready.state.as_str(), ready.failure), ("ready", None));
        assert_eq!(world.job(job).await.state, JobState::Done);
        assert_eq!(world.draft().await, (vec![Some(10), None], 2));
        let Json(manifest) = ready.manifest.unwrap();
        let paths: Vec<_> = manifest.files.iter().map(|file| file.path.clone()).collect();
        // The encoder's segments differ from run to run, its pictures do not: they tell what was decoded.
        let playback: ObjectKey = ready.playback_key.unwrap().parse().unwrap();
        let mut pictures = Vec::new();
        for path in ["poster.jpg", "thumbnails/sheet-000.jpg"] {
            let key = path.split('/').fold(playback.clone(), |key, part| key.join(part).unwrap());
            pictures.push(world.transcode.objects.read(&key, 1 << 20).await.unwrap());
        }
        made.push((ready.duration_ms, paths, pictures));
    }
    assert!(made[0] == made[1], "{:?} {:?}", made[0].1, made[1].1);
}

#[tokio::test]
async fn a_video_whose_part_is_gone_fails_at_once() {
    let world = World::new().await;
    let content = fs::read(real_file("bikes.mp4")).unwrap();
    let (asset, _) = world.with_video(content.clone()).await;
    let folder = cut(&world, asset, &content).await;
    world.transcode.objects.delete(&part_key(&folder, 5).unwrap()).await.unwrap();
    assert_eq!(world.transcode.run_next().await.unwrap(), Ran::One);
    let failed = world.asset(asset).await;
    assert_eq!(
        (failed.state.as_str(), failed.failure.as_deref()),
        ("failed", Some("the video is not there any more"))
    );
}
