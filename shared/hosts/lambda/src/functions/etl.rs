//! `etl`: every night, and what people ask of its reports.

use akademi_api::config::ConfigError;
use akademi_etl::{Etl, ScheduleEvent};
use akademi_lambda_store::audit::Auditor;

use crate::{
    environment::{Environment, SYNC_QUEUE_URL},
    host::{Cause, Function},
};

/// # Errors
/// [`ConfigError`] naming the variable that is missing or wrong.
pub fn function(environment: &Environment) -> Result<Function, ConfigError> {
    let Environment { ports, config, .. } = environment;
    let auditor = Auditor::from_config(ports.clone(), config)?;
    let sync = environment.queue("sync", SYNC_QUEUE_URL)?;
    let objects = environment.bucket()?.objects();
    let etl = Etl::new(ports.clone(), environment.planes()?, environment.postgres()?, auditor, objects)
        .waking(sync.clone());
    let router = akademi_etl::router(etl.clone());
    let job = move |cause, _| {
        let etl = etl.clone();
        let run = async move {
            let event = match cause {
                Cause::Schedule(detail) => serde_json::from_value(detail)?,
                Cause::Wake => ScheduleEvent::default(),
            };
            let night = etl.handle(event).await?;
            // What broke off is taken up again by the next night; Lambda's own retry comes within minutes.
            if let Some(failure) = night.failures.first() {
                return Err(format!(
                    "{} days of academies failed, the first: {}",
                    night.failures.len(),
                    failure.cause
                )
                .into());
            }
            Ok(serde_json::to_value(night)?)
        };
        Box::pin(run) as _
    };
    Ok(Function {
        name: "etl",
        router,
        job: Some(Box::new(job)),
        queues: vec![sync.clone()],
        feed: Some(sync),
    })
}
