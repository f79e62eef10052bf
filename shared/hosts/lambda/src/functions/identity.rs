//! `identity`: the academies' identity providers, and what they say of people.

use akademi_api::config::ConfigError;
use akademi_identity_providers::Identity;

use crate::{
    environment::{Environment, SYNC_QUEUE_URL},
    host::Function,
};

/// # Errors
/// [`ConfigError`] naming the variable that is missing or wrong.
pub fn function(environment: &Environment) -> Result<Function, ConfigError> {
    let Environment { ports, config, .. } = environment;
    let sync = environment.queue("sync", SYNC_QUEUE_URL)?;
    let identity =
        Identity::new(ports.clone(), environment.planes()?, environment.postgres()?, sync.clone(), config)?;
    let router = akademi_identity_providers::router(identity);
    Ok(Function { name: "identity", router, job: None, queues: vec![sync.clone()], feed: Some(sync) })
}
