//! `images`: its routes.

use akademi_api::config::ConfigError;
use akademi_images::{Images, router};

use crate::{environment::Environment, host::Function};

/// # Errors
/// [`ConfigError`] naming the variable that is missing or wrong.
pub fn function(environment: &Environment) -> Result<Function, ConfigError> {
    let Environment { ports, config, .. } = environment;
    let objects = environment.bucket()?.objects();
    let images = Images::new(ports.clone(), environment.planes()?, environment.postgres()?, objects, config)?;
    Ok(Function { name: "images", router: router(images), job: None, queues: Vec::new(), feed: None })
}
