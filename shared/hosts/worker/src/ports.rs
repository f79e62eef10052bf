//! Time, randomness and the log of a Worker.

use crate::{compression::Runtime, public_cache::ColoCache};
use akademi_api::ports::{Clock, Log, Ports, Rng};
use akademi_domain::time::Timestamp;
use std::sync::Arc;
use worker::{console_log, wasm_bindgen::prelude::wasm_bindgen};

/// Web Cryptography §10.1.1: `getRandomValues` fills this many bytes at most.
const MAX_RANDOM_BYTES: usize = 65_536;

#[wasm_bindgen(wasm_bindgen = worker::wasm_bindgen)]
extern "C" {
    #[wasm_bindgen(js_namespace = crypto, js_name = getRandomValues)]
    fn get_random_values(bytes: &mut [u8]);
}

struct Workers;

impl Clock for Workers {
    /// Within a request it stands still between two waits for I/O: Workers let nobody measure time by computing.
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(i64::try_from(worker::Date::now().as_millis()).unwrap_or(i64::MAX))
    }
}

impl Rng for Workers {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.chunks_mut(MAX_RANDOM_BYTES).for_each(get_random_values);
    }
}

impl Log for Workers {
    fn line(&self, json: &str) {
        console_log!("{json}");
    }
}

pub fn ports() -> Ports {
    Ports {
        compressor: Some(Arc::new(Runtime)),
        cache: Some(Arc::new(ColoCache)),
        ..Ports::new(Arc::new(Workers), Arc::new(Workers), Arc::new(Workers))
    }
}
