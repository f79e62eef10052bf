//! `authoring`: its routes, and the imports that they queue.

use akademi_api::config::ConfigError;
use akademi_authoring::{Authoring, Storage};
use akademi_lambda_store::audit::Auditor;
use std::sync::Arc;

use super::jobs::{Workers, run_all};
use crate::{
    environment::{Environment, IMPORT_QUEUE_URL, SYNC_QUEUE_URL, TRANSCODE_QUEUE_URL},
    host::Function,
};

/// # Errors
/// [`ConfigError`] naming the variable that is missing or wrong.
pub fn function(environment: &Environment) -> Result<Function, ConfigError> {
    let Environment { ports, config, .. } = environment;
    let bucket = environment.bucket()?;
    let storage = Storage { objects: bucket.objects(), links: bucket.links() };
    let imports = environment.queue("authoring", IMPORT_QUEUE_URL)?;
    let videos = environment.queue("transcode", TRANSCODE_QUEUE_URL)?;
    let sync = environment.queue("sync", SYNC_QUEUE_URL)?;
    let workers = Arc::new(Workers(vec![imports.clone(), videos.clone()]));
    let auditor = Auditor::from_config(ports.clone(), config)?;
    let authoring = Authoring::new(
        ports.clone(),
        environment.planes()?,
        environment.postgres()?,
        storage,
        workers,
        auditor,
    )
    .waking(sync.clone())
    .scanning(config)?;
    let router = akademi_authoring::router(authoring.clone());
    let (ports, queue) = (ports.clone(), imports.clone());
    let job = move |_, span| {
        let (authoring, ports, queue) = (authoring.clone(), ports.clone(), queue.clone());
        let run = async move { run_all(&ports, span, &queue, || authoring.run_next_import()).await };
        Box::pin(run) as _
    };
    Ok(Function {
        name: "authoring",
        router,
        job: Some(Box::new(job)),
        queues: vec![imports, videos, sync.clone()],
        feed: Some(sync),
    })
}
