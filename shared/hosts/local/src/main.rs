//! `akademi-local dev`: everything on this machine, with demo academies, until Ctrl-C.

use akademi_api::rate_limit::PASSWORDS;
use akademi_lambda_store::{
    cluster::{Cluster, ClusterError, Durability},
    postgres::Postgres,
    provision::{LOGIN, provision},
};
use akademi_local::{
    demo,
    local::{Local, Options},
    payment_sandbox::{self, PaymentSandbox},
    ports::WriteLog,
};
use anyhow::Context;
use clap::Parser;
use std::{
    fs::File,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// Runs both planes on this machine.
#[derive(Parser)]
struct Arguments {
    /// Where data is kept between starts.
    #[arg(long, default_value = ".akademi")]
    data: PathBuf,
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:3000")]
    listen: SocketAddr,
    /// Make the demo academies if they are not there.
    #[arg(long)]
    demo: bool,
    /// The program that stands in for PayTR and iyzico beside the demo academies.
    #[arg(long, requires = "demo")]
    payment_sandbox: Option<PathBuf>,
}

/// How many connections to PostgreSQL both planes' functions share here.
const CONNECTIONS: u32 = 10;

fn say(text: &str) {
    eprintln!("  {text}");
}

fn main() -> anyhow::Result<()> {
    // Videos are transcoded by this program itself, in a process of their own.
    akademi_transcode::child::main_if_child();
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    std::fs::create_dir_all(&arguments.data)
        .with_context(|| format!("making the data folder {}", arguments.data.display()))?;
    say("starting PostgreSQL");
    let cluster = start_postgres(&arguments.data)?;
    let served = runtime.block_on(serve(&arguments, &cluster));
    say("stopping PostgreSQL");
    cluster.stop()?;
    served
}

/// PostgreSQL in the data folder, or where its own account can enter: it does not run as root, and root's home is
/// closed to others.
fn start_postgres(data: &Path) -> anyhow::Result<Cluster> {
    match Cluster::start(&data.join("postgres"), Durability::Durable) {
        Err(ClusterError::Closed(closed)) => {
            let name =
                std::fs::canonicalize(data)?.to_string_lossy().trim_start_matches('/').replace('/', "-");
            let folder = Path::new("/var/lib/akademi").join(name);
            say(&format!(
                "its account cannot enter {}: its data is kept in {}",
                closed.display(),
                folder.display()
            ));
            std::fs::create_dir_all(&folder)?;
            Ok(Cluster::start(&folder.join("postgres"), Durability::Durable)?)
        }
        started => Ok(started?),
    }
}

async fn serve(arguments: &Arguments, cluster: &Cluster) -> anyhow::Result<()> {
    let applied = provision(cluster, "akademi").await.context("migrating PostgreSQL")?;
    if applied > 0 {
        say(&format!("applied {applied} migrations to PostgreSQL"));
    }
    let log_path = arguments.data.join("akademi.log");
    let log = File::options().create(true).append(true).open(&log_path)?;
    let local = Local::start(Options {
        data: arguments.data.clone(),
        listen: arguments.listen,
        postgres: Postgres::new(cluster.options(LOGIN, "akademi"), CONNECTIONS),
        log: Arc::new(WriteLog::new(log)),
        sync_interval: Duration::from_secs(2),
        password_attempts: PASSWORDS.quota,
        transcode_program: None,
    })
    .await?;
    if arguments.demo {
        demo::seed(&local, &say).await?;
    }
    let sandbox = match &arguments.payment_sandbox {
        Some(program) => Some(PaymentSandbox::start(program).await?),
        None => None,
    };
    if let Some(sandbox) = &sandbox {
        payment_sandbox::connect(&local, &sandbox.base).await?;
    }
    print_welcome(&local, &log_path);
    wait_for_end().await?;
    eprintln!();
    say("stopping");
    local.stop().await;
    Ok(())
}

fn print_welcome(local: &Local, log: &std::path::Path) {
    let port = local.address.port();
    println!("\nAkademi is ready.\n");
    for academy in demo::ACADEMIES.iter().chain([&demo::PLATFORM]) {
        println!("  {}  http://{}:{port}", academy.name, academy.host());
        for (role, email) in academy.sign_ins() {
            println!("      {role:<13} {email:<28} {}", demo::PASSWORD);
        }
    }
    println!("\n  API document  http://{}:{port}/api/docs", demo::ACADEMIES[0].host());
    if !local.variables.contains_key("mail_url") {
        println!("  Mail          http://{}:{port}/dev/mail", demo::ACADEMIES[0].host());
    }
    println!("  Health        http://127.0.0.1:{port}/health/ready");
    println!("  Log           {}", log.display());
    println!("\nCtrl-C stops it.");
}

/// Ctrl-C, or being asked to end.
async fn wait_for_end() -> anyhow::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        _ = terminate.recv() => {}
    }
    Ok(())
}
