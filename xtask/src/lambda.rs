//! One zip per Lambda function, for Lambda's runtime `provided.al2023`: Amazon Linux 2023 with glibc 2.34.

use akademi_functions::{FUNCTIONS, Plane};
use anyhow::{Context, bail};
use clap::ValueEnum;
use object::{
    Endianness,
    elf::{DT_NEEDED, FileHeader64},
    read::elf::FileHeader,
};
use std::{
    fmt,
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use crate::{build::target_folder, run};

/// The C library of Amazon Linux 2023.
const GLIBC: GlibcVersion = GlibcVersion([2, 34, 0]);

/// The shared libraries that `provided.al2023` has: those of the C library and of GCC.
const LIBRARIES: &[&str] = &[
    "ld-linux-x86-64.so.2",
    "ld-linux-aarch64.so.1",
    "libc.so.6",
    "libdl.so.2",
    "libgcc_s.so.1",
    "libm.so.6",
    "libpthread.so.0",
    "librt.so.1",
];

/// The function whose libraries a machine has for its own processor only. Lambda has them not at all.
const WITH_FFMPEG: &str = "transcode";

/// The function whose program comes close to its budget.
const WITH_TYPST: &str = "certificates";

/// A processor that Lambda has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Architecture {
    #[value(name = "x86-64")]
    X86_64,
    Arm64,
}

/// Builds all Lambda functions, or one, into `build/lambda`.
///
/// # Errors
/// When this machine cannot build for the processor, with what it lacks; when a function does not build, or would not
/// start on Lambda.
pub fn lambda(architecture: Architecture, only: Option<&str>) -> anyhow::Result<()> {
    let functions: Vec<&str> = FUNCTIONS
        .iter()
        .filter(|function| function.plane == Plane::Lambda && only.is_none_or(|only| only == function.name))
        .map(|function| function.name)
        .collect();
    if functions.is_empty() {
        bail!("there is no Lambda function of this name");
    }
    architecture.check()?;
    fs::create_dir_all("build/lambda")?;
    let mut unfit = Vec::new();
    for function in functions {
        if function == WITH_FFMPEG && !architecture.is_own() {
            println!("{function} is not built: this machine has FFmpeg for its own processor only");
            unfit.push(function);
            continue;
        }
        let zip = format!("build/lambda/{function}{}.zip", architecture.suffix());
        let needs = package(&architecture.build(function)?, Path::new(&zip))?;
        println!("{zip}  {needs}");
        if !needs.are_met() {
            unfit.push(function);
        }
    }
    if unfit.is_empty() {
        return Ok(());
    }
    bail!("provided.al2023 has not what these need: {}; deploy them as container images", unfit.join(", "))
}

impl Architecture {
    /// Rust's name of it.
    fn name(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Arm64 => "aarch64",
        }
    }

    fn target(self) -> String {
        format!("{}-unknown-linux-gnu", self.name())
    }

    /// What links for it, and compiles C for it, on a machine of the other kind.
    fn linker(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64-linux-gnu-gcc",
            Self::Arm64 => "aarch64-linux-gnu-gcc",
        }
    }

    /// Debian's packages of the linker and of the C library that it links.
    fn packages(self) -> &'static str {
        match self {
            Self::X86_64 => "gcc-x86-64-linux-gnu libc6-dev-amd64-cross",
            Self::Arm64 => "gcc-aarch64-linux-gnu libc6-dev-arm64-cross",
        }
    }

    /// After a function's name, in the name of its zip.
    fn suffix(self) -> &'static str {
        match self {
            Self::X86_64 => "",
            Self::Arm64 => "-arm64",
        }
    }

    fn is_own(self) -> bool {
        self.name() == std::env::consts::ARCH
    }

    /// Whether this machine can build for it.
    fn check(self) -> anyhow::Result<()> {
        if self.is_own() {
            return Ok(());
        }
        let (target, linker) = (self.target(), self.linker());
        let mut missing = String::new();
        let targets = run::output(Command::new("rustup").args(["target", "list", "--installed"]));
        if !targets.is_some_and(|targets| targets.lines().any(|line| line == target)) {
            missing += &format!("\n  the Rust target {target}: rustup target add {target}");
        }
        if run::output(Command::new(linker).arg("--version")).is_none() {
            missing += &format!("\n  the linker {linker}: apt-get install {}", self.packages());
        }
        if missing.is_empty() {
            return Ok(());
        }
        bail!("to build for {}, this machine lacks{missing}", self.name())
    }

    /// Builds a function by itself, so that it links nothing of another; where the program is.
    fn build(self, function: &str) -> anyhow::Result<PathBuf> {
        eprintln!("building {function} for {}", self.name());
        let mut arguments =
            vec!["rustc", "--quiet", "--release", "--package", "akademi-lambda", "--bin", function];
        arguments.extend(["--no-default-features", "--features", function]);
        if function == WITH_TYPST {
            // Ten minutes more, and a tenth less.
            arguments.extend(["--config", "profile.release.lto=\"fat\""]);
        }
        let target = self.target();
        let linker = format!("target.{target}.linker=\"{}\"", self.linker());
        let mut folder = target_folder();
        if !self.is_own() {
            arguments.extend(["--target", &target, "--config", &linker]);
            folder.push(&target);
        }
        // Functions that came out the same are one.
        arguments.extend(["--", "-Clink-arg=-Wl,--icf=all"]);
        run::cargo(arguments)?;
        Ok(folder.join("release").join(function))
    }
}

