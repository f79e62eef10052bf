//! What the store is asked on the way of a redemption, whatever else it holds.

use http::Method;
use serde_json::{Value, json};

use crate::world::{BATCHES, REDEMPTIONS, World, batch_with, request};

#[tokio::test]
async fn no_statement_reads_rows_that_are_nobodys_business() {
    let world = World::new();
    let (staff, learner) = (world.staff(), world.learner());
    let (path, codes) = world.make(&staff, batch_with(json!({}))).await;
    let body = json!({ "code": codes[0] });
    let mut read = world.watched(request(&learner, Method::POST, REDEMPTIONS, None, &body)).await;
    assert!(read.iter().any(|statement| statement.sql.contains(" AS code_uses")), "{read:?}");
    for path in [BATCHES.to_owned(), format!("{path}/uses"), format!("{path}/codes.csv")] {
        read.extend(world.watched(request(&staff, Method::GET, &path, None, &Value::Null)).await);
    }
    for statement in read {
        let plan = world.plan(&statement);
        assert!(!plan.contains("SCAN") && !plan.contains("TEMP B-TREE"), "{}\n{plan}", statement.sql);
    }
}
