//! `audit`: what staff asks of the log. Its entries are written by the other functions.

use akademi_api::config::ConfigError;
use akademi_audit::Audit;

use crate::{environment::Environment, host::Function};

/// # Errors
/// [`ConfigError`] naming the variable that is missing or wrong.
pub fn function(environment: &Environment) -> Result<Function, ConfigError> {
    let audit = Audit::new(
        environment.ports.clone(),
        environment.planes()?,
        environment.postgres()?,
        &environment.config,
    )?;
    let router = akademi_audit::router(audit);
    Ok(Function { name: "audit", router, job: None, queues: Vec::new(), feed: None })
}
