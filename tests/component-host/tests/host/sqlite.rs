//! `spin:sqlite`: values, errors, transactions of several connections, results that nobody reads.

use akademi_component_host::{Fault, Faults, Limits};
use std::time::Duration;

use crate::application::App;

/// A statement with this many rows, numbered from 1.
fn numbers(count: u32) -> String {
    format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) SELECT i FROM n"
    )
}

#[tokio::test]
async fn values_of_each_type_come_back_as_they_were() {
    let app = App::start().await;
    let answers = app
        .sql(&[
            "open a default",
            "run a CREATE TABLE t (a INTEGER, b REAL, c TEXT, d BLOB, e) STRICT",
            "run a CREATE TABLE t (a, b, c, d, e)",
            "values a INSERT INTO t VALUES (?, ?, ?, ?, ?)",
            "last a",
            "run a SELECT * FROM t",
            "run a SELECT a FROM t WHERE a = 0",
            "sync default SELECT count(*) AS many FROM t",
        ])
        .await;
    let values = "Value::Integer(-9223372036854775808),Value::Real(0.5),Value::Text(\"İı ş\"),\
                  Value::Blob([0, 1, 255]),Value::Null";
    assert!(answers[1].starts_with("error "), "STRICT wants a type for each column: {}", answers[1]);
    assert_eq!(answers[2..5], [": ", ": ", "1 1"]);
    assert_eq!(answers[5], format!("a,b,c,d,e: {values}"));
    assert_eq!(answers[6..], ["a: ", "many: Value::Integer(1)"]);
    app.running.shutdown().await;
}

#[tokio::test]
async fn errors_come_at_the_end_of_a_statement_and_at_commit() {
    let app = App::start().await;
    let answers = app
        .sql(&[
            "open a default",
            "run a SELEC 1",
            "run a CREATE TABLE parent (id INTEGER PRIMARY KEY)",
            "run a CREATE TABLE child (id REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)",
            "run a INSERT INTO parent VALUES (1)",
            "run a INSERT INTO parent VALUES (1)",
            "run a BEGIN IMMEDIATE",
            "run a INSERT INTO child VALUES (2)",
            "run a COMMIT",
            "run a ROLLBACK",
            "run a SELECT count(*) FROM child",
            // After the first row, in the midst of reading.
            "run a SELECT 1 UNION ALL SELECT abs(-9223372036854775808)",
            "sync default SELEC 1",
            "sync default INSERT INTO parent VALUES (1)",
        ])
        .await;
    assert_eq!(answers[1], "error near \"SELEC\": syntax error in SELEC 1 at offset 0");
    assert_eq!(answers[5], "error UNIQUE constraint failed: parent.id");
    assert_eq!(answers[7], ": ");
    assert_eq!(answers[8], "error FOREIGN KEY constraint failed");
    assert_eq!(answers[10], "count(*): Value::Integer(0)");
    assert_eq!(answers[11], "error integer overflow");
    assert!(answers[12].starts_with("error near"));
    assert_eq!(answers[13], "error UNIQUE constraint failed: parent.id");
    app.running.shutdown().await;
}

#[tokio::test]
async fn connections_are_in_wal_mode_with_foreign_keys_and_a_busy_timeout() {
    let app = App::start().await;
    let answers = app
        .sql(&[
            "open a default",
            "run a PRAGMA journal_mode",
            "run a PRAGMA foreign_keys",
            "run a PRAGMA busy_timeout",
            "run a PRAGMA synchronous",
        ])
        .await;
    assert_eq!(
        answers[1..],
        [
            "journal_mode: Value::Text(\"wal\")",
            "foreign_keys: Value::Integer(1)",
            "timeout: Value::Integer(5000)",
            "synchronous: Value::Integer(2)",
        ]
    );
    app.running.shutdown().await;
}

