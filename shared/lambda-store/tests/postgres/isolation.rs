//! Row-level security: of all tables, and as it works.

use akademi_lambda_store::{postgres::TenantTransaction, testing::TestDatabase};
use sqlx::{PgConnection, Row};
use std::collections::BTreeMap;

use crate::{NOW, tenant};

/// Tables that belong to no tenant, and why.
const PLATFORM_TABLES: [(&str, &str); 3] = [
    ("_sqlx_migrations", "the ledger of migrations; readiness reads it"),
    ("feed_cursor", "one row per source of events"),
    ("feed_state", "one row: the head of the feed"),
];

/// What tenants' transactions may at most do with a tenant table.
const APP_PRIVILEGES: [&str; 4] = ["SELECT", "INSERT", "UPDATE", "DELETE"];

const MINE: &str = "= (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)";

/// Everything that is wrong with the protection of the tables in this database.
async fn violations(superuser: &mut PgConnection) -> Vec<String> {
    let tables = sqlx::query(
        "SELECT relname::text AS name, relrowsecurity AND relforcerowsecurity AS forced,
                pg_get_userbyid(relowner)::text AS owner
         FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f')
         ORDER BY relname",
    )
    .fetch_all(&mut *superuser)
    .await
    .unwrap();
    let mut found = Vec::new();
    for table in &tables {
        let name: &str = table.get("name");
        let platform = PLATFORM_TABLES.iter().any(|(known, _)| *known == name);
        if table.get::<&str, _>("owner") != "akademi_owner" {
            found.push(format!("{name} has another owner"));
        }
        if !platform {
            if !table.get::<bool, _>("forced") {
                found.push(format!("{name} has no forced row-level security"));
            }
            found.extend(policy_violations(superuser, name).await);
        }
        found.extend(grant_violations(superuser, name, platform).await);
    }
    found
}

async fn policy_violations(superuser: &mut PgConnection, table: &str) -> Vec<String> {
    let policies = sqlx::query(
        "SELECT roles::text[] AS roles, permissive, cmd, COALESCE(qual, '') AS qual,
                COALESCE(with_check, '') AS with_check
         FROM pg_policies WHERE schemaname = 'public' AND tablename = $1",
    )
    .bind(table)
    .fetch_all(superuser)
    .await
    .unwrap();
    let mut by_role = BTreeMap::new();
    for policy in &policies {
        let roles: Vec<String> = policy.get("roles");
        let (qual, check): (&str, &str) = (policy.get("qual"), policy.get("with_check"));
        let (command, kind): (&str, &str) = (policy.get("cmd"), policy.get("permissive"));
        let column = if table == "tenant" { "(id " } else { "(tenant_id " };
        let right = match roles.join(",").as_str() {
            "akademi_app" => qual == format!("{column}{MINE}"),
            "akademi_platform" => qual == "true",
            _ => false,
        };
        let right = right && check == qual && command == "ALL" && kind == "PERMISSIVE";
        // A second policy of a role widens the first.
        by_role.entry(roles.join(",")).and_modify(|only| *only = false).or_insert(right);
    }
    let wanted = BTreeMap::from([("akademi_app".to_owned(), true), ("akademi_platform".to_owned(), true)]);
    if by_role == wanted { vec![] } else { vec![format!("{table} has the policies {by_role:?}")] }
}

async fn grant_violations(superuser: &mut PgConnection, table: &str, platform: bool) -> Vec<String> {
    // Of the table and of single columns; 0 is PUBLIC.
    let grants = sqlx::query(
        "SELECT DISTINCT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(grantee)::text END AS grantee,
                privilege_type::text AS privilege
         FROM (SELECT relacl AS acl FROM pg_class WHERE oid = $1::regclass
               UNION ALL SELECT attacl FROM pg_attribute WHERE attrelid = $1::regclass) AS lists,
              aclexplode(acl)",
    )
    .bind(table)
    .fetch_all(superuser)
    .await
    .unwrap();
    let too_many = grants.iter().map(|grant| (grant.get("grantee"), grant.get("privilege"))).filter(
        |(grantee, privilege): &(&str, &str)| match *grantee {
            "akademi_owner" => false,
            "akademi_platform" => {
                *privilege == "TRUNCATE" || *privilege == "REFERENCES" || *privilege == "TRIGGER"
            }
            "akademi_app" if table == "_sqlx_migrations" => *privilege != "SELECT",
            "akademi_app" if table == "feed_event" => *privilege != "INSERT",
            "akademi_app" => platform || !APP_PRIVILEGES.contains(privilege),
            _ => true,
        },
    );
    too_many.map(|(grantee, privilege)| format!("{grantee} may {privilege} on {table}")).collect()
}

