//! Runs the components of a `spin.toml`; see the library.

use akademi_component_host::{Options, RuntimeConfig, serve};
use clap::Parser;
use std::{net::SocketAddr, path::PathBuf, process::ExitCode};

/// Runs the components of a spin.toml as Spin does, for tests; on the Spin that `SPIN` names, if it does.
#[derive(Parser)]
struct Arguments {
    #[arg(long, default_value = "spin.toml")]
    manifest: PathBuf,
    /// Port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:3000")]
    listen: SocketAddr,
    /// Value of an application variable.
    #[arg(long = "variable", value_name = "NAME=VALUE", value_parser = pair)]
    variables: Vec<(String, String)>,
    /// File of a database.
    #[arg(long, value_name = "NAME=FILE", value_parser = pair)]
    sqlite: Vec<(String, String)>,
    /// Spin's runtime configuration.
    #[arg(long)]
    runtime_config_file: Option<PathBuf>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut options = Options {
        variables: arguments.variables.into_iter().collect(),
        sqlite: arguments.sqlite.into_iter().map(|(name, path)| (name, path.into())).collect(),
        listen: arguments.listen,
        echo: true,
        ..Options::default()
    };
    if let Some(path) = &arguments.runtime_config_file {
        match RuntimeConfig::read(path) {
            Ok(config) => options.configure(&config),
            Err(error) => {
                eprintln!("{error}");
                return ExitCode::FAILURE;
            }
        }
    }
    match serve(&arguments.manifest, options).await {
        Ok(running) => {
            println!("http://{}", running.addr);
            // Without signals there is no other end than that of the process.
            drop(tokio::signal::ctrl_c().await);
            running.shutdown().await;
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
