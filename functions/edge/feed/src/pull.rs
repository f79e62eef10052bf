//! `GET /internal/feed?after=N&source=S`: this database's events after the reader's cursor, and how far this
//! database is with the reader's own feed.

use akademi_api::{Body, Problem, QueryParams};
use akademi_feed::{Answer, Batch, MAX_BYTES, MAX_EVENTS};
use axum::extract::State;
use serde::Deserialize;

use crate::{Feed, store};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pull {
    /// The number of the last event that the reader has applied: everything up to it is acknowledged.
    after: i64,
    /// The reader's own feed.
    source: String,
}

pub async fn pull(
    State(feed): State<Feed>,
    QueryParams(pull): QueryParams<Pull>,
) -> Result<Body<Answer>, Problem> {
    let platform = feed.platform();
    let head = store::find_head(&platform).await?;
    if pull.after < 0 || pull.after > head.number {
        return Err(Problem::field("after", "lies beyond the end of this feed"));
    }
    if pull.after > head.acknowledged {
        platform.batch(vec![store::acknowledge(pull.after), store::prune(pull.after)]).await?;
    }
    let cursor = store::find_cursor(&platform, &pull.source).await?;
    let mut events = Vec::new();
    let mut to = head.number;
    if pull.after < head.number {
        let mut bytes = 0;
        for event in store::events_after(&platform, pull.after, MAX_EVENTS).await? {
            bytes += event.payload.len();
            if !events.is_empty() && bytes > MAX_BYTES {
                break;
            }
            events.push(event);
        }
        // What was written since the head was read belongs to the next batch or to this one: `to` is the last
        // event that is in it. With none left, all numbers up to the head are superseded.
        to = events.last().map_or(head.number, |last| last.number);
    }
    let batch = Batch { source: head.source(), from: pull.after, to, events };
    Ok(Body(Answer { batch, head: head.number, cursor }))
}
