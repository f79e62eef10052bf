//! `GET /internal/feed?after=N&source=S`: this database's events after the reader's cursor, and how far this
//! database is with the reader's own feed. Without parameters it is a look at whether there is anything to do:
//! the reader's database may stay asleep.

use akademi_api::{Body, Problem, QueryParams};
use akademi_feed::{Answer, Batch, MAX_BYTES, MAX_EVENTS};
use axum::extract::State;
use serde::Deserialize;

use crate::{Feed, store};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pull {
    /// The number of the last event that the reader has applied: everything up to it is acknowledged. Without
    /// it, what was acknowledged last.
    after: Option<i64>,
    /// The reader's own feed.
    source: Option<String>,
}

pub async fn pull(
    State(feed): State<Feed>,
    QueryParams(pull): QueryParams<Pull>,
) -> Result<Body<Answer>, Problem> {
    let platform = feed.platform();
    let head = store::find_head(&platform).await?;
    let after = pull.after.unwrap_or(head.acknowledged);
    if after < 0 || after > head.number {
        return Err(Problem::field("after", "lies beyond the end of this feed"));
    }
    if after > head.acknowledged {
        platform.batch(vec![store::acknowledge(after), store::prune(after)]).await?;
    }
    let cursor = match &pull.source {
        Some(source) => store::find_cursor(&platform, source).await?,
        None => 0,
    };
    let mut events = Vec::new();
    if after < head.number {
        let mut bytes = 0;
        for event in store::events_after(&platform, after, MAX_EVENTS).await? {
            bytes += event.payload.len();
            if !events.is_empty() && bytes > MAX_BYTES {
                break;
            }
            events.push(event);
        }
    }
    // With no event left, all numbers up to the head are superseded.
    let to = events.last().map_or(head.number, |last| last.number);
    let batch = Batch { source: head.source(), from: after, to, events };
    Ok(Body(Answer { batch, head: head.number, cursor }))
}
