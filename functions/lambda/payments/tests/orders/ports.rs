//! A PayTR that gives out tokens or cannot be reached, beside the ports of every function.

pub use akademi_lambda_store::testing::ports::{NOW, TestClock, Wakes, ports};

use akademi_api::ports::{HttpClient, Unreachable};
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};
use tokio::sync::Semaphore;

/// get-token as PayTR answers it, and what was sent.
pub struct Provider {
    pub reachable: AtomicBool,
    /// How many requests may pass; the others wait.
    pub gate: Semaphore,
    pub forms: Mutex<Vec<Vec<(String, String)>>>,
}

impl Provider {
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            reachable: AtomicBool::new(true),
            gate: Semaphore::new(Semaphore::MAX_PERMITS),
            forms: Mutex::default(),
        })
    }

    /// A field of the newest request.
    pub fn sent(&self, field: &str) -> String {
        let forms = self.forms.lock().unwrap();
        let (_, value) = forms.last().unwrap().iter().find(|(name, _)| name == field).unwrap();
        value.clone()
    }
}

impl HttpClient for Provider {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, Unreachable>> {
        Box::pin(async move {
            self.gate.acquire().await.unwrap().forget();
            if !self.reachable.load(Ordering::SeqCst) {
                return Err(Unreachable("connection refused".into()));
            }
            let form: Vec<(String, String)> = serde_urlencoded::from_bytes(request.body()).unwrap();
            let number = {
                let mut forms = self.forms.lock().unwrap();
                forms.push(form);
                forms.len()
            };
            let answer = format!("{{\"status\":\"success\",\"token\":\"token{number}\"}}");
            Ok(Response::new(Bytes::from(answer)))
        })
    }
}
