//! `cargo xtask`: the project's own commands. It stays small, so that the first command on a fresh machine
//! begins within seconds; what is heavy is another program that it builds and runs.

mod audit;
mod bench;
mod build;
mod component;
mod coverage;
mod faults;
mod gates;
mod install;
mod lambda;
mod manifests;
mod parity;
mod run;
mod size;
mod tenant;
mod test;

use anyhow::Context;
use clap::{Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about = "Akademi's own commands")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run everything on this machine, with demo academies, on one URL
    Dev {
        /// Where to listen
        #[arg(long, default_value = "127.0.0.1:3000")]
        listen: String,
        /// Where data is kept between starts
        #[arg(long, default_value = ".akademi")]
        data: String,
    },
    /// Run all tests, or one group
    Test {
        #[arg(long, value_enum)]
        only: Option<test::Group>,
    },
    /// Build the functions for a host
    Build {
        #[arg(long, value_enum)]
        host: Host,
        /// Only this function of Lambda's
        #[arg(long)]
        function: Option<String>,
        /// The processor of Lambda's functions
        #[arg(long, value_enum, default_value_t = lambda::Architecture::X86_64)]
        arch: lambda::Architecture,
    },
    /// Walk the learner's journey over HTTP against whatever runs at a URL
    Journey {
        /// The academy's own address, as http://umraniye.localhost:3000
        #[arg(long)]
        base: String,
        /// A course as Open edX Studio exports it; the demo's own when none is named
        #[arg(long)]
        course: Option<PathBuf>,
    },
    /// Send the same requests to every host and compare the answers with the local host's
    Parity {
        /// Only this host; may be repeated
        #[arg(long, value_enum)]
        host: Vec<parity::Host>,
    },
    /// Measure the edge's hot routes in a release build, beside plain routes on the same server
    Bench {
        /// Only this route: heartbeats, list, page, certificate or me; or `hosts`: all of them on local, the component
        /// host, workerd and the Spin that `SPIN` names, beside each engine's empty function; or `media`: a video's ladder
        /// beside the `ffmpeg` program, or `images`: a photo in all sizes and formats beside libvips; or `trust`, `orders` or
        /// `progress`, which the README tells of
        name: Option<String>,
        /// How long each is measured, after a warm-up
        #[arg(long, default_value_t = 4)]
        seconds: u32,
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Live through seeded histories of orders, callbacks, crashes and losses, and check the books after each
    Faults {
        /// How many histories
        #[arg(long, default_value_t = 2000)]
        seeds: u64,
        /// The first one's seed: a history that failed is lived through again with `--seeds 1`
        #[arg(long, default_value_t = 0)]
        first: u64,
    },
    /// Count the lines that the tests run, crate by crate: 80 % of the rules, 70 % overall
    Coverage {
        /// Only the tests of this crate; may be repeated
        #[arg(long)]
        package: Vec<String>,
    },
    /// Weigh every function, list what components import and time their starts, beside their budgets
    Size {
        /// Only bytes and imports
        #[arg(long)]
        check: bool,
    },
    /// Bundle the scripts of the academy's pages
    Pages,
    /// Write the API document from the code
    Openapi,
    /// Write spin.toml from the table of functions
    Manifests {
        /// Only say whether it is up to date
        #[arg(long)]
        check: bool,
    },
    /// Look after the academies' audit logs
    Audit {
        #[command(subcommand)]
        command: AuditCommand,
    },
    /// Make, suspend, delete and have back academies: see its own --help
    #[command(disable_help_flag = true)]
    Tenant {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Install what is missing on this machine
    Install,
}

#[derive(Subcommand)]
enum AuditCommand {
    /// Walk every chain and say which number does not follow
    Verify {
        /// Only this academy, by its slug
        #[arg(long)]
        tenant: Option<String>,
        /// The URL of PostgreSQL; without it DATABASE_URL, or the `cargo xtask dev` that runs
        #[arg(long)]
        database: Option<String>,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Host {
    Spin,
    Worker,
    Lambda,
}

fn main() -> anyhow::Result<()> {
    let mut arguments = Arguments::parse();
    if let Command::Journey { course: Some(course), .. } = &mut arguments.command {
        *course = std::path::absolute(&*course)?;
    }
    std::env::set_current_dir(root()?).context("entering the workspace")?;
    match arguments.command {
        Command::Dev { listen, data } => {
            install::install(install::Purpose::Dev)?;
            run::cargo(["build", "--package", "akademi-local", "--package", "akademi-payment-sandbox"])?;
            let built = build::target_folder().join("debug");
            let mut local = std::process::Command::new(built.join("akademi-local"));
            local.args(["--demo", "--listen", &listen, "--data", &data]);
            local.arg("--payment-sandbox").arg(built.join("akademi-payment-sandbox"));
            // In the place of this process, so that Ctrl-C reaches it and the prompt comes back when all is over.
            Err(std::os::unix::process::CommandExt::exec(&mut local).into())
        }
        Command::Test { only } => test::test(only),
        Command::Build { host: Host::Spin, .. } => build::spin(),
        Command::Build { host: Host::Worker, .. } => build::workers(),
        Command::Build { host: Host::Lambda, function, arch } => lambda::lambda(arch, function.as_deref()),
        Command::Journey { base, course } => {
            install::install(install::Purpose::Dev)?;
            let mut journey = vec!["run", "--package", "akademi-journey", "--", "--base", &base];
            if let Some(course) = &course {
                journey.extend(["--course", course.to_str().context("the course's path is no text")?]);
            }
            run::cargo(journey)
        }
        Command::Parity { host } => parity::parity(&host),
        Command::Bench { name, seconds, json } => bench::bench(name.as_deref(), seconds, json),
        Command::Faults { seeds, first } => faults::faults(seeds, first),
        Command::Coverage { package } => coverage::coverage(&package),
        Command::Size { check } => size::size(check),
        Command::Pages => run::cargo(["run", "--package", "akademi-worker-host", "--bin", "bundle-pages"]),
        Command::Openapi => run::cargo(["run", "--package", "akademi-contract", "--bin", "openapi"]),
        Command::Manifests { check } => manifests::manifests(check),
        Command::Audit { command: AuditCommand::Verify { tenant, database } } => {
            audit::verify(tenant.as_deref(), database.as_deref())
        }
        Command::Tenant { arguments } => tenant::tenant(&arguments),
        Command::Install => install::install(install::Purpose::Test),
    }
}

/// The workspace's folder.
fn root() -> anyhow::Result<PathBuf> {
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR").context("run it as `cargo xtask`")?;
    let root = PathBuf::from(manifest).parent().map(PathBuf::from);
    root.context("xtask lies within the workspace")
}
