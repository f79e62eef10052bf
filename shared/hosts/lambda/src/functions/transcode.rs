//! `transcode`: videos that wait, one after the other.

use akademi_api::config::ConfigError;
use akademi_lambda_store::error::StoreError;
use akademi_transcode::{
    Limits,
    job::{Ran, Transcode},
    parts::PART_MS,
};
use axum::Router;

use super::jobs::run_all;
use crate::{
    environment::{Environment, TRANSCODE_QUEUE_URL},
    host::Function,
    queue::Queue,
};

/// # Errors
/// [`ConfigError`] naming the variable that is missing or wrong.
pub fn function(environment: &Environment) -> Result<Function, ConfigError> {
    let Environment { ports, .. } = environment;
    let transcode = Transcode {
        ports: ports.clone(),
        postgres: environment.postgres()?,
        objects: environment.bucket()?.objects(),
        // This very program: its `main` begins with the child's.
        program: None,
        limits: Limits::default(),
        part_ms: PART_MS,
    };
    let videos = environment.queue("transcode", TRANSCODE_QUEUE_URL)?;
    let (ports, queue) = (ports.clone(), videos.clone());
    let job = move |_, span| {
        let (transcode, ports, queue) = (transcode.clone(), ports.clone(), queue.clone());
        let run = async move { run_all(&ports, span, &queue, || run_next(&transcode, &queue)).await };
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

/// Does a job; whether there was one. The parts of a video are for as many invocations, which are called at once.
async fn run_next(transcode: &Transcode, queue: &Queue) -> Result<bool, StoreError> {
    match transcode.run_next().await? {
        Ran::Nothing => Ok(false),
        Ran::One => Ok(true),
        Ran::Cut { parts } => {
            for _ in 1..parts {
                // A wake may be lost: whoever comes does one part after the other.
                if queue.send(0).await.is_err() {
                    break;
                }
            }
            Ok(true)
        }
    }
}
