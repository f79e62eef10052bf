//! The pool, and the transactions that it gives: of one tenant, or of the platform.
//!
//! The login is `akademi_login` (or one of the deployment's own): it inherits nothing, so that a statement outside of a
//! transaction reaches no table, and may become `akademi_app` or `akademi_platform` for one transaction. Set
//! locally, in the same message as BEGIN, that costs no round trip and one connection serves both; logging in
//! as the role itself would take a connection per role. Where a function needs one role only, its deployment gives
//! it a login that is a member of that role alone: then even SQL that we did not write cannot become the other.

use akademi_domain::ids::TenantId;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, PgConnection, PgPool, PgTransaction};
use std::{str::FromStr, time::Duration};

use crate::{error::StoreError, migrations, platform::PlatformTransaction};

/// A Lambda is frozen between requests: without this, one frozen in a transaction would hold its locks for hours.
const IDLE_IN_TRANSACTION: &str = "60s";

/// The database of the Lambda plane: a small pool that connects when first used. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Postgres {
    pool: PgPool,
}

impl Postgres {
    /// Opens no connection yet. A Lambda takes one connection, a host that serves many requests some more.
    pub fn new(options: PgConnectOptions, max_connections: u32) -> Self {
        let options = options.options([("idle_in_transaction_session_timeout", IDLE_IN_TRANSACTION)]);
        let pool = PgPoolOptions::new()
            .max_connections(max_connections)
            .acquire_timeout(Duration::from_secs(10))
            // The test is a round trip before every transaction; `begin` replaces a dead connection instead.
            .test_before_acquire(false)
            .connect_lazy_with(options);
        Self { pool }
    }

    /// As [`Postgres::new`], from `postgres://user:password@host/database`.
    ///
    /// # Errors
    /// [`StoreError::Address`] if it is no such address; the address itself is not repeated.
    pub fn from_url(url: &str, max_connections: u32) -> Result<Self, StoreError> {
        let options = PgConnectOptions::from_str(url).map_err(StoreError::Address)?;
        Ok(Self::new(options, max_connections))
    }

    /// Begins a transaction that sees and writes this tenant's rows only.
    pub async fn tenant(&self, tenant: TenantId) -> Result<TenantTransaction, StoreError> {
        let transaction = self.begin(format!("BEGIN; {}", become_tenant(tenant))).await?;
        Ok(TenantTransaction { tenant, transaction })
    }

    /// Begins a transaction over all tenants, for the statements of [`PlatformTransaction`].
    pub async fn platform(&self) -> Result<PlatformTransaction, StoreError> {
        let transaction = self.begin(format!("BEGIN; {BECOME_PLATFORM}")).await?;
        Ok(PlatformTransaction::new(transaction))
    }

    /// Whether the database answers and has the migrations that this program was built with.
    ///
    /// # Errors
    /// [`StoreError::Outdated`] if migrations are missing.
    pub async fn ready(&self) -> Result<(), StoreError> {
        let mut transaction = self.begin("BEGIN READ ONLY; SET LOCAL ROLE akademi_app".into()).await?;
        let found: i64 =
            sqlx::query_scalar("SELECT COALESCE(max(version), 0) FROM _sqlx_migrations WHERE success")
                .fetch_one(&mut *transaction)
                .await?;
        transaction.rollback().await?;
        let needed = migrations::newest();
        if found < needed { Err(StoreError::Outdated { found, needed }) } else { Ok(()) }
    }

    /// Closes the connections; later uses fail.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// Nothing has happened yet when BEGIN fails on a connection that was lost or left in a state that is not ours, so
    /// it is tried again on another.
    async fn begin(&self, statement: String) -> Result<PgTransaction<'static>, StoreError> {
        let mut spare_attempts = self.pool.size();
        loop {
            let error = match self.pool.begin_with(AssertSqlSafe(statement.clone())).await {
                Ok(transaction) => return Ok(transaction),
                Err(error @ (sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed)) => {
                    return Err(error.into());
                }
                Err(error) => error,
            };
            let aborted =
                error.as_database_error().and_then(|error| error.code()).as_deref() == Some(ABORTED);
            let error = StoreError::from(error);
            if spare_attempts == 0 {
                return Err(error);
            }
            if aborted {
                // It waits in the pool again.
                let _ = self.pool.acquire().await?.close().await;
            } else if matches!(error, StoreError::Unavailable(_)) {
                // What has been idle as long is as dead, and cannot say goodbye.
                while let Some(idle) = self.pool.try_acquire() {
                    let _ = idle.close().await;
                }
            } else {
                return Err(error);
            }
            spare_attempts -= 1;
        }
    }
}

/// in_failed_sql_transaction: an earlier BEGIN on this connection was followed by a role that was refused, which the
/// driver does not take for a transaction that it has to end.
const ABORTED: &str = "25P02";

pub(crate) const BECOME_PLATFORM: &str = "SET LOCAL ROLE akademi_platform; SET LOCAL app.tenant = ''";

/// SET takes no parameters; a UUID is hexadecimal digits and hyphens.
pub(crate) fn become_tenant(tenant: TenantId) -> String {
    format!("SET LOCAL ROLE akademi_app; SET LOCAL app.tenant = '{tenant}'")
}

/// A transaction of one tenant: the only way to run a statement. Dropped without [`commit`](Self::commit), it
/// leaves nothing behind.
#[derive(Debug)]
pub struct TenantTransaction {
    pub(crate) tenant: TenantId,
    pub(crate) transaction: PgTransaction<'static>,
}

impl TenantTransaction {
    /// The tenant, for the statements' own conditions beside row-level security.
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// Where a `store.rs` runs its statements.
    pub fn connection(&mut self) -> &mut PgConnection {
        &mut self.transaction
    }

    pub async fn commit(self) -> Result<(), StoreError> {
        Ok(self.transaction.commit().await?)
    }

    pub async fn rollback(self) -> Result<(), StoreError> {
        Ok(self.transaction.rollback().await?)
    }
}
