//! Who may run which statement: a tenant's statements name their tenant as `?1`, by construction.

use akademi_domain::ids::TenantId;

use crate::{
    database::{Database, Statement, StoreError},
    value::{Row, Rows, Value},
};

/// A statement over one tenant's rows. Its `?1` is the tenant, and only [`TenantDatabase`] fills it in.
#[derive(Debug, Clone, Copy)]
pub struct TenantSql(&'static str);

impl TenantSql {
    /// Refused at compile time (in a `const`) unless the text names `?1`.
    pub const fn new(sql: &'static str) -> Self {
        assert!(names_first_parameter(sql), "a tenant's statement must name its tenant as ?1");
        Self(sql)
    }

    pub const fn text(self) -> &'static str {
        self.0
    }

    /// The statement with its parameters from `?2` on.
    pub fn with(self, params: impl IntoIterator<Item = Value>) -> TenantStatement {
        TenantStatement { sql: self.0, params: params.into_iter().collect() }
    }
}

const fn names_first_parameter(sql: &str) -> bool {
    let mut rest = sql.as_bytes();
    while let [_, tail @ ..] = rest {
        if let [b'?', b'1', after @ ..] = rest
            && !matches!(after, [b'0'..=b'9', ..])
        {
            return true;
        }
        rest = tail;
    }
    false
}

/// A tenant's statement that waits for its tenant.
#[derive(Debug, Clone)]
pub struct TenantStatement {
    sql: &'static str,
    params: Vec<Value>,
}

impl TenantStatement {
    fn of(self, tenant: TenantId) -> Statement {
        let mut params = Vec::with_capacity(self.params.len() + 1);
        params.push(Value::from(tenant));
        params.extend(self.params);
        Statement { sql: self.sql, params }
    }
}

/// The store as one tenant sees it.
#[derive(Clone, Copy)]
pub struct TenantDatabase<'a> {
    database: &'a dyn Database,
    tenant: TenantId,
}

/// A batch's condition: the row that `guard` refuses when its `ok` is NULL, and its removal.
const CLEAR_GUARD: &str = "DELETE FROM guard";

impl<'a> TenantDatabase<'a> {
    pub fn new(database: &'a dyn Database, tenant: TenantId) -> Self {
        Self { database, tenant }
    }

    pub const fn tenant(&self) -> TenantId {
        self.tenant
    }

    pub async fn rows(&self, statement: TenantStatement) -> Result<Rows, StoreError> {
        self.database.query(statement.of(self.tenant)).await
    }

    /// The first row, if there is one.
    pub async fn row(&self, statement: TenantStatement) -> Result<Option<Row>, StoreError> {
        Ok(self.rows(statement).await?.into_iter().next())
    }

    /// All statements as one atomic step; each one's rows.
    pub async fn batch(&self, statements: Vec<TenantStatement>) -> Result<Vec<Rows>, StoreError> {
        self.database.batch(statements.into_iter().map(|statement| statement.of(self.tenant)).collect()).await
    }

    /// Like [`TenantDatabase::batch`], but nothing happens unless `condition`, a statement of the form
    /// `INSERT INTO guard (ok) VALUES ((SELECT 1 …))`, finds its row.
    ///
    /// # Errors
    /// [`StoreError::Guard`] when it does not.
    pub async fn batch_if(
        &self,
        condition: TenantStatement,
        statements: Vec<TenantStatement>,
    ) -> Result<Vec<Rows>, StoreError> {
        let mut all = Vec::with_capacity(statements.len() + 2);
        all.push(condition.of(self.tenant));
        all.extend(statements.into_iter().map(|statement| statement.of(self.tenant)));
        all.push(Statement { sql: CLEAR_GUARD, params: Vec::new() });
        let mut rows = self.database.batch(all).await?;
        rows.pop();
        if !rows.is_empty() {
            rows.remove(0);
        }
        Ok(rows)
    }
}

/// A statement that spans academies. There are few: the directory's, the feed's and the platform
/// administrators'.
#[derive(Debug, Clone, Copy)]
pub struct PlatformSql(&'static str);

impl PlatformSql {
    pub const fn new(sql: &'static str) -> Self {
        Self(sql)
    }

    pub fn with(self, params: impl IntoIterator<Item = Value>) -> Statement {
        Statement { sql: self.0, params: params.into_iter().collect() }
    }
}

/// The store as the platform sees it, over all academies.
#[derive(Clone, Copy)]
pub struct Platform<'a>(&'a dyn Database);

impl<'a> Platform<'a> {
    pub fn new(database: &'a dyn Database) -> Self {
        Self(database)
    }

    pub async fn rows(&self, statement: Statement) -> Result<Rows, StoreError> {
        self.0.query(statement).await
    }

    pub async fn row(&self, statement: Statement) -> Result<Option<Row>, StoreError> {
        Ok(self.rows(statement).await?.into_iter().next())
    }

    pub async fn batch(&self, statements: Vec<Statement>) -> Result<Vec<Rows>, StoreError> {
        self.0.batch(statements).await
    }

    /// The batch's end when it began with a condition on `guard`.
    pub fn clear_guard() -> Statement {
        Statement { sql: CLEAR_GUARD, params: Vec::new() }
    }

    /// A tenant's statement as part of a platform batch: applying the other plane's feed.
    pub fn of_tenant(tenant: TenantId, statement: TenantStatement) -> Statement {
        statement.of(tenant)
    }
}
