//! A private PostgreSQL server: its own data folder, reached through a Unix socket in a folder that nobody else can
//! enter, and no TCP port. For `cargo xtask dev`, for a self-hosted machine, and for tests.

use sha2::{Digest, Sha256};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use std::{
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
};

use crate::programs::Programs;

/// The administrator that `initdb` makes. Peers on the socket are trusted: only the folder's owner gets there.
pub const SUPERUSER: &str = "postgres";
/// sockaddr_un holds 108 bytes with the NUL; the server appends `/.s.PGSQL.5432`.
const LONGEST_SOCKET_FOLDER: usize = 90;
/// Seconds to wait for a start or a stop: recovery after a crash takes a while.
const PATIENCE: &str = "120";

/// Whether what was committed has to outlive a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    Durable,
    /// For tests: nothing is synced, and a crash may lose the whole cluster.
    Disposable,
}

/// Why there is no server. Shown to whoever runs the machine.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    #[error(
        "PostgreSQL's server programs (initdb, pg_ctl, postgres) are not on this machine; \
         on Debian or Ubuntu they come with: apt-get install postgresql"
    )]
    NotInstalled,
    #[error(
        "PostgreSQL does not run as root, and there is no account `postgres` for it; \
         on Debian or Ubuntu it comes with: apt-get install postgresql"
    )]
    NoAccount,
    #[error("the account `postgres` cannot enter {}, which the data folder lies in", .0.display())]
    Closed(PathBuf),
    #[error("{}: {source}", path.display())]
    Folder { path: PathBuf, source: io::Error },
    #[error("{name} did not start: {source}")]
    Program { name: &'static str, source: io::Error },
    #[error("{name} failed:\n{output}")]
    Failed { name: &'static str, output: String },
}

/// A running server. Dropping this leaves it running: [`Cluster::stop`] ends it.
#[derive(Debug, Clone)]
pub struct Cluster {
    programs: Programs,
    folder: PathBuf,
    socket_dir: PathBuf,
}

impl Cluster {
    /// Starts the server of this folder, making its data at first; a server of this folder that still runs (its starter
    /// was killed) is taken over. Blocks until it accepts connections.
    pub fn start(folder: &Path, durability: Durability) -> Result<Self, ClusterError> {
        let programs = Programs::find()?;
        let absolute = std::path::absolute(folder)
            .map_err(|source| ClusterError::Folder { path: folder.into(), source })?;
        if let Some(closed) = programs.closed_ancestor(&absolute) {
            return Err(ClusterError::Closed(closed));
        }
        programs.make_private_folder(&absolute)?;
        let socket_dir = socket_folder(&absolute);
        programs.make_private_folder(&socket_dir)?;
        let cluster = Self { programs, folder: absolute, socket_dir };
        if cluster.is_running() {
            return Ok(cluster);
        }
        cluster.initialise(durability)?;
        cluster.configure(durability)?;
        let log = cluster.folder.join("server.log");
        cluster.pg_ctl("start", &["-l".as_ref(), log.as_os_str()]).map_err(|error| match error {
            // pg_ctl only says that the log tells more.
            ClusterError::Failed { name, output } => {
                let log = fs::read_to_string(&log).unwrap_or_default();
                let last: Vec<&str> = log.lines().rev().take(5).collect();
                let last = last.into_iter().rev().collect::<Vec<_>>().join("\n");
                ClusterError::Failed { name, output: format!("{output}\n{last}") }
            }
            error => error,
        })?;
        Ok(cluster)
    }

    /// Ends the server: transactions are rolled back, what was committed is written. Blocks until it is gone.
    pub fn stop(self) -> Result<(), ClusterError> {
        if self.is_running() { self.pg_ctl("stop", &["-m".as_ref(), "fast".as_ref()]) } else { Ok(()) }
    }

    /// Whether the server runs.
    pub fn is_running(&self) -> bool {
        self.data().join("postmaster.pid").exists() && self.pg_ctl("status", &[]).is_ok()
    }

    /// The folder of the Unix socket.
    pub fn socket_dir(&self) -> &Path {
        &self.socket_dir
    }

    /// How a role reaches a database of this server.
    pub fn options(&self, role: &str, database: &str) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .socket(&self.socket_dir)
            .port(5432)
            .username(role)
            .database(database)
            .ssl_mode(PgSslMode::Disable)
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    #[cfg(feature = "testing")]
    pub(crate) fn programs(&self) -> &Programs {
        &self.programs
    }

    /// `initdb` builds in a folder beside it and the rename makes it count, so that one broken off is begun anew.
    fn initialise(&self, durability: Durability) -> Result<(), ClusterError> {
        let data = self.data();
        if data.exists() {
            return Ok(());
        }
        let unfinished = self.folder.join("data.unfinished");
        let failed = |source| ClusterError::Folder { path: unfinished.clone(), source };
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished).map_err(failed)?;
        }
        let mut arguments: Vec<&OsStr> = [
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--auth=trust",
            "--username",
            SUPERUSER,
            "--no-instructions",
        ]
        .map(OsStr::new)
        .to_vec();
        if durability == Durability::Disposable {
            arguments.push("--no-sync".as_ref());
        }
        arguments.extend(["--pgdata".as_ref(), unfinished.as_os_str()]);
        self.programs.run("initdb", &arguments, &self.folder.join("initdb.log"))?;
        fs::rename(&unfinished, &data).map_err(failed)
    }

    /// The whole configuration, written at every start: nothing that somebody left in the folder decides.
    fn configure(&self, durability: Durability) -> Result<(), ClusterError> {
        let sockets = self.socket_dir.to_string_lossy().replace('\'', "''");
        let durability = match durability {
            Durability::Durable => "max_connections = 50\nshared_buffers = 128MB\n",
            Durability::Disposable => {
                "max_connections = 300\nshared_buffers = 64MB\nfsync = off\nsynchronous_commit = off\n\
                 full_page_writes = off\nwal_level = minimal\nmax_wal_senders = 0\nautovacuum = off\n"
            }
        };
        let text = format!(
            "listen_addresses = ''\nunix_socket_directories = '{sockets}'\nport = 5432\ntimezone = 'UTC'\n\
             log_timezone = 'UTC'\nlc_messages = 'C'\nlog_min_messages = warning\njit = off\n{durability}"
        );
        let path = self.data().join("postgresql.conf");
        fs::write(&path, text).map_err(|source| ClusterError::Folder { path, source })
    }

    fn pg_ctl(&self, action: &str, more: &[&OsStr]) -> Result<(), ClusterError> {
        let data = self.data();
        let mut arguments: Vec<&OsStr> = vec![action.as_ref(), "-D".as_ref(), data.as_os_str()];
        if action != "status" {
            arguments.extend(["-w", "-t", PATIENCE].map(OsStr::new));
        }
        arguments.extend(more);
        self.programs.run("pg_ctl", &arguments, &self.folder.join(format!("pg_ctl-{action}.log")))
    }
}

/// Beside the data; where that path is too long for a socket, in the folder for temporary files.
fn socket_folder(folder: &Path) -> PathBuf {
    let beside = folder.join("socket");
    if beside.as_os_str().len() <= LONGEST_SOCKET_FOLDER {
        return beside;
    }
    let digest = hex::encode(Sha256::digest(folder.as_os_str().as_encoded_bytes()));
    std::env::temp_dir().join(format!("akademi-socket-{}", digest.get(..16).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deep_folder_has_its_socket_where_the_path_is_short() {
        assert_eq!(socket_folder(Path::new("/srv/akademi")), Path::new("/srv/akademi/socket"));
        let deep = PathBuf::from(format!("/{}", "x".repeat(120)));
        let socket = socket_folder(&deep);
        assert!(socket.as_os_str().len() <= LONGEST_SOCKET_FOLDER, "{socket:?}");
        assert_ne!(socket, socket_folder(&deep.join("y")));
    }
}
