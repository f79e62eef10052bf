//! A database per test, in tens of milliseconds, on one private server that all test processes of a run share.
//!
//! The first process that needs the server starts it, makes a migrated template and leaves a watchdog; every other finds
//! it through two file locks, which the kernel drops however a process ends. `start` is held while starting; `users` is
//! held shared by every test process. The watchdog, who alone asks for `users` exclusively, ends the server and deletes
//! its folder when nobody has held it for a while. What a killed run left is deleted by the next start.

pub mod ports;

use sha2::{Digest, Sha256};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};
use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use crate::{
    cluster::{Cluster, ClusterError, Durability, SUPERUSER},
    error::StoreError,
    migrations::fingerprint,
    postgres::Postgres,
    programs::Programs,
    provision::{LOGIN, OWNER, database_exists, provision},
};

/// Connections of a test's pool: enough for a race of 16.
const POOL: u32 = 20;

/// Looks every second whether anybody uses the server, and ends it after 20 seconds without. `$1` folder, `$2` pg_ctl.
const WATCHDOG: &str = r#"
exec 9>"$1/users"
idle=0
while sleep 1; do
    [ -e "$1/server/data/postmaster.pid" ] || exit 0
    if flock --exclusive --nonblock 9; then
        idle=$((idle + 1))
        if [ "$idle" -ge 20 ]; then
            "$2" stop -D "$1/server/data" -m immediate
            rm -rf "$1/server"
            exit 0
        fi
        flock --unlock 9
    else
        idle=0
    fi
done
"#;

/// Why a test got no database.
#[derive(Debug, thiserror::Error)]
pub enum TestDatabaseError {
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    #[error("the database refused: {0:?}")]
    Store(#[from] StoreError),
    #[error("{}: {source}", path.display())]
    Lock { path: PathBuf, source: io::Error },
    #[error("the watchdog did not start: {0}")]
    Watchdog(io::Error),
    #[error("no runtime: {0}")]
    Runtime(io::Error),
}

impl From<sqlx::Error> for TestDatabaseError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// A fresh migrated database, dropped with this value.
#[derive(Debug)]
pub struct TestDatabase {
    cluster: Cluster,
    name: String,
    postgres: Postgres,
}

impl TestDatabase {
    pub async fn new() -> Result<Self, TestDatabaseError> {
        let (cluster, template) = shared_cluster()?;
        let mut superuser = cluster.options(SUPERUSER, "postgres").connect().await?;
        let name = unused_name();
        // A process of an earlier run may have had this id and been killed before it could drop its database.
        for statement in [
            format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
            format!("CREATE DATABASE {name} TEMPLATE {template} OWNER {OWNER}"),
        ] {
            sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut superuser).await?;
        }
        superuser.close().await?;
        let postgres = Postgres::new(cluster.options(LOGIN, &name), POOL);
        Ok(Self { cluster, name, postgres })
    }

    /// The database as functions reach it.
    pub fn postgres(&self) -> &Postgres {
        &self.postgres
    }

    /// The options of a function's login, for what takes an address.
    pub fn options(&self) -> sqlx::postgres::PgConnectOptions {
        self.cluster.options(LOGIN, &self.name)
    }

    /// The address of the same, for what reads `database_url`.
    pub fn url(&self) -> String {
        let options = self.options();
        let socket = options.get_socket().map(|folder| folder.display().to_string()).unwrap_or_default();
        let (login, port) = (options.get_username(), options.get_port());
        format!("postgres://{login}@localhost/{}?host={socket}&port={port}&sslmode=disable", self.name)
    }

    /// The options of the tables' owner, who migrates.
    pub fn owner_options(&self) -> sqlx::postgres::PgConnectOptions {
        self.cluster.options(OWNER, &self.name)
    }

    /// Around row-level security, for a test that takes a protection away or looks from outside.
    pub async fn superuser(&self) -> Result<PgConnection, TestDatabaseError> {
        Ok(self.cluster.options(SUPERUSER, &self.name).connect().await?)
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let options = self.cluster.options(SUPERUSER, "postgres");
        let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let dropped = block_on(move || async move {
            let mut superuser = options.connect().await?;
            sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut superuser).await?;
            Ok(superuser.close().await?)
        });
        if let Err(error) = dropped {
            eprintln!("the test's database {} stays: {error}", self.name);
        }
    }
}

/// The server, and the lock that this process holds on it while it lives.
struct Shared {
    cluster: Cluster,
    template: String,
    _users: File,
}

