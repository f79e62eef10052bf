//! The edge plane's store: one SQL port, three engines (SQLite through rusqlite, Spin's SQLite, Cloudflare's
//! D1), one set of migrations.
//!
//! A batch is atomic and there are no interactive transactions. Functions never see [`Database`]: they get a
//! [`TenantDatabase`], which cannot be made without a tenant and runs only statements that name it.

#[cfg(target_arch = "wasm32")]
pub mod alone;
mod database;
mod directory;
mod enrolment;
mod erasure;
mod migrations;
pub mod operations;
mod outbox;
mod scope;
mod sql;
mod value;

#[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
pub mod d1;
#[cfg(not(target_arch = "wasm32"))]
pub mod rusqlite;
#[cfg(target_os = "wasi")]
pub mod spin;

pub use database::{Constraint, Database, Statement, StoreError};
pub use directory::EdgeDirectory;
pub use enrolment::{grant_enrolment, withdraw_enrolment};
pub use erasure::erase_person;
pub use migrations::{MIGRATIONS, Migration};
pub use outbox::{append_event, append_events, replace_event};
pub use scope::{Platform, PlatformSql, TenantDatabase, TenantSql, TenantStatement};
pub use value::{MAX_INTEGER, Row, Rows, Value};

use std::sync::Arc;

use akademi_api::Ports;
use akademi_domain::ids::TenantId;

/// What every edge function stands on: the host's ports and the store.
#[derive(Clone)]
pub struct Edge {
    pub ports: Ports,
    pub database: Arc<dyn Database>,
}

impl Edge {
    /// The store as one academy sees it.
    pub fn tenant(&self, tenant: TenantId) -> TenantDatabase<'_> {
        TenantDatabase::new(self.database.as_ref(), tenant)
    }

    /// The store's own directory of academies and sessions, for the gate.
    pub fn directory(&self) -> Arc<EdgeDirectory> {
        Arc::new(EdgeDirectory::new(self.database.clone()))
    }
}

/// The word in the search index that stands for one academy, so that a search reads its own rows only.
pub fn search_scope(tenant: TenantId) -> String {
    format!("t{}", tenant.as_uuid().simple())
}
