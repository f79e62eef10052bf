//! `images`: its routes.

use akademi_api::config::ConfigError;
use akademi_images::{Images, router};

use crate::{
    aws,
    environment::{Environment, STORAGE_BUCKET},
    host::Function,
};

/// # Errors
/// [`ConfigError`] naming the variable that is missing or wrong.
pub fn function(environment: &Environment) -> Result<Function, ConfigError> {
    let Environment { ports, http, config } = environment;
    let objects = config.read(STORAGE_BUCKET, |name| aws::bucket(name, http.clone()))?;
    let images = Images::new(ports.clone(), environment.planes()?, environment.postgres()?, objects, config)?;
    Ok(Function { name: "images", router: router(images), job: None, queues: Vec::new(), feed: None })
}
