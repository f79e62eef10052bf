//! A private server: what it keeps, and what is left of it.

use akademi_lambda_store::{
    cluster::{Cluster, Durability},
    postgres::Postgres,
    provision::{LOGIN, provision},
    testing::TestDatabase,
};
use sqlx::{ConnectOptions, Connection};
use std::{os::unix::fs::PermissionsExt, time::Instant};

use crate::tenant;

#[tokio::test]
#[allow(clippy::disallowed_methods, reason = "the time of a start is what is shown")]
async fn a_second_start_is_fast_and_finds_what_was_kept() {
    let folder = tempfile::tempdir().unwrap();
    // The server's account has to pass through it.
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o711)).unwrap();
    let data = folder.path().join("it's here/postgres");
    let begin = Instant::now();
    let cluster = Cluster::start(&data, Durability::Durable).unwrap();
    assert!(provision(&cluster, "akademi").await.unwrap() >= 1);
    let first = begin.elapsed();

    let postgres = Postgres::new(cluster.options(LOGIN, "akademi"), 1);
    postgres.ready().await.unwrap();
    let mut tx = postgres.tenant(tenant(1)).await.unwrap();
    sqlx::query("INSERT INTO person_key VALUES ($1, $1, 'k')")
        .bind(tx.tenant().as_uuid())
        .execute(tx.connection())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    // Nobody but the owner comes near the socket, and nothing listens on TCP.
    let mode = std::fs::metadata(cluster.socket_dir()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    let mut superuser = cluster.options("postgres", "postgres").connect().await.unwrap();
    for (setting, value) in [("listen_addresses", ""), ("fsync", "on"), ("synchronous_commit", "on")] {
        let is: String = sqlx::query_scalar("SELECT current_setting($1)")
            .bind(setting)
            .fetch_one(&mut superuser)
            .await
            .unwrap();
        assert_eq!(is, value, "{setting}");
    }
    superuser.close().await.unwrap();

    // A starter that was killed: the next one takes the running server over.
    let again = Cluster::start(&data, Durability::Durable).unwrap();
    postgres.ready().await.unwrap();
    postgres.close().await;
    let begin = Instant::now();
    again.clone().stop().unwrap();
    let stop = begin.elapsed();
    assert!(!again.is_running() && !cluster.is_running());
    assert!(!cluster.socket_dir().join(".s.PGSQL.5432").exists());

    let begin = Instant::now();
    let cluster = Cluster::start(&data, Durability::Durable).unwrap();
    assert_eq!(provision(&cluster, "akademi").await.unwrap(), 0);
    let second = begin.elapsed();
    println!("first start {first:?}, stop {stop:?}, second start {second:?}");
    let postgres = Postgres::new(cluster.options(LOGIN, "akademi"), 1);
    let mut tx = postgres.tenant(tenant(1)).await.unwrap();
    let kept: i64 =
        sqlx::query_scalar("SELECT count(*) FROM person_key").fetch_one(tx.connection()).await.unwrap();
    assert_eq!(kept, 1);
    drop(tx);
    postgres.close().await;
    cluster.stop().unwrap();
}

#[tokio::test]
#[allow(clippy::disallowed_methods, reason = "the time per database is what is shown")]
async fn each_test_has_a_database_of_its_own_within_moments() {
    let first = TestDatabase::new().await.unwrap();
    let begin = Instant::now();
    let second = TestDatabase::new().await.unwrap();
    println!("one more database in {:?}", begin.elapsed());
    for database in [&first, &second] {
        let mut tx = database.postgres().tenant(tenant(1)).await.unwrap();
        let people: i64 =
            sqlx::query_scalar("SELECT count(*) FROM person_key").fetch_one(tx.connection()).await.unwrap();
        assert_eq!(people, 0);
        sqlx::query("INSERT INTO person_key VALUES ($1, $1, 'k')")
            .bind(tx.tenant().as_uuid())
            .execute(tx.connection())
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }
    let options = second.options();
    drop(second);
    assert!(options.connect().await.is_err(), "dropped with the value");
}
