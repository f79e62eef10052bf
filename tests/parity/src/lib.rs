//! One recorded list of requests, sent to each host through its own engine; what comes back is put into a form
//! that can be compared.
//!
//! Each request belongs to a row of [`akademi_functions::ROUTES`] and asks it in one [`kind`]. Of a request that is recorded as
//! good all kinds are made that follow from it; those that make no sense for a row are exempt in one place, with a reason.

pub mod ask;
pub mod comparison;
pub mod coverage;
pub mod differences;
mod exchange;
pub mod kind;
mod recorder;
mod requests;
mod seed;

pub use exchange::Exchange;
pub use requests::{Doors, run};
pub use seed::{Deployment, FILES, lambda::seed_lambda, seed_statements};
