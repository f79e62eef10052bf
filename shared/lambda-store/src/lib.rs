//! PostgreSQL and object storage of the Lambda plane.
//!
//! - [`postgres`]: the pool and the transaction of one tenant, the only type that runs a statement;
//!   [`platform`] holds the few statements that span tenants.
//! - [`migrations`]: the schema. Every function's tables are numbered files of this crate's `migrations/`, its
//!   statements stand in its own `store.rs`.
//! - [`feed`] gives committed events their numbers; [`inbox`] keeps how far another's feed has been applied.
//! - [`audit`]: who did what, in one chain of hashes for each academy.
//! - [`idempotency`]: the record behind `Idempotency-Key`. [`jobs`]: work that goes on after the answer; [`media`],
//!   [`mail`] and [`invoices`]: those that transcode, that send and that issue.
//! - [`objects`], [`object_key`]: an academy's files; [`links`]: what opens one of them for a while, with [`signed_url`] for
//!   those in a folder; [`uploads`]: files in parts; [`pictures`]: what everybody sees.
//! - [`cluster`], [`provision`]: a private PostgreSQL for a machine of one's own, and what it needs at first.
//! - `testing` (feature): a database per test in tens of milliseconds.
//!
//! # A write
//! ```no_run
//! # use akademi_lambda_store::{error::StoreError, feed, postgres::Postgres};
//! # use akademi_domain::{ids::TenantId, time::Timestamp};
//! # async fn rename(postgres: &Postgres, tenant: TenantId, now: Timestamp) -> Result<(), StoreError> {
//! let mut tx = postgres.tenant(tenant).await?;
//! sqlx::query("UPDATE tenant SET name = $1 WHERE id = $2")
//!     .bind("Kadıköy Akademi")
//!     .bind(tx.tenant().as_uuid())
//!     .execute(tx.connection())
//!     .await?;
//! feed::append_event(&mut tx, "tenant_renamed", 1, &serde_json::json!({ "name": "Kadıköy Akademi" }), now).await?;
//! tx.commit().await
//! # }
//! ```
//!
//! # A new table
//! A file `migrations/000N_subject.sql` creates it with a `tenant_id uuid NOT NULL` at the head of its primary key
//! and calls `protect_tenant_table('name', 'SELECT, INSERT, …', 'SELECT')`: what tenants' transactions may do, and what
//! the platform's may. A test walks all tables and fails for one that has no row-level security.

pub mod audit;
pub mod cluster;
pub mod content_type;
pub mod error;
pub mod feed;
pub mod idempotency;
pub mod inbox;
pub mod invoices;
pub mod jobs;
pub mod links;
pub mod mail;
pub mod media;
pub mod migrations;
pub mod object_key;
pub mod objects;
pub mod pictures;
pub mod platform;
pub mod postgres;
pub mod programs;
pub mod provision;
pub mod signed_url;
#[cfg(feature = "testing")]
pub mod testing;
pub mod uploads;
