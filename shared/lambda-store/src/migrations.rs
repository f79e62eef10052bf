//! The schema, as numbered files of `migrations/`. A file is never changed once it has been applied anywhere: its
//! checksum is kept, and a change is refused.

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, migrate::Migrator};

use crate::error::StoreError;

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// Applies what is missing, as the owner of the database, and returns how many files that were. One runs at a
/// time (advisory lock of the database); each file is one transaction with its row in the ledger.
///
/// The owner needs CREATEROLE and no more. Row-level security is forced, so that the owner itself sees no rows: a migration
/// that moves some takes the force from their tables and gives it back at its end.
pub async fn migrate(owner: &PgConnectOptions) -> Result<usize, StoreError> {
    let mut connection = owner.connect().await?;
    let before = applied(&mut connection).await?;
    MIGRATIONS.run(&mut connection).await?;
    let after = applied(&mut connection).await?;
    connection.close().await?;
    Ok(after.saturating_sub(before))
}

/// The version of the newest migration in this program.
pub(crate) fn newest() -> i64 {
    MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or(0)
}

/// One name for exactly these migrations: databases made from a template of that name have this schema.
#[cfg(feature = "testing")]
pub(crate) fn fingerprint() -> String {
    use sha2::{Digest, Sha256};
    let mut all = Sha256::new();
    for migration in MIGRATIONS.iter() {
        all.update(&migration.checksum);
    }
    hex::encode(all.finalize().get(..8).unwrap_or_default())
}

async fn applied(connection: &mut sqlx::PgConnection) -> Result<usize, StoreError> {
    let ledger: bool = sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations') IS NOT NULL")
        .fetch_one(&mut *connection)
        .await?;
    if !ledger {
        return Ok(0);
    }
    let count: i64 =
        sqlx::query_scalar("SELECT count(*) FROM _sqlx_migrations").fetch_one(connection).await?;
    Ok(usize::try_from(count).unwrap_or(0))
}
