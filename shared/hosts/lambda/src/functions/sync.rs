//! `sync`: every minute, and when somebody waits.

use akademi_api::config::ConfigError;
use akademi_sync::{Sync, Trigger};

use crate::{
    environment::{Environment, MAIL_QUEUE_URL, SYNC_QUEUE_URL},
    host::{Cause, Function},
};

/// # Errors
/// [`ConfigError`] naming the variable that is missing or wrong.
pub fn function(environment: &Environment) -> Result<Function, ConfigError> {
    let Environment { ports, http, config } = environment;
    let mail = environment.queue("mail", MAIL_QUEUE_URL)?;
    let sync =
        Sync::new(ports.clone(), environment.planes()?, environment.postgres()?, http.clone(), config)?
            .waking_mail(mail.clone());
    // The edge's wake is a message like the others: two runs at once would wait for each other.
    let queue = environment.queue("sync", SYNC_QUEUE_URL)?;
    let router = akademi_sync::router(sync.clone(), queue.clone());
    let job = move |cause, _| {
        let sync = sync.clone();
        let trigger = match cause {
            Cause::Wake => Trigger::Wake,
            Cause::Schedule(_) => Trigger::Schedule,
        };
        let run = async move {
            let carried = sync.handle(trigger).await?;
            Ok(serde_json::json!({ "pulled": carried.pulled, "pushed": carried.pushed }))
        };
        Box::pin(run) as _
    };
    Ok(Function { name: "sync", router, job: Some(Box::new(job)), queues: vec![queue, mail], feed: None })
}