#[tokio::test]
async fn every_table_of_tenants_has_its_policies_and_no_grant_too_many() {
    let database = TestDatabase::new().await.unwrap();
    let mut superuser = database.superuser().await.unwrap();
    assert_eq!(violations(&mut superuser).await, Vec::<String>::new());
    let tables: i64 =
        sqlx::query_scalar("SELECT count(*) FROM pg_policies WHERE 'akademi_app' = ANY (roles)")
            .fetch_one(&mut superuser)
            .await
            .unwrap();
    println!("{tables} tenant tables, {} platform tables", PLATFORM_TABLES.len());
    assert!(tables >= 8);
}

#[tokio::test]
async fn the_walk_finds_each_kind_of_hole() {
    let database = TestDatabase::new().await.unwrap();
    let holes = [
        ("CREATE TABLE bare (tenant_id uuid)", "bare has"),
        ("CREATE VIEW everything AS SELECT * FROM job", "everything has"),
        ("ALTER TABLE job NO FORCE ROW LEVEL SECURITY", "job has no forced"),
        ("DROP POLICY tenant ON person", "person has the policies"),
        ("ALTER POLICY tenant ON enrolment USING (true)", "enrolment has the policies"),
        ("CREATE POLICY more ON job TO akademi_app USING (true)", "job has the policies"),
        ("GRANT TRUNCATE ON person TO akademi_app", "akademi_app may TRUNCATE on person"),
        ("GRANT SELECT ON feed_event TO akademi_app", "akademi_app may SELECT on feed_event"),
        ("GRANT SELECT (epoch) ON feed_state TO akademi_app", "akademi_app may SELECT on feed_state"),
        ("GRANT SELECT ON tenant TO akademi_login", "akademi_login may SELECT on tenant"),
        ("GRANT SELECT ON tenant TO PUBLIC", "PUBLIC may SELECT on tenant"),
    ];
    for (hole, finding) in holes {
        let mut superuser = database.superuser().await.unwrap();
        sqlx::raw_sql("BEGIN; SET LOCAL ROLE akademi_owner").execute(&mut superuser).await.unwrap();
        sqlx::raw_sql(hole).execute(&mut superuser).await.unwrap();
        let found = violations(&mut superuser).await;
        assert!(found.iter().any(|violation| violation.starts_with(finding)), "{hole}: {found:?}");
    }
}

