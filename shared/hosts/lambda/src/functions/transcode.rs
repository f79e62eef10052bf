//! `transcode`: videos that wait, one after the other.

use akademi_api::config::ConfigError;
use akademi_transcode::{Limits, job::Transcode};
use axum::Router;

use super::jobs::run_all;
use crate::{
    aws,
    environment::{Environment, STORAGE_BUCKET, TRANSCODE_QUEUE_URL},
    host::Function,
};

/// # Errors
/// [`ConfigError`] naming the variable that is missing or wrong.
pub fn function(environment: &Environment) -> Result<Function, ConfigError> {
    let Environment { ports, http, config } = environment;
    let transcode = Transcode {
        ports: ports.clone(),
        postgres: environment.postgres()?,
        objects: config.read(STORAGE_BUCKET, |name| aws::bucket(name, http.clone()))?,
        // This very program: its `main` begins with the child's.
        program: None,
        limits: Limits::default(),
    };
    let videos = environment.queue("transcode", TRANSCODE_QUEUE_URL)?;
    let (ports, queue) = (ports.clone(), videos.clone());
    let job = move |_, span| {
        let (transcode, ports, queue) = (transcode.clone(), ports.clone(), queue.clone());
        let run = async move { run_all(&ports, span, &queue, || transcode.run_next()).await };
        Box::pin(run) as _
    };
    Ok(Function {
        name: "transcode",
        router: Router::new(),
        job: Some(Box::new(job)),
        queues: vec![videos],
        feed: None,
    })
}
