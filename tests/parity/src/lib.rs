//! One recorded list of requests, sent to each host through its own engine; what comes back is put into a form
//! that can be compared.

mod exchange;
mod requests;
mod seed;

pub use exchange::Exchange;
pub use requests::run;
pub use seed::{Deployment, seed_statements};
