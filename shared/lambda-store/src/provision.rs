//! What a server of one's own needs before the migrations: the owner and its database.

use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};

use crate::{
    cluster::{Cluster, SUPERUSER},
    error::StoreError,
    migrations::migrate,
};

/// Owns the tables and applies migrations: no superuser, so that what works here works on a managed server too.
pub const OWNER: &str = "akademi_owner";
/// What functions log in as; made by the migrations.
pub const LOGIN: &str = "akademi_login";

/// Makes the owner and this database where they are missing, applies the migrations that are, and returns how many
/// those were. `database` is a name from the program, never from outside: letters, digits and `_`.
pub async fn provision(cluster: &Cluster, database: &str) -> Result<usize, StoreError> {
    let mut superuser = cluster.options(SUPERUSER, "postgres").connect().await?;
    ensure_owner(&mut superuser).await?;
    if !database_exists(&mut superuser, database).await? {
        sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE \"{database}\" OWNER {OWNER}")))
            .execute(&mut superuser)
            .await?;
    }
    superuser.close().await?;
    migrate(&cluster.options(OWNER, database)).await
}

async fn ensure_owner(superuser: &mut PgConnection) -> Result<(), StoreError> {
    let there: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)")
        .bind(OWNER)
        .fetch_one(&mut *superuser)
        .await?;
    if !there {
        sqlx::raw_sql("CREATE ROLE akademi_owner LOGIN CREATEROLE").execute(superuser).await?;
    }
    Ok(())
}

pub(crate) async fn database_exists(
    superuser: &mut PgConnection,
    database: &str,
) -> Result<bool, StoreError> {
    Ok(sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
        .bind(database)
        .fetch_one(superuser)
        .await?)
}
