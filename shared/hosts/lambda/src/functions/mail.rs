//! `mail`: what waits to be sent, and what staff ask of it.

use akademi_api::config::ConfigError;
use akademi_mail::{Mail, SmtpMailer};
use std::sync::Arc;

use crate::{
    environment::{Environment, MAIL_QUEUE_URL},
    host::Function,
};

/// # Errors
/// [`ConfigError`] naming the variable that is missing or wrong.
pub fn function(environment: &Environment) -> Result<Function, ConfigError> {
    let Environment { ports, config, .. } = environment;
    let queue = environment.queue("mail", MAIL_QUEUE_URL)?;
    let mailer = Arc::new(SmtpMailer::from_config(config)?);
    let mail = Mail::new(ports.clone(), environment.postgres()?, mailer, queue.clone(), config)?;
    let router = akademi_mail::router(mail.clone());
    let (ports, wakes) = (ports.clone(), queue.clone());
    let job = move |_, span: crate::host::Span| {
        let (mail, ports, queue) = (mail.clone(), ports.clone(), wakes.clone());
        let run = async move {
            let delivered = mail.deliver_due(|| !span.is_short(ports.now())).await?;
            // The next attempts come when they are due, not when the schedule next looks.
            match delivered.due_in_seconds {
                _ if delivered.has_more => queue.send(0).await?,
                Some(seconds) => queue.send(seconds).await?,
                None => {}
            }
            Ok(serde_json::json!({
                "sent": delivered.sent, "put_off": delivered.put_off, "failed": delivered.failed,
            }))
        };
        Box::pin(run) as _
    };
    Ok(Function { name: "mail", router, job: Some(Box::new(job)), queues: vec![queue], feed: None })
}
