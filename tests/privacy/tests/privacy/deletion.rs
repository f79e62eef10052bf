//! An academy whose time of grace is over goes for good, and no table is forgotten.

use akademi_lambda_store::platform::KEPT;

use crate::{
    dump::{books_tables, edge_tables},
    world::World,
};

#[tokio::test(flavor = "multi_thread")]
async fn an_academy_is_gone_when_its_time_of_grace_is_over_and_not_before() {
    let world = World::new().await;
    world.live().await;
    let now = world.local.edge.ports.now();
    let grace = |moment: i64| format!("UPDATE tenant SET state = 'suspended', delete_at = {moment}");
    world.edge_execute(grace(now.plus_seconds(3600).as_millis())).await;
    world.night().await;
    assert!(world.edge_count("person", "true").await > 3, "an hour is left");
    // Nobody who thought better of it loses anything.
    world.edge_execute("UPDATE tenant SET state = 'active'").await;
    world.edge_execute(grace(now.as_millis()).replace("suspended", "active")).await;
    world.night().await;
    assert!(world.edge_count("person", "true").await > 3);

    world.edge_execute(grace(now.as_millis())).await;
    world.night().await;
    let holds = |tables: Vec<(String, String)>| -> Vec<String> {
        let id = world.tenant.to_string();
        tables.into_iter().filter(|(_, rows)| rows.contains(&id)).map(|(table, _)| table).collect()
    };
    // The event that tells of it waits until the next pull acknowledges it.
    let left = holds(edge_tables(&world).await);
    assert!(left.iter().all(|table| table == "feed_event"), "{left:?}");
    world.sync().await;
    assert!(world.night().await > 50, "the books follow");
    assert_eq!(world.night().await, 0);
    let left = holds(books_tables(&world).await);
    let is_kept = |table: &String| KEPT.iter().any(|(kept, _)| kept == table) || table == "tenant";
    assert!(left.iter().all(is_kept), "{left:?}");
    assert!(left.contains(&"audit_entry".to_owned()) && left.contains(&"customer_order".to_owned()));
    assert_eq!(world.books_count("tenant", "state = 'deleted' AND name = '' AND domains = '{}'").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_platform_may_empty_every_table_of_academies_that_is_not_kept() {
    let world = World::new().await;
    let mut platform = world.database.postgres().platform().await.unwrap();
    let tables = platform.tables_of_academies().await.unwrap();
    platform.rollback().await.unwrap();
    println!("{} tables are emptied, {} are kept", tables.len(), KEPT.len());
    for table in &tables {
        let grant = format!("has_table_privilege('akademi_platform', '{table}', 'DELETE')");
        assert_eq!(world.books_count("tenant", &grant).await, 1, "{table} grants no DELETE to the platform");
    }
    for (table, _) in KEPT {
        assert!(
            world.books_count("information_schema.tables", &format!("table_name = '{table}'")).await == 1
        );
    }
}
