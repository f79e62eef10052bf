//! Cloudflare's cache of the data centre that a request came to (Cache API).

use akademi_api::{
    answers::{Answer, Question},
    ports::PublicCache,
};
use akademi_edge_store::alone::Alone;
use futures::future::BoxFuture;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use worker::{Cache, Headers, ResponseBuilder};

/// A build that answers in another form is not hidden behind an older one's answers for longer. Nothing else ends an
/// answer: its question names the academy's generation.
const LIFETIME: &str = "max-age=60";

pub struct ColoCache;

impl PublicCache for ColoCache {
    fn find<'a>(&'a self, question: &'a Question) -> BoxFuture<'a, Option<Answer>> {
        // A cache that fails is one that holds nothing.
        Box::pin(Alone::new(async move { find(question).await.ok().flatten() }))
    }

    fn keep<'a>(&'a self, question: &'a Question, answer: &'a Answer) -> BoxFuture<'a, ()> {
        Box::pin(Alone::new(async move { drop(keep(question, answer).await) }))
    }
}

async fn find(question: &Question) -> worker::Result<Option<Answer>> {
    let Some(mut found) = Cache::default().get(address(question), false).await? else { return Ok(None) };
    let Some(etag) = found.headers().get(ETAG)? else { return Ok(None) };
    Ok(Some(Answer { etag, body: found.bytes().await?.into() }))
}

async fn keep(question: &Question, answer: &Answer) -> worker::Result<()> {
    let headers = Headers::new();
    headers.set("cache-control", LIFETIME)?;
    headers.set(ETAG, &answer.etag)?;
    let response = ResponseBuilder::new().with_headers(headers).fixed(answer.body.to_vec());
    Cache::default().put(address(question), response).await
}

/// The tag as this project writes it, without quotes: the cache itself would take a header named `ETag` for its own.
const ETAG: &str = "akademi-etag";

/// The question as an address that nobody can ask for: the cache is the Worker's own, and no such host exists.
fn address((tenant, asked): &Question) -> String {
    format!("https://public.akademi.invalid/{tenant}/{}", utf8_percent_encode(asked, NON_ALPHANUMERIC))
}
