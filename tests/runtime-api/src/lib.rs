//! The Lambda Runtime API (2018-06-01, "Using the Lambda runtime API for custom runtimes") as a test's own server, and
//! binaries that take their events from it; beside it [`gateway`], which puts them behind a port, [`queue`], which keeps the
//! messages that they send, and [`bucket`], which keeps their files.

mod binary;
pub mod bucket;
pub mod gateway;
pub mod queue;
mod server;

use std::collections::BTreeMap;

pub use binary::Binary;
pub use server::{InitError, Outcome, RuntimeApi};

/// What the binaries read on AWS alone, with these in the place of S3 and SQS.
pub fn environment(queues: &queue::Queues, bucket: &bucket::Bucket) -> BTreeMap<String, String> {
    let variables = [
        ("storage_bucket", bucket::BUCKET.to_owned()),
        ("aws_endpoint_url", format!("http://{}", bucket.address)),
        ("sync_queue_url", queues.url("sync")),
        ("import_queue_url", queues.url("imports")),
        ("transcode_queue_url", queues.url("videos")),
        ("mail_queue_url", queues.url("mails")),
    ];
    variables.map(|(name, value)| (name.to_owned(), value)).into()
}
