//! `invoices`: what waits to be issued and handed over, and what people ask of it.

use akademi_api::config::ConfigError;
use akademi_invoices::{FileDrop, Invoices};
use std::sync::Arc;

use crate::{
    environment::Environment,
    host::{Function, Span},
};

/// # Errors
/// [`ConfigError`] naming the variable that is missing or wrong.
pub fn function(environment: &Environment) -> Result<Function, ConfigError> {
    let Environment { ports, config, .. } = environment;
    let integrator = Arc::new(FileDrop(environment.bucket()?.objects()));
    let invoices =
        Invoices::new(ports.clone(), environment.planes()?, environment.postgres()?, integrator, config)?;
    let router = akademi_invoices::router(invoices.clone());
    let ports = ports.clone();
    // Nobody waits for an invoice: the schedule's next call takes up what this one leaves.
    let job = move |_, span: Span| {
        let (invoices, ports) = (invoices.clone(), ports.clone());
        let run = async move {
            let handled = invoices.run_due(|| !span.is_short(ports.now())).await?;
            Ok(serde_json::json!({
                "delivered": handled.delivered, "put_off": handled.put_off, "failed": handled.failed,
            }))
        };
        Box::pin(run) as _
    };
    Ok(Function { name: "invoices", router, job: Some(Box::new(job)), queues: Vec::new(), feed: None })
}
