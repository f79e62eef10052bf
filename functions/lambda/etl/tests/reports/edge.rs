//! An edge that tells what it is given, and takes what it hears.

use akademi_api::ports::{HttpClient, Unreachable};
use akademi_domain::ids::TenantId;
use akademi_feed::{Acknowledgement, Answer, Batch, EdgeEvent, Envelope};
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Method, Request, Response};
use std::sync::{Arc, Mutex};

#[derive(Default)]
pub struct Edge(Mutex<Vec<Envelope>>);

impl Edge {
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    pub fn tell(&self, tenant: TenantId, event: &EdgeEvent) {
        let mut events = self.0.lock().unwrap();
        let record = event.record();
        let number = events.len() as i64 + 1;
        events.push(Envelope {
            number,
            tenant,
            kind: record.kind.to_owned(),
            version: record.version,
            payload: record.payload,
        });
    }
}

impl HttpClient for Edge {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, Unreachable>> {
        assert_eq!(request.uri().path(), "/internal/feed");
        if request.method() == Method::POST {
            let heard: Batch = serde_json::from_slice(request.body()).unwrap();
            let answer = serde_json::to_vec(&Acknowledgement { cursor: heard.to }).unwrap();
            return Box::pin(async move { Ok(Response::new(Bytes::from(answer))) });
        }
        let query = request.uri().query().unwrap_or_default();
        let after = query.split('&').find_map(|pair| pair.strip_prefix("after=")).unwrap_or("0");
        let from: i64 = after.parse().unwrap();
        let events = self.0.lock().unwrap().clone();
        let head = events.len() as i64;
        let events: Vec<_> = events.into_iter().filter(|event| event.number > from).take(100).collect();
        let to = events.last().map_or(from, |event| event.number);
        let batch = Batch { source: "edge:1".into(), from, to, events };
        let answer = serde_json::to_vec(&Answer { batch, head, cursor: 0 }).unwrap();
        Box::pin(async move { Ok(Response::new(Bytes::from(answer))) })
    }
}
