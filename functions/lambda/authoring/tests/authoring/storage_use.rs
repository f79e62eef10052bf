//! What an academy stores is counted exactly, and nothing is taken beyond its limit.

use akademi_domain::ids::{AssetId, CourseId};
use akademi_lambda_store::{error::StoreError, postgres::TenantTransaction};
use serde_json::{Value, json};
use sqlx::PgConnection;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::{
    academy::{World, administrator, instructor},
    import_world::{job, small_course, started, stored},
};

const STORAGE: &str = "/api/v1/academy/storage";

/// The academy as the feed brings it, that may store so many bytes.
pub async fn limit_storage(world: &World, academy: u8, bytes: Option<i64>) {
    let mut superuser = world.database.superuser().await.unwrap();
    sqlx::query(
        "INSERT INTO tenant (id, slug, name, locale, state, brand, domains, updated_at, storage_limit)
         VALUES ($1, $2, 'Işık', 'tr', 'active', '{}', '{}', 0, $3)
         ON CONFLICT (id) DO UPDATE SET storage_limit = excluded.storage_limit",
    )
    .bind(instructor(academy).tenant.as_uuid())
    .bind(format!("academy-{academy}"))
    .bind(bytes)
    .execute(&mut superuser)
    .await
    .unwrap();
}

pub async fn use_of(world: &World, academy: u8) -> Value {
    world.get(administrator(academy), STORAGE).await.expect(200)
}

async fn course(world: &World, academy: u8) -> CourseId {
    world.create(instructor(academy), "Işık").await.1["id"].as_str().unwrap().parse().unwrap()
}

/// Files of a course in one statement, of so many bytes each.
async fn add_files(
    tx: &mut TenantTransaction,
    world: &World,
    course: CourseId,
    sizes: &[i64],
) -> Result<(), StoreError> {
    let new = || AssetId::new(world.ports.now(), world.ports.random()).as_uuid();
    sqlx::query(
        "INSERT INTO asset (tenant_id, id, course_id, path, content_type, bytes, sha256, object_key, state,
                            created_at, updated_at)
         SELECT $1, id, $2, id::text, 'video/mp4', bytes, sha256('x'), 'x', 'ready', 0, 0
         FROM UNNEST($3::uuid[], $4::bigint[]) AS sent (id, bytes)",
    )
    .bind(tx.tenant().as_uuid())
    .bind(course.as_uuid())
    .bind(sizes.iter().map(|_| new()).collect::<Vec<_>>())
    .bind(sizes)
    .execute(tx.connection())
    .await?;
    Ok(())
}

#[tokio::test]
async fn files_are_counted_as_they_come_change_and_go() {
    let world = World::new().await;
    limit_storage(&world, 1, None).await;
    let nothing = json!({ "used": 0, "limit": null, "state": "ok", "by_kind": { "files": 0, "playback": 0, "uploads": 0, "pictures": 0 } });
    assert_eq!(use_of(&world, 1).await, nothing);
    let mut superuser = world.database.superuser().await.unwrap();
    for academy in [1, 2] {
        let course = course(&world, academy).await;
        let mut tx = world.database.postgres().tenant(instructor(academy).tenant).await.unwrap();
        add_files(&mut tx, &world, course, &[1, 20, 300]).await.unwrap();
        add_files(&mut tx, &world, course, &[]).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = world.database.postgres().tenant(instructor(academy).tenant).await.unwrap();
        add_files(&mut tx, &world, course, &[7_000_000]).await.unwrap();
        tx.rollback().await.unwrap();
    }
    let used = async || {
        let shown = use_of(&world, 1).await;
        [&shown["used"], &shown["by_kind"]["files"], &shown["by_kind"]["playback"]]
            .map(|bytes| bytes.as_i64().unwrap())
    };
    assert_eq!(used().await, [321, 321, 0]);
    let mut change = async |sql: &'static str| {
        sqlx::query(sql).bind(instructor(1).tenant.as_uuid()).execute(&mut superuser).await.unwrap();
    };
    change(
        "UPDATE asset SET playback_key = 'x', duration_ms = 1,
                manifest = jsonb_build_object('files', jsonb_build_array(
                    jsonb_build_object('path', 'a', 'bytes', bytes), jsonb_build_object('path', 'b', 'bytes', 4000)))
         WHERE tenant_id = $1 AND bytes > 1",
    )
    .await;
    assert_eq!(used().await, [8641, 321, 8320]);
    change("UPDATE asset SET updated_at = 1 WHERE tenant_id = $1").await;
    assert_eq!(used().await, [8641, 321, 8320]);
    change("DELETE FROM asset WHERE tenant_id = $1 AND bytes = 20").await;
    assert_eq!(used().await, [4601, 301, 4300]);
    change("DELETE FROM asset WHERE tenant_id = $1").await;
    assert_eq!(use_of(&world, 1).await, nothing);
    assert_eq!(use_of(&world, 2).await["used"], 321, "another academy's");
}

