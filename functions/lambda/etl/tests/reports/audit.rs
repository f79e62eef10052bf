//! What a run leaves in the audit log.

use akademi_lambda_store::audit::{Verdict, verify};
use http::Method;
use serde_json::json;
use sqlx::Row;

use crate::academies::{Academies, DAY, NIGHT, admin, instructor, tenant};

const RUNS: &str = "/api/v1/reports/runs";

#[tokio::test]
async fn a_run_leaves_one_entry_and_one_that_is_refused_none() {
    let academies = Academies::new().await;
    let tomorrow = json!({ "day": NIGHT.day_in_istanbul().plus(1) });
    assert_eq!(academies.call(admin(), Method::POST, RUNS, Some(tomorrow)).await.0, 422);
    let day = json!({ "day": DAY });
    assert_eq!(academies.call(instructor(100), Method::POST, RUNS, Some(day)).await.0, 403);
    assert_eq!(academies.number("SELECT count(*) FROM audit_entry").await, 0);

    let rows_changed = academies.run(1, DAY).await;
    let mut superuser = academies.superuser().await;
    let entry = sqlx::query("SELECT * FROM audit_entry").fetch_one(&mut superuser).await.unwrap();
    assert_eq!(entry.get::<&str, _>("action"), "report.run");
    assert_eq!(entry.get::<&str, _>("target"), format!("report:{DAY}"));
    assert_eq!(entry.get::<uuid::Uuid, _>("actor"), admin().user.as_uuid());
    let change: serde_json::Value = entry.get("change");
    assert_eq!(change, json!({ "before": null, "after": { "day": DAY, "rows_changed": rows_changed } }));
    let verdict = verify(academies.database.postgres(), tenant(1)).await.unwrap();
    assert_eq!(verdict, Verdict::Whole { entries: 1 });
}