/// Puts the program into a zip under the name that Lambda starts, and tells what it needs.
fn package(program: &Path, zip: &Path) -> anyhow::Result<Needs> {
    let bytes = fs::read(program).with_context(|| format!("reading {}", program.display()))?;
    let mut writer = ZipWriter::new(File::create(zip)?);
    // Lambda refuses a program that nobody may execute. The time is the format's first, so that the same program makes
    // the same zip.
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(9))
        .unix_permissions(0o755);
    writer.start_file("bootstrap", options)?;
    writer.write_all(&bytes)?;
    let packed = writer.finish()?.metadata()?.len();
    let (glibc, missing) = needs(&bytes).with_context(|| format!("reading {}", program.display()))?;
    Ok(Needs { packed, glibc, missing })
}

/// What a program asks of the machine that starts it.
struct Needs {
    /// Bytes of the zip.
    packed: u64,
    /// The newest symbols of the C library.
    glibc: GlibcVersion,
    /// Shared libraries that Lambda does not have.
    missing: Vec<String>,
}

impl Needs {
    fn are_met(&self) -> bool {
        self.glibc <= GLIBC && self.missing.is_empty()
    }
}

impl fmt::Display for Needs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { packed, glibc, missing } = self;
        write!(f, "{packed} bytes, needs glibc {glibc} (there is {GLIBC})")?;
        if missing.is_empty() {
            Ok(())
        } else {
            write!(f, " and {}, which are not there", missing.join(", "))
        }
    }
}

/// `2.34` or `2.2.5`, compared number by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
struct GlibcVersion([u32; 3]);

impl GlibcVersion {
    /// Of a symbol version, `GLIBC_2.34`; nothing for another library's.
    fn of(symbol_version: &str) -> Option<Self> {
        let mut numbers = symbol_version.strip_prefix("GLIBC_")?.split('.').map(str::parse);
        let mut number = || numbers.next().unwrap_or(Ok(0)).ok();
        Some(Self([number()?, number()?, number()?]))
    }
}

impl fmt::Display for GlibcVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.0;
        write!(f, "{major}.{minor}")?;
        if patch == 0 { Ok(()) } else { write!(f, ".{patch}") }
    }
}

/// The newest glibc that a program's symbols are of, and the shared libraries that are not on Lambda (System V ABI, "Dynamic
/// Section"; LSB 5.0, "Symbol Version Requirements").
fn needs(program: &[u8]) -> anyhow::Result<(GlibcVersion, Vec<String>)> {
    let header = FileHeader64::<Endianness>::parse(program)?;
    let endian = header.endian()?;
    let sections = header.sections(endian, program)?;
    let mut glibc = GlibcVersion::default();
    if let Some((mut requirements, names)) = sections.gnu_verneed(endian, program)? {
        let names = sections.strings(endian, program, names)?;
        while let Some((_, mut versions)) = requirements.next()? {
            while let Some(version) = versions.next()? {
                let name = String::from_utf8_lossy(version.name(endian, names)?);
                glibc = glibc.max(GlibcVersion::of(&name).unwrap_or_default());
            }
        }
    }
    let dynamic = sections.dynamic_table(endian, program)?;
    let mut missing = Vec::new();
    for entry in dynamic.iter().filter(|entry| entry.tag == DT_NEEDED) {
        let library = String::from_utf8_lossy(dynamic.string(entry)?).into_owned();
        if !LIBRARIES.contains(&library.as_str()) {
            missing.push(library);
        }
    }
    Ok((glibc, missing))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_number_by_number() {
        let version = |text| GlibcVersion::of(text).unwrap();
        assert!(version("GLIBC_2.4") < version("GLIBC_2.34"));
        assert!(version("GLIBC_2.3.4") < version("GLIBC_2.34") && version("GLIBC_2.34") <= GLIBC);
        assert!(GlibcVersion::of("GCC_3.0").is_none());
    }

    #[test]
    fn this_program_needs_a_c_library() {
        let own = fs::read(std::env::current_exe().unwrap()).unwrap();
        let (glibc, missing) = needs(&own).unwrap();
        assert!(glibc >= GlibcVersion([2, 2, 5]), "{glibc}");
        assert!(missing.is_empty(), "{missing:?}");
    }
}
