//! The function's SQL: one function a statement, by what it is about.

mod dashboards;
mod derivation;
mod ledger;
mod retention;
#[cfg(test)]
mod tests;

pub use dashboards::*;
pub use derivation::*;
pub use ledger::*;
pub use retention::*;
