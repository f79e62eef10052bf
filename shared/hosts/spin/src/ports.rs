//! Time, randomness and the log of a Spin component.

use akademi_api::ports::{Clock, Log, Ports, Rng};
use akademi_domain::time::Timestamp;
use spin_sdk::wasip3::random::random::get_random_bytes;
use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use crate::compression::Gzip;

struct Wasi;

impl Clock for Wasi {
    #[allow(clippy::disallowed_methods, reason = "this is the port that everything else takes")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

impl Rng for Wasi {
    fn fill(&self, bytes: &mut [u8]) {
        let random = get_random_bytes(bytes.len() as u64);
        bytes.copy_from_slice(&random);
    }
}

impl Log for Wasi {
    fn line(&self, json: &str) {
        println!("{json}");
    }
}

pub fn ports() -> Ports {
    Ports {
        compressor: Some(Arc::new(Gzip::new())),
        ..Ports::new(Arc::new(Wasi), Arc::new(Wasi), Arc::new(Wasi))
    }
}
