//! What this host gives to functions.

use akademi_api::{Ports, ports::Log};
use std::sync::Arc;

pub use akademi_process::ports::WriteLog;

use crate::compression::Compression;

/// The process's clock and randomness with this log, and compressed answers.
pub fn ports(log: Arc<dyn Log>) -> Ports {
    Ports { compressor: Some(Arc::new(Compression)), ..akademi_process::ports::ports(log) }
}
