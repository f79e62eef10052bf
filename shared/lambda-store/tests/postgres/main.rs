//! The store on a real PostgreSQL. A race test stands beside its twin: the same race with the protection taken away, which must
//! then go wrong.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod audit;
mod cluster;
mod feed;
mod idempotency;
mod inbox;
mod invoices;
mod isolation;
mod jobs;
mod migrations;
mod transactions;

use akademi_domain::{
    ids::{JobId, TenantId, UserId},
    time::Timestamp,
};

const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

fn tenant(n: u8) -> TenantId {
    TenantId::new(NOW, [n; 10])
}

fn user(n: u8) -> UserId {
    UserId::new(NOW, [n; 10])
}

fn job_id(n: u16) -> JobId {
    let [high, low] = n.to_be_bytes();
    JobId::new(NOW, [0, 0, 0, 0, 0, 0, 0, 0, high, low])
}