#[tokio::test]
async fn ten_thousand_rows_arrive() {
    let app = App::start().await;
    let sql = numbers(10_000);
    let answers = app.sql(&["open a default", &format!("run a {sql}"), &format!("sync default {sql}")]).await;
    assert_eq!(answers, ["opened", "10000 rows", "10000 rows"]);
    app.running.shutdown().await;
}

#[tokio::test]
async fn begin_immediate_keeps_a_second_connection_out() {
    let app = App::start().await;
    let answers = app
        .sql(&[
            "open a default",
            "open b default",
            "run b PRAGMA busy_timeout = 0",
            "run a CREATE TABLE t (i)",
            "run a BEGIN IMMEDIATE",
            "run a INSERT INTO t VALUES (1)",
            "run b SELECT count(*) FROM t",
            "run b BEGIN IMMEDIATE",
            "run a COMMIT",
            "run b BEGIN IMMEDIATE",
            "run b SELECT count(*) FROM t",
            "run b ROLLBACK",
        ])
        .await;
    assert_eq!(answers[6], "count(*): Value::Integer(0)", "uncommitted rows are not seen");
    assert_eq!(answers[7], "error database is locked");
    assert_eq!(answers[9..], [": ", "count(*): Value::Integer(1)", ": "]);
    app.running.shutdown().await;
}

#[tokio::test]
async fn writers_in_one_instance_wait_for_each_other_and_lose_nothing() {
    let app = App::start().await;
    app.sql(&["open a default", "run a CREATE TABLE t (i)", "run a INSERT INTO t VALUES (0)"]).await;
    let writer = [
        "open a default",
        "run a BEGIN IMMEDIATE",
        // The other requests come in between, and wait for the lock without stopping this one.
        "sleep 5",
        "run a UPDATE t SET i = i + 1",
        "run a COMMIT",
    ];
    let answers = futures::future::join_all((0..30).map(|_| app.sql(&writer))).await;
    for answer in answers {
        assert_eq!(answer, ["opened", ": ", "slept", ": ", ": "]);
    }
    assert_eq!(app.sql(&["open a default", "run a SELECT i FROM t"]).await[1], "i: Value::Integer(30)");
    app.running.shutdown().await;
}

#[tokio::test]
async fn a_closed_connection_or_an_ended_instance_leaves_no_transaction_behind() {
    let app = App::start().await;
    let answers = app
        .sql(&[
            "open a default",
            "run a CREATE TABLE t (i)",
            "run a BEGIN IMMEDIATE",
            "run a INSERT INTO t VALUES (1)",
            "close a",
            "open b default",
            "run b BEGIN IMMEDIATE",
            "run b SELECT count(*) FROM t",
        ])
        .await;
    assert_eq!(answers[6..], [": ", "count(*): Value::Integer(0)"]);
    // The script ended with b's transaction open: its connection went with the request.
    let answers = app.sql(&["open a default", "run a BEGIN IMMEDIATE", "run a ROLLBACK"]).await;
    assert_eq!(answers, ["opened", ": ", ": "]);

    let held = ["open a default", "run a BEGIN IMMEDIATE", "run a INSERT INTO t VALUES (2)", "sleep 3600000"];
    let trap = async {
        app.logged("sleeps", 1).await;
        assert_eq!(app.get("/do/trap/x").await.0, 500);
        app.sql(&["open b default", "run b BEGIN IMMEDIATE", "run b SELECT count(*) FROM t"]).await
    };
    let ((status, _), answers) = futures::join!(app.post("/do/sql", held.join("\n")), trap);
    assert_eq!(status, 500);
    assert_eq!(answers, ["opened", ": ", "count(*): Value::Integer(0)"]);
    app.running.shutdown().await;
}

#[tokio::test]
async fn a_result_abandoned_half_way_ends_its_statement() {
    let app = App::start().await;
    let answers = app
        .sql(&[
            "open a default",
            &format!("head a 3 {}", numbers(10_000)),
            "run a SELECT 7 AS seven",
            &format!("head a 10000 {}", numbers(10_000)),
        ])
        .await;
    assert_eq!(answers[1], "error the rows are no longer read");
    assert_eq!(answers[2], "seven: Value::Integer(7)");
    app.running.shutdown().await;
}

