//! Whether an academy has its videos encrypted.

use http::Method;
use serde_json::{Value, json};

use crate::academy::{World, administrator, instructor};

const SETTINGS: &str = "/api/v1/academy/video-settings";

#[tokio::test]
async fn an_academy_says_whether_its_videos_are_encrypted_and_the_log_tells() {
    let world = World::new().await;
    let shown = world.get(administrator(1), SETTINGS).await.expect(200);
    assert_eq!(shown, json!({ "settings": { "encrypted": false }, "updated_at": null }));
    for encrypted in [true, true, false] {
        let settings = json!({ "encrypted": encrypted });
        let saved = world.call(administrator(1), Method::PUT, SETTINGS, Some(&settings)).await.expect(200);
        assert_eq!(saved["settings"], settings);
        assert_eq!(world.get(administrator(1), SETTINGS).await.expect(200), saved);
    }
    let mut superuser = world.database.superuser().await.unwrap();
    let changes: Vec<Value> = sqlx::query_scalar(
        "SELECT change FROM audit_entry WHERE action = 'video_settings.saved' ORDER BY number",
    )
    .fetch_all(&mut superuser)
    .await
    .unwrap();
    let change =
        |before, after| json!({ "before": { "encrypted": before }, "after": { "encrypted": after } });
    assert_eq!(changes, [change(false, true), change(true, false)], "what changed nothing leaves no entry");
    let other = world.get(administrator(2), SETTINGS).await.expect(200);
    assert_eq!(other["updated_at"], Value::Null, "another academy's");
}

#[tokio::test]
async fn settings_are_refused_from_whoever_does_not_run_the_academy_and_in_another_shape() {
    let world = World::new().await;
    let put = async |person, settings: Value| {
        world.call(person, Method::PUT, SETTINGS, Some(&settings)).await.status.as_u16()
    };
    assert_eq!(put(instructor(1), json!({ "encrypted": true })).await, 403);
    assert_eq!(world.get(instructor(1), SETTINGS).await.status, 403);
    for wrong in [json!({}), json!({ "encrypted": "yes" }), json!({ "encrypted": true, "x": 1 })] {
        assert_eq!(put(administrator(1), wrong.clone()).await, 422, "{wrong}");
    }
    let mut superuser = world.database.superuser().await.unwrap();
    let rows: i64 =
        sqlx::query_scalar("SELECT count(*) FROM video_settings").fetch_one(&mut superuser).await.unwrap();
    assert_eq!(rows, 0);
}