#[tokio::test]
async fn an_academy_is_warned_from_80_percent_on_and_takes_its_last_byte() {
    let world = World::new().await;
    limit_storage(&world, 1, Some(1000)).await;
    let course = course(&world, 1).await;
    for (bytes, used, state) in [(799, 799, "ok"), (1, 800, "warning"), (200, 1000, "full")] {
        let mut tx = world.database.postgres().tenant(instructor(1).tenant).await.unwrap();
        add_files(&mut tx, &world, course, &[bytes]).await.unwrap();
        tx.commit().await.unwrap();
        let shown = use_of(&world, 1).await;
        assert_eq!(
            (&shown["used"], &shown["limit"], &shown["state"]),
            (&json!(used), &json!(1000), &json!(state))
        );
    }
    let mut tx = world.database.postgres().tenant(instructor(1).tenant).await.unwrap();
    let refused = add_files(&mut tx, &world, course, &[1]).await.unwrap_err();
    assert!(refused.is_storage_full() && !refused.retryable(), "{refused:?}");
    drop(tx);
    assert_eq!(use_of(&world, 1).await["used"], 1000);
    assert_eq!(world.get(instructor(1), STORAGE).await.status, 403);
}

/// The other one of two who store at once: what it was answered, once the first has committed.
async fn stored_at_once(world: &World) -> Result<(), StoreError> {
    limit_storage(world, 1, Some(1000)).await;
    let course = course(world, 1).await;
    let postgres = world.database.postgres();
    let mut first = postgres.tenant(instructor(1).tenant).await.unwrap();
    add_files(&mut first, world, course, &[600]).await.unwrap();
    let mut second = postgres.tenant(instructor(1).tenant).await.unwrap();
    let process: i32 =
        sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(second.connection()).await.unwrap();
    let has_ended = AtomicBool::new(false);
    let storing = async {
        let outcome = add_files(&mut second, world, course, &[600]).await;
        has_ended.store(true, Ordering::SeqCst);
        outcome?;
        second.commit().await
    };
    let committing = async {
        let mut superuser = world.database.superuser().await.unwrap();
        while !has_ended.load(Ordering::SeqCst) && !is_waiting(&mut superuser, process).await {
            tokio::task::yield_now().await;
        }
        first.commit().await.unwrap();
    };
    tokio::join!(storing, committing).0
}

async fn is_waiting(superuser: &mut PgConnection, process: i32) -> bool {
    sqlx::query_scalar("SELECT cardinality(pg_blocking_pids($1)) > 0")
        .bind(process)
        .fetch_one(superuser)
        .await
        .unwrap()
}

#[tokio::test]
async fn of_two_at_once_that_fit_alone_but_not_together_one_is_refused() {
    let world = World::new().await;
    assert!(stored_at_once(&world).await.unwrap_err().is_storage_full());
    assert_eq!(use_of(&world, 1).await["used"], 600);
}

/// The twin: a meter that adds the rows up and locks nothing takes both.
#[tokio::test]
async fn without_the_meters_row_both_are_taken() {
    let world = World::new().await;
    let mut superuser = world.database.superuser().await.unwrap();
    sqlx::raw_sql(
        "CREATE OR REPLACE FUNCTION count_stored(academy uuid, more_files bigint, more_playback bigint, more_uploads bigint,
                                                 is_limited boolean, more_pictures bigint DEFAULT 0)
         RETURNS void LANGUAGE plpgsql AS $$ BEGIN
             IF (SELECT sum(bytes) FROM asset) > (SELECT storage_limit FROM tenant WHERE id = academy) THEN
                 RAISE EXCEPTION 'full' USING ERRCODE = 'check_violation', CONSTRAINT = 'storage_full';
             END IF;
         END $$",
    )
    .execute(&mut superuser)
    .await
    .unwrap();
    stored_at_once(&world).await.unwrap();
    let bytes: i64 =
        sqlx::query_scalar("SELECT sum(bytes)::bigint FROM asset").fetch_one(&mut superuser).await.unwrap();
    assert_eq!(bytes, 1200);
}

#[tokio::test]
async fn an_import_into_a_full_academy_says_so_and_leaves_nothing() {
    let world = World::new().await;
    limit_storage(&world, 1, Some(3)).await;
    let id = started(&world, instructor(1), "k", &small_course()).await;
    assert!(world.authoring.run_next_import().await.unwrap());
    let failed = job(&world, instructor(1), &id).await;
    let told = (&failed["state"], &failed["message"]);
    assert_eq!(told, (&json!("failed"), &json!("the academy would store more than it may")));
    assert_eq!(stored(&world, instructor(1).tenant), Vec::<String>::new());
    assert_eq!(use_of(&world, 1).await["used"], 0);
    assert!(!world.authoring.run_next_import().await.unwrap(), "nobody tries again");
}