async fn add_enrolment(
    tx: &mut TenantTransaction,
    n: u8,
) -> Result<(), akademi_lambda_store::error::StoreError> {
    sqlx::query(
        "INSERT INTO enrolment (tenant_id, id, user_id, course_id, source, created_at)
         VALUES ($1, $2, $2, $2, 'order', $3)",
    )
    .bind(tenant(n).as_uuid())
    .bind(crate::user(n).as_uuid())
    .bind(NOW.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(())
}

async fn two_academies() -> TestDatabase {
    let database = TestDatabase::new().await.unwrap();
    for n in [1, 2] {
        let mut tx = database.postgres().tenant(tenant(n)).await.unwrap();
        add_enrolment(&mut tx, n).await.unwrap();
        tx.commit().await.unwrap();
    }
    database
}

/// A tenant table, and how a row of it is made.
struct Table {
    name: String,
    /// What names the tenant.
    tenant: &'static str,
    /// `INSERT` with the tenant as `{tenant}`: made-up values for all that a row must have.
    insert: String,
}

/// Every tenant table with one row of each of two academies, whatever else the table asks of its rows.
async fn every_table_filled() -> (TestDatabase, Vec<Table>) {
    let database = TestDatabase::new().await.unwrap();
    let mut superuser = database.superuser().await.unwrap();
    // Foreign keys and triggers rest, checks go: the rows are nobody's in truth.
    sqlx::raw_sql(
        "SET session_replication_role = replica;
         DO $$ DECLARE found record; BEGIN
           FOR found IN SELECT conrelid::regclass AS relation, conname FROM pg_constraint
                        WHERE contype = 'c' AND connamespace = 'public'::regnamespace LOOP
             EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', found.relation, found.conname);
           END LOOP;
         END $$",
    )
    .execute(&mut superuser)
    .await
    .unwrap();
    let names: Vec<String> = sqlx::query_scalar(
        "SELECT tablename::text FROM pg_policies WHERE 'akademi_app' = ANY (roles) ORDER BY 1",
    )
    .fetch_all(&mut superuser)
    .await
    .unwrap();
    let mut tables = Vec::new();
    for name in names {
        let tenant = if name == "tenant" { "id" } else { "tenant_id" };
        let rest = format!("ALTER TABLE {name} DISABLE TRIGGER USER");
        sqlx::raw_sql(sqlx::AssertSqlSafe(rest)).execute(&mut superuser).await.unwrap();
        let insert = insert_made_up(&mut superuser, &name, tenant).await;
        for n in [1, 2] {
            let insert = insert.replace("{tenant}", &crate::tenant(n).to_string());
            sqlx::raw_sql(sqlx::AssertSqlSafe(insert)).execute(&mut superuser).await.unwrap();
        }
        tables.push(Table { name, tenant, insert });
    }
    (database, tables)
}

async fn insert_made_up(superuser: &mut PgConnection, table: &str, tenant: &str) -> String {
    let columns = sqlx::query(
        "SELECT column_name::text AS name, udt_name::text AS kind FROM information_schema.columns
         WHERE table_schema = 'public' AND table_name = $1 AND is_nullable = 'NO' AND column_default IS NULL
         AND is_identity = 'NO' AND is_generated = 'NEVER'",
    )
    .bind(table)
    .fetch_all(superuser)
    .await
    .unwrap();
    let (mut names, mut values) = (Vec::new(), Vec::new());
    for column in &columns {
        let (name, kind): (&str, &str) = (column.get("name"), column.get("kind"));
        names.push(name.to_owned());
        values.push(match kind {
            _ if name == tenant => "'{tenant}'",
            "uuid" => "gen_random_uuid()",
            "text" => "md5(random()::text)",
            "bytea" => "decode(md5(random()::text), 'hex')",
            "int2" | "int4" | "int8" => "1",
            "bool" => "false",
            "date" => "'2026-09-21'",
            "jsonb" => "'{}'",
            kind if kind.starts_with('_') => "'{}'",
            kind => panic!("{table}.{name} is of the type {kind}"),
        });
    }
    format!("INSERT INTO {table} ({}) VALUES ({})", names.join(", "), values.join(", "))
}

/// What the first academy can do with the second's row of a table.
async fn leaks(database: &TestDatabase, table: &Table) -> Vec<String> {
    let Table { name, tenant, insert } = table;
    let mut superuser = database.superuser().await.unwrap();
    let mut may = async |privilege: &str| -> bool {
        let sql = format!("SELECT has_any_column_privilege('akademi_app', '{name}', '{privilege}')");
        let sql = if privilege == "DELETE" { sql.replace("_any_column", "_table") } else { sql };
        sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(&mut superuser).await.unwrap()
    };
    let mut found = Vec::new();
    if may("SELECT").await {
        let mut tx = database.postgres().tenant(crate::tenant(1)).await.unwrap();
        let sql = format!("SELECT count(*) FROM {name}");
        let rows: i64 =
            sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(tx.connection()).await.unwrap();
        if rows != 1 {
            found.push(format!("{rows} rows of {name} are seen"));
        }
    }
    if may("UPDATE").await {
        let sql = format!(
            "SELECT column_name::text FROM information_schema.columns WHERE table_name = '{name}'
             AND table_schema = 'public' AND has_column_privilege('akademi_app', '{name}', column_name, 'UPDATE') LIMIT 1"
        );
        let mut superuser = database.superuser().await.unwrap();
        let column: String =
            sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(&mut superuser).await.unwrap();
        let mut tx = database.postgres().tenant(crate::tenant(1)).await.unwrap();
        let sql = format!("UPDATE {name} SET {column} = {column}");
        let changed = sqlx::query(sqlx::AssertSqlSafe(sql)).execute(tx.connection()).await.unwrap();
        if changed.rows_affected() != 1 {
            found.push(format!("{} rows of {name} are changed", changed.rows_affected()));
        }
    }
    if may("DELETE").await {
        let mut tx = database.postgres().tenant(crate::tenant(1)).await.unwrap();
        let sql = format!("DELETE FROM {name}");
        let changed = sqlx::query(sqlx::AssertSqlSafe(sql)).execute(tx.connection()).await.unwrap();
        if changed.rows_affected() != 1 {
            found.push(format!("{} rows of {name} are deleted", changed.rows_affected()));
        }
    }
    if may("INSERT").await {
        let mut tx = database.postgres().tenant(crate::tenant(1)).await.unwrap();
        let insert = insert.replace("{tenant}", &crate::tenant(2).to_string());
        let refused = sqlx::raw_sql(sqlx::AssertSqlSafe(insert)).execute(tx.connection()).await;
        let refused = refused.err().map(|error| error.to_string()).unwrap_or_default();
        if !refused.contains("row-level security") && !refused.contains("permission denied") {
            found.push(format!("a row of another {tenant} is put into {name}: {refused:?}"));
        }
    }
    found
}

#[tokio::test]
async fn each_policy_hides_another_academys_rows_and_without_it_they_are_seen() {
    let (database, tables) = every_table_filled().await;
    for table in &tables {
        assert_eq!(leaks(&database, table).await, Vec::<String>::new());
    }
    let mut superuser = database.superuser().await.unwrap();
    for table in &tables {
        let name = &table.name;
        let drop = format!("DROP POLICY tenant ON {name}; ALTER TABLE {name} DISABLE ROW LEVEL SECURITY");
        sqlx::raw_sql(sqlx::AssertSqlSafe(drop)).execute(&mut superuser).await.unwrap();
        assert!(
            !leaks(&database, table).await.is_empty(),
            "without its policy {name} leaks, and nobody sees it"
        );
    }
    println!("{} tables with and without their policy", tables.len());
}

#[tokio::test]
async fn outside_of_a_transaction_of_ours_the_login_reaches_nothing() {
    use sqlx::ConnectOptions;
    let database = two_academies().await;
    let mut login = database.options().connect().await.unwrap();
    for statement in
        ["SELECT * FROM enrolment", "SELECT * FROM feed_state", "DELETE FROM person", "CREATE TABLE x ()"]
    {
        let error = sqlx::raw_sql(statement).execute(&mut login).await.unwrap_err();
        assert_eq!(error.as_database_error().unwrap().code().unwrap(), "42501", "{statement}");
    }
    // As the role, but without a tenant: no rows, and no error that a missing setting would make.
    for setting in ["RESET app.tenant", "SET app.tenant = ''"] {
        sqlx::raw_sql(setting).execute(&mut login).await.unwrap();
        sqlx::raw_sql("SET ROLE akademi_app").execute(&mut login).await.unwrap();
        let rows: i64 =
            sqlx::query_scalar("SELECT count(*) FROM enrolment").fetch_one(&mut login).await.unwrap();
        assert_eq!(rows, 0);
        sqlx::raw_sql("RESET ROLE").execute(&mut login).await.unwrap();
    }
}

#[tokio::test]
async fn the_platform_writes_for_a_tenant_under_that_tenants_policy_only() {
    let database = two_academies().await;
    let mut platform = database.postgres().platform().await.unwrap();
    let tx = platform.tenant(tenant(1)).await.unwrap();
    let rows: i64 =
        sqlx::query_scalar("SELECT count(*) FROM enrolment").fetch_one(tx.connection()).await.unwrap();
    assert_eq!(rows, 1);
    // Back to the platform and to the next tenant, in one transaction.
    assert_eq!(platform.feed_head().await.unwrap().last_number, 0);
    add_enrolment(platform.tenant(tenant(3)).await.unwrap(), 3).await.unwrap();
    let refused = add_enrolment(platform.tenant(tenant(1)).await.unwrap(), 3).await;
    assert!(refused.is_err());
}