fn shared_cluster() -> Result<(Cluster, String), TestDatabaseError> {
    static SHARED: Mutex<Option<Shared>> = Mutex::new(None);
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    let shared = match &mut *shared {
        Some(shared) => shared,
        none => none.insert(join_or_start()?),
    };
    Ok((shared.cluster.clone(), shared.template.clone()))
}

fn join_or_start() -> Result<Shared, TestDatabaseError> {
    let folder = shared_folder();
    let server = folder.join("server");
    // Under the server's account, so that the watchdog may open the lock and delete the server's folder.
    Programs::find()?.make_private_folder(&folder)?;
    // In this order: who holds `users` keeps the watchdog from ending the server that `start` finds.
    let users = locked(&folder.join("users"), File::lock_shared)?;
    let start = locked(&folder.join("start"), File::lock)?;
    let stale = server.exists() && !is_alive(&server);
    if stale {
        fs::remove_dir_all(&server)
            .map_err(|source| TestDatabaseError::Lock { path: server.clone(), source })?;
    }
    let fresh = !server.exists();
    let cluster = Cluster::start(&server, Durability::Disposable)?;
    if fresh {
        start_watchdog(&cluster, &folder)?;
    }
    let template = ensure_template(&cluster)?;
    drop(start);
    Ok(Shared { cluster, template, _users: users })
}

/// One per account and checkout. Not in the target folder: where root builds, the server's account cannot enter it.
fn shared_folder() -> PathBuf {
    let mut identity = Sha256::new();
    identity.update(env!("CARGO_MANIFEST_DIR"));
    identity.update(rustix::process::geteuid().as_raw().to_le_bytes());
    let digest = hex::encode(identity.finalize());
    std::env::temp_dir().join(format!("akademi-test-{}", digest.get(..12).unwrap_or_default()))
}

fn locked(path: &Path, lock: impl Fn(&File) -> io::Result<()>) -> Result<File, TestDatabaseError> {
    let open = || {
        let file = File::options().create(true).truncate(false).write(true).open(path)?;
        lock(&file)?;
        Ok(file)
    };
    open().map_err(|source| TestDatabaseError::Lock { path: path.into(), source })
}

/// A server that was killed leaves its process id behind.
fn is_alive(server: &Path) -> bool {
    let pid = fs::read_to_string(server.join("data/postmaster.pid")).unwrap_or_default();
    let pid = pid.lines().next().unwrap_or_default();
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    !pid.is_empty() && name.trim() == "postgres"
}

fn start_watchdog(cluster: &Cluster, folder: &Path) -> Result<(), TestDatabaseError> {
    let programs = cluster.programs();
    let users = folder.join("users");
    fs::set_permissions(&users, std::os::unix::fs::PermissionsExt::from_mode(0o666))
        .map_err(|source| TestDatabaseError::Lock { path: users, source })?;
    programs
        .command("/bin/sh")
        .args(["-c", WATCHDOG, "akademi-test-watchdog"])
        .arg(folder)
        .arg(programs.path("pg_ctl"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(TestDatabaseError::Watchdog)?;
    Ok(())
}

/// The database that others are copied from, named after its migrations: two checkouts of one file never mix.
fn ensure_template(cluster: &Cluster) -> Result<String, TestDatabaseError> {
    let template = format!("template_{}", fingerprint());
    let unfinished = format!("{template}_unfinished");
    let (cluster, name) = (cluster.clone(), template.clone());
    block_on(move || async move {
        let mut superuser = cluster.options(SUPERUSER, "postgres").connect().await?;
        if !database_exists(&mut superuser, &name).await? {
            provision(&cluster, &unfinished).await?;
            sqlx::raw_sql(AssertSqlSafe(format!("ALTER DATABASE {unfinished} RENAME TO {name}")))
                .execute(&mut superuser)
                .await?;
        }
        Ok(superuser.close().await?)
    })?;
    Ok(template)
}

fn unused_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("test_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// On a thread and runtime of its own: the caller may stand in a test's runtime, or in a destructor.
fn block_on<T, F>(work: impl FnOnce() -> F + Send + 'static) -> Result<T, TestDatabaseError>
where
    T: Send + 'static,
    F: Future<Output = Result<T, TestDatabaseError>>,
{
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.map_err(TestDatabaseError::Runtime)?.block_on(work())
    });
    match thread.join() {
        Ok(result) => result,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}
