//! The function's SQL: one function a statement.

mod answers;
mod batches;
mod redemptions;
mod uses;

pub use answers::*;
pub use batches::*;
pub use redemptions::*;
pub use uses::*;

use akademi_edge_store::{Row, StoreError};

fn whole(row: &Row, column: usize) -> Result<u32, StoreError> {
    u32::try_from(row.integer(column)?).map_err(|error| StoreError::Engine(error.to_string()))
}
