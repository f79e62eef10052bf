//! PostgreSQL's own programs on this machine, and the account that they run under: it refuses to run as root.

use std::{
    ffi::OsStr,
    fs, io,
    os::unix::{
        fs::{MetadataExt, PermissionsExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::cluster::ClusterError;

/// The system account that Debian's package makes.
const ACCOUNT: &str = "postgres";

/// The folder of the server's programs, and who runs them.
#[derive(Debug, Clone)]
pub(crate) struct Programs {
    folder: PathBuf,
    account: Option<Account>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Account {
    user: u32,
    group: u32,
}

impl Programs {
    /// Looks where `pg_config` says, in Debian's folders (newest first), and in PATH.
    pub(crate) fn find() -> Result<Self, ClusterError> {
        let folder = candidates()
            .into_iter()
            .find(|folder| ["initdb", "pg_ctl", "postgres"].iter().all(|name| folder.join(name).is_file()))
            .ok_or(ClusterError::NotInstalled)?;
        let account = if rustix::process::geteuid().is_root() { Some(Account::find()?) } else { None };
        Ok(Self { folder, account })
    }

    pub(crate) fn path(&self, program: &str) -> PathBuf {
        self.folder.join(program)
    }

    /// A command under the server's account, with nothing to read and out of the reach of the terminal's Ctrl-C.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        // The current folder may be closed to the account, and PG* variables name other people's servers.
        command.current_dir("/").stdin(Stdio::null()).process_group(0).env("LC_ALL", "C");
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PG") {
                command.env_remove(name);
            }
        }
        if let Some(account) = self.account {
            command.uid(account.user).gid(account.group);
        }
        command
    }

    /// Runs one of the programs to its end. Its output goes to files, since the server inherits it and stays.
    pub(crate) fn run(
        &self,
        name: &'static str,
        arguments: &[&OsStr],
        log: &Path,
    ) -> Result<(), ClusterError> {
        let output =
            fs::File::create(log).map_err(|source| ClusterError::Folder { path: log.into(), source })?;
        let errors =
            output.try_clone().map_err(|source| ClusterError::Folder { path: log.into(), source })?;
        let status = self
            .command(self.path(name))
            .args(arguments)
            .stdout(output)
            .stderr(errors)
            .status()
            .map_err(|source| ClusterError::Program { name, source })?;
        if status.success() {
            return Ok(());
        }
        Err(ClusterError::Failed { name, output: fs::read_to_string(log).unwrap_or_default() })
    }

    /// Makes a folder that only the server's account (and root) can enter. One that belongs to somebody else is refused:
    /// whoever owns it could pass for the server.
    pub(crate) fn make_private_folder(&self, path: &Path) -> Result<(), ClusterError> {
        let failed = |source| ClusterError::Folder { path: path.into(), source };
        fs::create_dir_all(path).map_err(failed)?;
        let owner = match self.account {
            Some(account) => {
                if fs::symlink_metadata(path).map_err(failed)?.uid() == 0 {
                    chown(path, Some(account.user), Some(account.group)).map_err(failed)?;
                }
                account.user
            }
            None => rustix::process::geteuid().as_raw(),
        };
        let metadata = fs::symlink_metadata(path).map_err(failed)?;
        if !metadata.is_dir() || metadata.uid() != owner {
            return Err(failed(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "belongs to another account",
            )));
        }
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(failed)
    }

    /// The first folder above `path` that the server's account cannot enter.
    pub(crate) fn closed_ancestor(&self, path: &Path) -> Option<PathBuf> {
        let account = self.account?;
        let closed = |folder: &&Path| {
            fs::metadata(folder).is_ok_and(|metadata| {
                let bit = match () {
                    () if metadata.uid() == account.user => 0o100,
                    () if metadata.gid() == account.group => 0o010,
                    () => 0o001,
                };
                metadata.mode() & bit == 0
            })
        };
        path.ancestors().skip(1).find(closed).map(Path::to_path_buf)
    }
}

impl Account {
    fn find() -> Result<Self, ClusterError> {
        let accounts = fs::read_to_string("/etc/passwd").map_err(|_| ClusterError::NoAccount)?;
        accounts.lines().find_map(parse_account).ok_or(ClusterError::NoAccount)
    }
}

/// passwd(5): name, password, user id, group id, and more.
fn parse_account(line: &str) -> Option<Account> {
    let mut fields = line.split(':');
    if fields.next()? != ACCOUNT {
        return None;
    }
    Some(Account { user: fields.nth(1)?.parse().ok()?, group: fields.next()?.parse().ok()? })
}

fn candidates() -> Vec<PathBuf> {
    let configured = Command::new("pg_config")
        .arg("--bindir")
        .stderr(Stdio::null())
        .output()
        .ok()
        .map(|output| PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
    let mut debian: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    debian.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    let path = std::env::var_os("PATH").unwrap_or_default();
    configured
        .into_iter()
        .chain(debian.into_iter().map(|(_, folder)| folder))
        .chain(std::env::split_paths(&path))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_is_read_from_passwd() {
        let account =
            parse_account("postgres:x:101:104:PostgreSQL administrator,,,:/var/lib/postgresql:/bin/bash");
        let account = account.unwrap();
        assert_eq!((account.user, account.group), (101, 104));
        assert!(parse_account("postgresql:x:1:1::/:/bin/sh").is_none());
        assert!(parse_account("postgres:x").is_none());
    }
}
