//! The function's SQL: one function a statement.

mod links;
mod people;
mod sessions;

pub use links::*;
pub use people::*;
pub use sessions::*;
