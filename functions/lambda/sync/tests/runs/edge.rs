//! The edge's feed function as `sync` calls it, in memory.

use akademi_api::ports::{HttpClient, Unreachable};
use akademi_domain::ids::{TenantId, UserId};
use akademi_feed::{Acknowledgement, Answer, Batch, Decoded, EdgeEvent, Envelope, LambdaEvent};
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Method, Request, Response};
use serde_json::{Value, json};
use std::sync::Mutex;

#[derive(Default)]
pub struct Edge(Mutex<State>);

#[derive(Default)]
struct State {
    feed: Vec<Envelope>,
    erased: Vec<UserId>,
    heard: Vec<Envelope>,
    cursor: i64,
}

impl Edge {
    /// Appends to the edge's feed.
    pub fn tell(&self, tenant: TenantId, event: &EdgeEvent) {
        self.0.lock().unwrap().tell(tenant, event);
    }

    /// Appends what no build of ours would.
    pub fn tell_raw(&self, tenant: TenantId, kind: &str, payload: &str) {
        let mut state = self.0.lock().unwrap();
        let number = state.feed.len() as i64 + 1;
        state.feed.push(Envelope { number, tenant, kind: kind.into(), version: 1, payload: payload.into() });
    }

    /// The event of this number, as it was told.
    pub fn told(&self, number: i64) -> Envelope {
        self.0.lock().unwrap().feed[number as usize - 1].clone()
    }

    /// Nobody gets this person's key any more.
    pub fn erase(&self, person: UserId) {
        self.0.lock().unwrap().erased.push(person);
    }

    /// What the other plane has told, in order.
    pub fn heard(&self) -> Vec<(TenantId, LambdaEvent)> {
        let heard = |envelope: &Envelope| match LambdaEvent::decode(envelope).unwrap() {
            Decoded::Known(event) => (envelope.tenant, event),
            Decoded::Unknown => panic!("unknown {}", envelope.kind),
        };
        self.0.lock().unwrap().heard.iter().map(heard).collect()
    }
}

impl State {
    fn tell(&mut self, tenant: TenantId, event: &EdgeEvent) {
        let number = self.feed.len() as i64 + 1;
        let record = event.record();
        let (kind, version, payload) = (record.kind.to_owned(), record.version, record.payload);
        self.feed.push(Envelope { number, tenant, kind, version, payload });
    }

    fn read(&self, query: &str) -> Answer {
        let after = query.split('&').find_map(|pair| pair.strip_prefix("after="));
        let from = after.map_or(0, |after| after.parse().unwrap());
        let head = self.feed.len() as i64;
        let events = self.feed.iter().filter(|event| event.number > from).cloned().collect();
        Answer { batch: Batch { source: "edge:1".into(), from, to: head, events }, head, cursor: self.cursor }
    }

    fn hear(&mut self, batch: Batch) -> Acknowledgement {
        assert_eq!(batch.from, self.cursor);
        self.cursor = batch.to;
        for envelope in &batch.events {
            // What is granted becomes an enrolment, which the edge owns and tells.
            if let Ok(Decoded::Known(LambdaEvent::EnrolmentGranted {
                person, course, enrolment, at, ..
            })) = LambdaEvent::decode(envelope)
            {
                let enrolled = EdgeEvent::Enrolled { person, course, enrolment, source: "order".into(), at };
                self.tell(envelope.tenant, &enrolled);
            }
        }
        self.heard.extend(batch.events);
        Acknowledgement { cursor: self.cursor }
    }

    fn keys(&self, wanted: &Value) -> Value {
        let keys = wanted["people"].as_array().unwrap().iter().filter_map(|wanted| {
            let person: UserId = wanted["person"].as_str().unwrap().parse().unwrap();
            let key = hex::encode(crate::key(person).expose());
            (!self.erased.contains(&person))
                .then(|| json!({ "tenant": wanted["tenant"], "person": person, "key": key }))
        });
        json!({ "keys": keys.collect::<Vec<_>>() })
    }
}

impl HttpClient for Edge {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, Unreachable>> {
        let mut state = self.0.lock().unwrap();
        let answer = match (request.method(), request.uri().path()) {
            (&Method::GET, "/internal/feed") => {
                serde_json::to_vec(&state.read(request.uri().query().unwrap_or_default()))
            }
            (&Method::POST, "/internal/feed") => {
                serde_json::to_vec(&state.hear(serde_json::from_slice(request.body()).unwrap()))
            }
            (&Method::POST, "/internal/person-keys") => {
                serde_json::to_vec(&state.keys(&serde_json::from_slice(request.body()).unwrap()))
            }
            other => panic!("{other:?}"),
        };
        let answer = Response::new(Bytes::from(answer.unwrap()));
        Box::pin(async move { Ok(answer) })
    }
}
