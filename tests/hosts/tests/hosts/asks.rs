//! What learners and visitors ask for, and what only they may be told.

use akademi_host_tests::{
    Academies, Learner,
    academies::{COMMON_WORD, COURSE, COURSE_FOR_SALE, SLUG, TEXT},
};
use akademi_local::api_client::{Answer, ApiClient};
use bytes::Bytes;
use http::{HeaderValue, Method, header};
use serde_json::{Value, json};

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asker {
    /// Anybody on this academy's host.
    Visitor(usize),
    /// The learner of this number.
    Learner(usize),
}

/// One request and how its right answer is known.
#[derive(Debug, Clone)]
pub struct Ask {
    pub name: &'static str,
    pub asker: Asker,
    pub academy: usize,
    method: Method,
    path: String,
    body: Option<Value>,
    pub status: u16,
    /// Stands in the right answer and in no other asker's.
    pub own: String,
}

impl Ask {
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The client of the academy, signed in if a learner asks.
    pub fn client(&self, visitors: &[ApiClient; 2], learners: &[Learner]) -> ApiClient {
        let client = &visitors[self.academy];
        match self.asker {
            Asker::Visitor(_) => client.clone(),
            Asker::Learner(number) => client.signed_in(&learners[number].token),
        }
    }

    pub async fn send(&self, client: &ApiClient) -> anyhow::Result<Answer> {
        // Without a word on codings, any would do.
        let mut headers = vec![(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"))];
        if self.body.is_some() {
            headers.push((header::CONTENT_TYPE, HeaderValue::from_static("application/json")));
        }
        let body = self.body.as_ref().map_or_else(Bytes::new, |body| body.to_string().into());
        client.send(self.method.clone(), &self.path, &headers, body).await
    }
}

/// Everything that both academies' visitors and all of these learners ask for.
pub fn asks(academies: &Academies, learners: &[Learner]) -> Vec<Ask> {
    let mut asks = Vec::new();
    for (number, academy) in academies.both.iter().enumerate() {
        let visit = |name, path: String, status, own: &str| Ask {
            name,
            asker: Asker::Visitor(number),
            academy: number,
            method: Method::GET,
            path,
            body: None,
            status,
            own: own.to_owned(),
        };
        asks.extend([
            visit("academy", "/api/v1/academy".into(), 200, academy.mark),
            visit("courses", "/api/v1/catalog/courses".into(), 200, academy.mark),
            visit("course", format!("/api/v1/catalog/courses/{SLUG}"), 200, academy.mark),
            visit("search", format!("/api/v1/catalog/search?q={COMMON_WORD}"), 200, academy.mark),
        ]);
        for learner in learners {
            let (check, page) =
                (format!("/api/v1/certificates/{}", learner.serial), format!("/verify/{}", learner.serial));
            if learner.academy == number {
                asks.push(visit("certificate", check, 200, &learner.mark));
                asks.push(visit("certificate page", page, 200, &learner.mark));
            } else {
                asks.push(visit("another academy's certificate", check, 404, "not-found"));
            }
        }
    }
    for (number, learner) in learners.iter().enumerate() {
        let price = academies.both[learner.academy].price;
        let ask = |name, method: Method, path: &str, body: Option<Value>, own: String| Ask {
            name,
            asker: Asker::Learner(number),
            academy: learner.academy,
            method,
            path: path.to_owned(),
            body,
            status: 200,
            own,
        };
        let (get, post) = (Method::GET, Method::POST);
        let watched = format!("\"watched_seconds\":{},", learner.watched_seconds);
        let lesson = format!("/api/v1/learning/courses/{COURSE}/lessons/{TEXT}");
        let progress = format!("/api/v1/progress/courses/{COURSE}");
        let mark = academies.both[learner.academy].mark;
        asks.extend([
            ask("me", get.clone(), "/api/v1/users/me", None, learner.mark.clone()),
            ask("sessions", get.clone(), "/api/v1/users/me/sessions", None, learner.mark.clone()),
            ask(
                "certificates",
                get.clone(),
                "/api/v1/users/me/certificates",
                None,
                learner.serial.to_string(),
            ),
            ask("lesson", get.clone(), &lesson, None, mark.to_owned()),
            ask("progress", get, &progress, None, watched.clone()),
            ask("heartbeat", post.clone(), "/api/v1/progress/heartbeats", Some(learner.heartbeat()), watched),
            ask(
                "quote",
                post,
                "/api/v1/coupons/quote",
                Some(json!({ "courses": [COURSE_FOR_SALE] })),
                format!("\"amount\":{price},"),
            ),
        ]);
    }
    asks
}
