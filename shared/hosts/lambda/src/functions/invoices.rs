//! `invoices`: what waits to be issued and handed over, and what people ask of it.

use akademi_api::config::ConfigError;
use akademi_invoices::{FileDrop, Invoices};
use akademi_lambda_store::objects::Objects;
use std::sync::Arc;

use crate::{
    aws,
    environment::{Environment, STORAGE_BUCKET},
    host::{Function, Span},
};

/// # Errors
/// [`ConfigError`] naming the variable that is missing or wrong.
pub fn function(environment: &Environment) -> Result<Function, ConfigError> {
    let Environment { ports, http, config } = environment;
    let objects: Objects = config.read(STORAGE_BUCKET, |name| aws::bucket(name, http.clone()))?;
    let integrator = Arc::new(FileDrop(objects));
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
