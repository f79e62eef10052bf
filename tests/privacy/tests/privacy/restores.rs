//! Neither a feed that is replayed nor a database that is restored brings anybody back.

use akademi_edge_store::{Platform, PlatformSql, Value};
use akademi_feed::Envelope;

use crate::world::{EMAIL, NAME, World};

/// Somebody whom both planes know, and the edge's events that told of them.
async fn known(world: &World) -> (akademi_local::api_client::ApiClient, String, Vec<Envelope>) {
    // A wake may carry them to the other plane before they are read here, and what has come there goes.
    world.edge_execute("CREATE TABLE told AS SELECT * FROM feed_event WHERE false").await;
    let keep = "INSERT INTO told SELECT * FROM feed_event WHERE number = new.number";
    world.edge_execute(format!("CREATE TRIGGER telling AFTER INSERT ON feed_event BEGIN {keep}; END")).await;
    let (client, id) = world.join(NAME, EMAIL).await;
    let rows =
        world.edge_rows("SELECT number, tenant_id, kind, version, payload FROM told ORDER BY number").await;
    world.edge_execute("DROP TRIGGER telling").await;
    let events = rows.iter().map(|row| Envelope {
        number: row.integer(0).unwrap(),
        tenant: row.parse(1).unwrap(),
        kind: row.text(2).unwrap().to_owned(),
        version: row.integer(3).unwrap().try_into().unwrap(),
        payload: row.text(4).unwrap().to_owned(),
    });
    let events = events.filter(|event| event.payload.contains(&id)).collect();
    world.sync().await;
    (client, id, events)
}

/// Erases somebody, perhaps forgets that, and replays the feed from before; whether they are back.
async fn is_back_after_a_replay(with_tombstone: bool) -> (bool, bool) {
    let world = World::new().await;
    let (client, id, events) = known(&world).await;
    world.erase(&client, EMAIL).await;
    world.sync().await;
    if !with_tombstone {
        world.books_execute("DELETE FROM tombstone").await;
    }
    world.books_execute(format!("DELETE FROM mail WHERE person_id = '{id}'")).await;
    assert!(events.iter().any(|event| event.kind == "person_saved"));
    assert!(events.iter().any(|event| event.kind == "mail_wanted"));
    for event in &events {
        world.local.lambda.sync.replay(event).await.unwrap();
    }
    let profile = world.books_count("person", &format!("id = '{id}' AND sealed_profile IS NOT NULL")).await;
    let mail = world.books_count("mail", &format!("person_id = '{id}'")).await;
    if with_tombstone {
        let told = world
            .books_count("feed_event", &format!("kind = 'person_erased' AND payload->>'person' = '{id}'"))
            .await;
        assert_eq!(told, 1, "the edge that tells of somebody erased is told so");
    }
    (profile > 0, mail > 0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replayed_older_feed_brings_nobody_back() {
    assert_eq!(is_back_after_a_replay(true).await, (false, false));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_tombstone_a_replayed_feed_does() {
    assert_eq!(is_back_after_a_replay(false).await, (true, true));
}

/// Puts the person's rows of the edge back as a backup would; whether they are there after a night.
async fn is_back_after_a_restored_edge(with_tombstone: bool) -> bool {
    let world = World::new().await;
    let (client, id, _) = known(&world).await;
    let mut rows = Vec::new();
    for (table, column) in [("person", "id"), ("person_key", "person_id")] {
        let row = world.edge_rows(format!("SELECT * FROM {table} WHERE {column} = '{id}'")).await.remove(0);
        rows.push((table, row.0));
    }
    world.erase(&client, EMAIL).await;
    world.sync().await;
    world.edge_execute("DELETE FROM tombstone").await;
    for (table, values) in rows {
        let places: Vec<_> = (1..=values.len()).map(|n| format!("?{n}")).collect();
        let sql = format!("INSERT INTO {table} VALUES ({})", places.join(", "));
        let values: Vec<Value> = values;
        let restored = PlatformSql::new(sql.leak()).with(values);
        Platform::new(world.local.edge.database.as_ref()).batch(vec![restored]).await.unwrap();
    }
    if !with_tombstone {
        world.books_execute("DELETE FROM tombstone").await;
    }
    world.night().await;
    let keys = world.edge_count("person_key", &format!("person_id = '{id}'")).await;
    assert_eq!(world.edge_count("person", &format!("id = '{id}'")).await, keys);
    keys > 0
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_edge_forgets_them_again_within_a_night() {
    assert!(!is_back_after_a_restored_edge(true).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_other_planes_tombstone_a_restored_edge_keeps_them() {
    assert!(is_back_after_a_restored_edge(false).await);
}

/// The same for the books.
async fn is_back_after_restored_books(with_tombstone: bool) -> bool {
    let world = World::new().await;
    let (client, id, _) = known(&world).await;
    world
        .books_execute("CREATE TABLE kept_person AS TABLE person; CREATE TABLE kept_key AS TABLE person_key")
        .await;
    world.erase(&client, EMAIL).await;
    world.sync().await;
    world
        .books_execute(format!(
            "DELETE FROM tombstone; DELETE FROM person WHERE id = '{id}';
             INSERT INTO person SELECT * FROM kept_person WHERE id = '{id}';
             INSERT INTO person_key SELECT * FROM kept_key WHERE user_id = '{id}'"
        ))
        .await;
    if !with_tombstone {
        world.edge_execute("DELETE FROM tombstone").await;
    }
    world.night().await;
    world.sync().await;
    world.books_count("person_key", &format!("user_id = '{id}'")).await > 0
}

#[tokio::test(flavor = "multi_thread")]
async fn restored_books_forget_them_again_within_a_night() {
    assert!(!is_back_after_restored_books(true).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_edges_tombstone_restored_books_keep_them() {
    assert!(is_back_after_restored_books(false).await);
}
