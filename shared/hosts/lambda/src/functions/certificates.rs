//! `certificates`: what people ask of them. They are issued by `sync`.

use akademi_api::config::ConfigError;
use akademi_certificates::Certificates;

use crate::{
    environment::{Environment, SYNC_QUEUE_URL},
    host::Function,
};

/// # Errors
/// [`ConfigError`] naming the variable that is missing or wrong.
pub fn function(environment: &Environment) -> Result<Function, ConfigError> {
    let sync = environment.queue("sync", SYNC_QUEUE_URL)?;
    let objects = environment.bucket()?.objects();
    let certificates = Certificates::new(
        environment.ports.clone(),
        environment.planes()?,
        environment.postgres()?,
        objects,
        sync.clone(),
        &environment.config,
    )?;
    let router = akademi_certificates::router(certificates);
    Ok(Function { name: "certificates", router, job: None, queues: vec![sync.clone()], feed: Some(sync) })
}
