//! The same application on a real Spin, where there is one.

use std::{ffi::OsString, fmt::Write as _, net::SocketAddr, path::Path, process::Stdio, time::Duration};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::{Child, Command},
    sync::mpsc,
};

use crate::{
    host::{Host, Options, Running, StartError, Stop},
    log::{Line, Log, Source},
    sqlite,
};

/// How long a real Spin may take to say where it serves.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// Starts the application on this crate's host, or, if the environment variable `SPIN` names a `spin` program
/// (4.1 or newer), on that one, so that the same tests run on both.
///
/// On a real Spin, databases and blocked networks are handed over by a runtime-config file; times are whole seconds,
/// rounded up; the limits of bodies and faults do not exist; [`Running::instances`] knows nothing; and the log holds the
/// output of the whole program under the component name `spin`.
pub async fn serve(manifest_path: &Path, options: Options) -> Result<Running, StartError> {
    match std::env::var_os("SPIN").filter(|program| !program.is_empty()) {
        Some(program) => start(program, manifest_path, options).await,
        None => Host::start(manifest_path, options).await,
    }
}

/// A running `spin up`, killed on drop.
pub(crate) struct Process {
    child: Child,
    /// Its state and the runtime-config file.
    _folder: TempDir,
}

impl Process {
    pub(crate) async fn stop(mut self) {
        self.kill();
        // What cannot be waited for has been waited for.
        drop(self.child.wait().await);
    }

    /// `spin up` serves in a process of its own below it, which outlives it: the whole group has to go.
    fn kill(&self) {
        if let Some(group) = self.child.id().and_then(|id| i32::try_from(id).ok()) {
            // SAFETY: a call without pointers. The child leads this group and is not reaped yet: `id` says so.
            unsafe { libc::kill(-group, libc::SIGKILL) };
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

async fn start(program: OsString, manifest_path: &Path, options: Options) -> Result<Running, StartError> {
    let refuse = |error: std::io::Error| StartError::Spin(error.to_string());
    let folder = TempDir::new().map_err(refuse)?;
    let mut runtime_config = String::new();
    for (name, path) in &options.sqlite {
        sqlite::prepare_file(path).map_err(|error| StartError::Database { name: name.clone(), error })?;
        let path = std::path::absolute(path).map_err(refuse)?;
        let quoted = toml::Value::String(path.display().to_string());
        // Writing into a String does not fail.
        let _ = writeln!(runtime_config, "[sqlite_database.{name}]\ntype = \"spin\"\npath = {quoted}");
    }
    if options.block_private_networks {
        runtime_config.push_str("[outbound_networking]\nblock_networks = [\"private\"]\n");
    }
    let runtime_config_path = folder.path().join("runtime-config.toml");
    std::fs::write(&runtime_config_path, runtime_config).map_err(refuse)?;

    let limits = options.limits;
    let mut command = Command::new(program);
    command
        .arg("up")
        .arg("--from")
        .arg(manifest_path)
        .arg("--listen")
        .arg(options.listen.to_string())
        .arg("--state-dir")
        .arg(folder.path())
        .arg("--log-dir")
        .arg(folder.path())
        .arg("--runtime-config-file")
        .arg(&runtime_config_path)
        .arg("--max-instance-reuse-count")
        .arg(limits.requests_per_instance.to_string())
        .arg("--max-instance-concurrent-reuse-count")
        .arg(limits.concurrent_requests.to_string())
        .arg("--idle-instance-timeout")
        .arg(seconds(limits.idle_instance))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    if let Some(timeout) = limits.request_timeout {
        command.arg("--request-timeout").arg(seconds(timeout));
    }
    for (name, value) in &options.variables {
        command.arg("--variable").arg(format!("{name}={value}"));
    }
    let child = command.spawn().map_err(refuse)?;
    let mut process = Process { child, _folder: folder };

    let log = Log::new(options.echo);
    let (addresses, mut address) = mpsc::channel(1);
    if let Some(stdout) = process.child.stdout.take() {
        tokio::spawn(follow(stdout, Source::Stdout, log.clone(), addresses));
    }
    if let Some(stderr) = process.child.stderr.take() {
        let (unheard, _) = mpsc::channel(1);
        tokio::spawn(follow(stderr, Source::Stderr, log.clone(), unheard));
    }
    let address = tokio::time::timeout(START_TIMEOUT, address.recv()).await;
    let Ok(Some(addr)) = address else {
        return Err(StartError::Spin(format!("does not serve; it said: {}", log.text())));
    };
    Ok(Running { addr, log, stop: Stop::Spin(process) })
}

/// As `--idle-instance-timeout` and `--request-timeout` take a time: Spin 4 reads every unit that ends in `s` as seconds,
/// so that `150ms` is refused.
fn seconds(time: Duration) -> String {
    format!("{}s", time.as_millis().div_ceil(1000))
}

/// Takes a stream of the program into the log, and the address out of the line that tells it.
async fn follow(
    stream: impl AsyncRead + Unpin,
    source: Source,
    log: Log,
    addresses: mpsc::Sender<SocketAddr>,
) {
    let mut lines = BufReader::new(stream).lines();
    while let Ok(Some(text)) = lines.next_line().await {
        let told = text
            .split_once("Serving")
            .and_then(|(_, rest)| rest.split_once("http://"))
            .and_then(|(_, address)| address.trim().parse().ok());
        log.push(Line { component: "spin".to_owned(), source, text });
        if let Some(address) = told {
            // The first one is enough.
            let _ = addresses.try_send(address);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::PermissionsExt};

    #[tokio::test]
    async fn a_named_program_is_started_as_spin_and_its_address_is_taken() {
        let folder = TempDir::new().unwrap();
        let program = folder.path().join("spin");
        let script = "#!/bin/sh\nfor argument; do echo \"<$argument>\"; done\nwhile [ $# -gt 1 ]; do\n\
                      [ \"$1\" = --runtime-config-file ] && cat \"$2\"; shift; done\n\
                      echo 'Serving http://127.0.0.1:4321'\nexec sleep 1000\n";
        fs::write(&program, script).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let database = folder.path().join("x.db");
        let mut options = Options::default();
        options.variables.insert("token".into(), "s3cret".into());
        options.sqlite.insert("default".into(), database.clone());
        options.limits.idle_instance = Duration::from_millis(1_500);
        options.block_private_networks = true;

        let running = start(program.into(), Path::new("spin.toml"), options).await.unwrap();
        assert_eq!(running.addr, SocketAddr::from(([127, 0, 0, 1], 4321)));
        let said = running.log().text();
        for expected in [
            "<up>\n<--from>\n<spin.toml>\n<--listen>\n<127.0.0.1:0>\n",
            "<--variable>\n<token=s3cret>\n",
            "<--max-instance-reuse-count>\n<128>\n<--max-instance-concurrent-reuse-count>\n<16>\n",
            "<--idle-instance-timeout>\n<2s>\n",
            "[outbound_networking]\nblock_networks = [\"private\"]\n",
            "[sqlite_database.default]\ntype = \"spin\"\n",
            &format!("path = \"{}\"", database.display()),
        ] {
            assert!(said.contains(expected), "{expected}\n{said}");
        }
        assert!(database.exists());
        running.shutdown().await;
    }

    #[tokio::test]
    async fn a_program_that_ends_without_serving_is_an_error_with_what_it_said() {
        let error = start("echo".into(), Path::new("spin.toml"), Options::default()).await.err().unwrap();
        assert!(error.to_string().contains("up --from spin.toml"), "{error}");
    }
}
