//! The function's SQL: one function a statement.

mod people;
mod sessions;

pub use people::*;
pub use sessions::*;
