//! Jobs of a kind, one after the other.

use akademi_api::{Ports, ports::Wake};
use lambda_runtime::Error;
use serde_json::Value;

use crate::{host::Span, queue::Queue};

/// Wakes whoever works at each of these queues.
#[cfg(feature = "authoring")]
pub struct Workers(pub Vec<std::sync::Arc<Queue>>);

#[cfg(feature = "authoring")]
impl Wake for Workers {
    fn wake(&self) {
        for queue in &self.0 {
            queue.wake();
        }
    }
}

/// Does jobs until none is left or time is short; then `queue` has another invocation go on.
///
/// # Errors
/// When not even the failure of a job could be kept.
pub async fn run_all<F, E>(
    ports: &Ports,
    span: Span,
    queue: &Queue,
    mut run_next: impl FnMut() -> F,
) -> Result<Value, Error>
where
    F: Future<Output = Result<bool, E>>,
    Error: From<E>,
{
    let mut jobs = 0;
    while run_next().await? {
        jobs += 1;
        if span.is_short(ports.now()) {
            queue.wake();
            break;
        }
    }
    Ok(serde_json::json!({ "jobs": jobs }))
}
