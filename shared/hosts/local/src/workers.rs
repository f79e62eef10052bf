//! The workers of this process: a task per kind of job, one job at a time each.

use akademi_api::{Ports, ports::Wake};
use akademi_authoring::Authoring;
use akademi_lambda_store::error::StoreError;
use akademi_transcode::job::{Ran, Transcode};
use std::{sync::Arc, time::Duration};
use tokio::{sync::Notify, task::JoinHandle};

/// How often a worker looks for a job without being woken: one that another process queued, or a second attempt.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Has the workers look for a job at once.
#[derive(Default)]
pub struct Bell {
    imports: Notify,
    videos: Notify,
}

impl Wake for Bell {
    fn wake(&self) {
        self.imports.notify_one();
        self.videos.notify_one();
    }
}

/// Workers that run.
pub struct Workers {
    tasks: [JoinHandle<()>; 2],
}

impl Workers {
    pub fn start(ports: &Ports, bell: &Arc<Bell>, authoring: Authoring, transcode: Transcode) -> Self {
        let (ports, bell) = ((ports.clone(), ports.clone()), (bell.clone(), bell.clone()));
        let imports = tokio::spawn(async move {
            loop {
                let ended = authoring.run_next_import().await;
                rest("authoring", &ports.0, &bell.0.imports, ended).await;
            }
        });
        let videos = tokio::spawn(async move {
            loop {
                let ended = transcode.run_next().await.map(|ran| ran != Ran::Nothing);
                rest("transcode", &ports.1, &bell.1.videos, ended).await;
            }
        });
        Self { tasks: [imports, videos] }
    }

    /// Ends them at once: the next start takes their jobs up again when the leases have run out.
    pub async fn stop(self) {
        for task in self.tasks {
            task.abort();
            // It ends at its next await, or has ended already.
            let _ = task.await;
        }
    }
}

/// After a job comes the next one; without one, a worker waits.
async fn rest(function: &str, ports: &Ports, bell: &Notify, ended: Result<bool, StoreError>) {
    if let Err(error) = &ended {
        let line = serde_json::json!({
            "at": ports.now(), "function": function, "level": "error", "cause": error.to_string(),
        });
        ports.log.line(&line.to_string());
    }
    if !matches!(ended, Ok(true)) {
        // Woken or not, it looks again.
        let _ = tokio::time::timeout(LOOK_EVERY, bell.notified()).await;
    }
}
