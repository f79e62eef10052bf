//! While another connection writes.

use akademi_edge_store::{Database, StoreError};

use crate::{
    expect::{Outcome, equal, error},
    schema::{insert_value, values},
};

pub async fn a_write_to_a_held_file_is_busy_and_a_read_is_not(database: &dyn Database) -> Outcome {
    equal("a read", values(database).await?, [0; 0])?;
    let batch = database.batch(vec![insert_value(1)]).await;
    equal("a write", error("a write", batch)?, StoreError::Busy)?;
    equal("a read", values(database).await?, [0; 0])
}
