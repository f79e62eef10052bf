//! `payments`: orders, callbacks of providers, the end of what nobody paid for, refunds that wait, and reports.

use akademi_api::config::ConfigError;
use akademi_payments::Payments;

use crate::{
    environment::{Environment, SYNC_QUEUE_URL},
    host::Function,
};

/// # Errors
/// [`ConfigError`] naming the variable that is missing or wrong.
pub fn function(environment: &Environment) -> Result<Function, ConfigError> {
    let Environment { ports, http, config } = environment;
    let sync = environment.queue("sync", SYNC_QUEUE_URL)?;
    let payments = Payments::new(
        ports.clone(),
        environment.planes()?,
        environment.postgres()?,
        http.clone(),
        sync.clone(),
        config,
    )?;
    // The providers' callbacks are among them: the platform's host leads here too.
    let router = akademi_payments::router(payments.clone());
    let ports = ports.clone();
    let job = move |_, _| {
        let (payments, ports) = (payments.clone(), ports.clone());
        let run = async move {
            let expired = payments.expire_orders(ports.now()).await;
            let asked = payments.ask_about_attempts(ports.now()).await;
            let refunds = payments.resolve_refunds(ports.now()).await;
            let reconciled = payments.reconcile(ports.now()).await;
            Ok(serde_json::json!({
                "expired": expired?, "asked": asked?, "refunds": refunds?, "reconciled": reconciled?,
            }))
        };
        Box::pin(run) as _
    };
    Ok(Function {
        name: "payments",
        router,
        job: Some(Box::new(job)),
        queues: vec![sync.clone()],
        feed: Some(sync),
    })
}