#[tokio::test]
async fn four_unread_rows_let_a_statement_end_and_a_fifth_holds_it() {
    let app = App::start().await;
    let four = format!("unread a {}", numbers(4));
    assert_eq!(app.sql(&["open a default", &four, "run a SELECT 1 AS one"]).await[1], "ended");
    let five = format!("unread a {}", numbers(5));
    let held = tokio::time::timeout(Duration::from_secs(1), app.sql(&["open a default", &five])).await;
    assert!(held.is_err(), "{held:?}");
    // Others go on meanwhile, in the same instance too.
    assert_eq!(app.sql(&["open a default", "run a SELECT 1 AS one"]).await[1], "one: Value::Integer(1)");
    tokio::time::timeout(Duration::from_secs(20), app.running.shutdown()).await.unwrap();
}

#[tokio::test]
async fn an_undeclared_database_is_denied() {
    let app = App::start().await;
    assert_eq!(app.sql(&["open a second", "sync second SELECT 1"]).await, ["error Error::AccessDenied"; 2]);
    let (status, answer) = app.post("/other/sql", "open a default\nsync default SELECT 1").await;
    assert_eq!((status, answer.as_str()), (200, "error Error::AccessDenied\nerror Error::AccessDenied\n"));
    app.running.shutdown().await;
}

#[tokio::test]
async fn an_instance_may_hold_256_connections() {
    let app = App::with_limits(Limits { requests_per_instance: 3, ..Limits::default() }).await;
    assert_eq!(app.get("/do/open/256").await.1, "256");
    let (_, told) = app.get("/do/open/257").await;
    assert_eq!(told, "256 Error::Io(\"too many connections opened\")");
    // All of them were closed when the request ended.
    assert_eq!(app.get("/do/open/10").await.1, "10");
    app.running.shutdown().await;
}

#[tokio::test]
async fn the_database_is_the_given_file_and_outlives_the_host() {
    let app = App::start().await;
    app.sql(&["open a default", "run a CREATE TABLE t (i)", "run a INSERT INTO t VALUES (42)"]).await;
    let path = app.folder.path().join("default.db");
    app.running.shutdown().await;
    let connection = rusqlite::Connection::open(path).unwrap();
    assert_eq!(connection.query_row("SELECT i FROM t", [], |row| row.get::<_, i64>(0)).unwrap(), 42);
}

#[tokio::test]
async fn faults_come_and_go_while_the_application_runs() {
    let faults = Faults::default();
    let app = App::configured("", |options| options.faults = faults.clone()).await;
    if app.running.instances("fixture").is_none() {
        println!("skipped: a real Spin takes no faults");
        return;
    }
    app.sql(&["open a default", "run a CREATE TABLE t (i)"]).await;
    faults.set([Fault::Open("unable to open database file".into())]);
    let refused = "error unable to open database file";
    assert_eq!(app.sql(&["open a default", "sync default SELECT 1"]).await, [refused; 2]);
    faults.set([Fault::Statement("disk I/O error".into())]);
    assert_eq!(app.sql(&["open a default", "run a SELECT 1"]).await, ["opened", "error disk I/O error"]);
    faults.set([Fault::Trap("INTO t".into())]);
    let script = ["open a default", "run a BEGIN IMMEDIATE", "run a INSERT INTO t VALUES (1)"].join("\n");
    assert_eq!(app.post("/do/sql", script).await, (500, String::new()));
    faults.clear();
    let left = app.sql(&["open a default", "run a SELECT count(*) FROM t"]).await;
    assert_eq!(left[1], "count(*): Value::Integer(0)");
    assert_eq!(app.running.instances("fixture").unwrap().failed, 1);
    app.running.shutdown().await;
}
