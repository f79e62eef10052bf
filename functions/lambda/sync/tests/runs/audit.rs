//! What the edge wants the audit log to keep.

use akademi_domain::ids::AuditId;
use akademi_feed::EdgeEvent;
use akademi_lambda_store::audit::{Verdict, verify};
use serde_json::json;

use crate::{NOW, World, key, person, tenant};

fn audited(n: u8, origin: String) -> EdgeEvent {
    EdgeEvent::Audited {
        id: AuditId::new(NOW, [n; 10]),
        action: "role.granted".into(),
        actor: Some(person(1)),
        target: format!("person:{}", person(2)),
        origin,
        sealed_for: Some(person(1)),
        change: Some(
            json!({ "before": { "roles": [] }, "after": { "roles": ["instructor"], "share": 0.5 } }),
        ),
        at: NOW,
    }
}

fn origin() -> String {
    hex::encode(key(person(1)).seal(person(1), "audit", br#"{"address":"203.0.113.7"}"#, [6; 24]))
}

#[tokio::test]
async fn an_entry_of_the_edge_is_chained_once_in_its_academy_and_its_persons_key_fetched() {
    let world = World::new().await;
    world.edge.tell(tenant(1), &audited(1, origin()));
    world.save_person(1, 2, &key(person(2)));
    world.edge.tell(tenant(1), &audited(2, String::new()));
    world.edge.tell(tenant(2), &audited(1, origin()));
    world.run().await.unwrap();
    world.forget_cursor().await;
    world.run().await.unwrap();
    for (of, entries) in [(1, 2), (2, 1), (3, 0)] {
        let verdict = verify(world.database.postgres(), tenant(of)).await.unwrap();
        assert_eq!(verdict, Verdict::Whole { entries }, "academy {of}");
    }
    assert_eq!(world.count("audit_entry WHERE octet_length(origin) > 0").await, 2);
    let keys = format!("person_key WHERE user_id = '{}'", person(1));
    assert_eq!(world.count(&keys).await, 2, "one in each academy");
    assert_eq!(world.count("feed_quarantine").await, 0);
}

#[tokio::test]
async fn an_entry_that_cannot_be_kept_stops_no_other() {
    let world = World::new().await;
    world.edge.tell(tenant(1), &audited(1, "no hex".into()));
    world.edge.tell(tenant(1), &audited(2, origin()));
    world.run().await.unwrap();
    assert_eq!(world.count("feed_quarantine").await, 1);
    let verdict = verify(world.database.postgres(), tenant(1)).await.unwrap();
    assert_eq!(verdict, Verdict::Whole { entries: 1 });
}
