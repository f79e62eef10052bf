//! The log as a file.

use akademi_audit::MAX_ROWS;
use serde_json::json;

use crate::world::{ADDRESS, World, auditor, person, tenant};

#[tokio::test]
async fn the_export_is_csv_that_spreadsheets_open_and_do_not_compute() {
    let world = World::new().await;
    world.add(1, 0, 1, "course.changed", "course:1").await;
    world.add(1, 1, 1, "coupon.created", "=HYPERLINK(\"http://evil.example\")").await;
    world.add(2, 0, 1, "course.changed", "course:9").await;
    let answer = world.get(auditor(1), "/api/v1/audit.csv").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.headers["content-type"], "text/csv; charset=utf-8");
    assert_eq!(answer.headers["content-disposition"], "attachment; filename=\"audit.csv\"");
    assert_eq!(answer.headers["akademi-truncated"], "false");
    let text = answer.text.strip_prefix('\u{feff}').expect("a byte order mark");
    let lines: Vec<&str> = text.split_terminator("\r\n").collect();
    let id = |line: &str| line.rsplit(',').next().unwrap().to_owned();
    let change = r#""{""title"":""Işık""}","{""title"":""a,\""b\""""}""#;
    let row = |number: i64, at: &str, action: &str, target: &str| {
        let (actor, id) = (person(1), id(lines[3 - usize::try_from(number).unwrap()]));
        format!("{number},{at},{action},{actor},{target},{ADDRESS},Firefox,,{change},{id}")
    };
    assert_eq!(
        lines,
        [
            "number,at,action,actor,target,address,device,country,before,after,id".to_owned(),
            row(2, "2026-09-21T14:13:21Z", "coupon.created", "\"'=HYPERLINK(\"\"http://evil.example\"\")\""),
            row(1, "2026-09-21T14:13:20Z", "course.changed", "course:1"),
        ]
    );
}

#[tokio::test]
async fn each_export_is_an_entry_with_its_filter() {
    let world = World::new().await;
    world.add(1, -60, 1, "course.changed", "course:1").await;
    assert_eq!(world.get(auditor(1), "/api/v1/audit.csv?action=course.changed").await.status, 200);
    let page = world.get(auditor(1), "/api/v1/audit?action=audit.exported").await.expect(200);
    let [entry] = page["data"].as_array().unwrap().as_slice() else { panic!("{page}") };
    assert_eq!((&entry["number"], &entry["actor"]), (&json!(2), &json!(person(1))));
    assert_eq!(entry["target"], format!("academy:{}", tenant(1)));
    assert_eq!(entry["origin"]["address"], ADDRESS);
    let after = json!({ "filter": { "action": "course.changed" }, "rows": 1, "truncated": false });
    assert_eq!(entry["change"], json!({ "before": null, "after": after }));
    assert_eq!(world.numbers(auditor(2), "").await, [0; 0]);
}

#[tokio::test]
async fn an_export_ends_where_it_is_full_and_says_so() {
    let world = World::new().await;
    let fill = |from: usize, to: usize, target: usize| {
        format!(
            "INSERT INTO audit_entry (tenant_id, number, id, at, action, target, origin, previous_hash, hash)
             SELECT '{}', n, gen_random_uuid(), n, 'a', repeat('t', {target}), '', sha256('a'), sha256('a')
             FROM generate_series({from}, {to}) AS n;
             INSERT INTO audit_head VALUES ('{0}', {to}, sha256('a')) ON CONFLICT DO NOTHING",
            tenant(1),
        )
    };
    let exported = async || {
        let answer = world.get(auditor(1), "/api/v1/audit.csv?action=a").await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert!(answer.text.len() < 4_000_000);
        (answer.text.lines().count() - 1, answer.headers["akademi-truncated"].to_str().unwrap().to_owned())
    };
    world.execute(&fill(1, MAX_ROWS, 1)).await;
    assert_eq!(exported().await, (MAX_ROWS, "false".into()));
    world.execute(&fill(MAX_ROWS + 10, MAX_ROWS + 10, 1)).await;
    assert_eq!(exported().await, (MAX_ROWS, "true".into()));
    // Few and long: what passes between the planes is bounded too.
    world.execute(&fill(MAX_ROWS + 20, MAX_ROWS + 1019, 5000)).await;
    let (rows, truncated) = exported().await;
    assert!((700..800).contains(&rows) && truncated == "true", "{rows}");
}
