//! The function's SQL: one function a statement.

mod links;
mod recipients;

pub use links::*;
pub use recipients::*;
