//! The same requests to every host, the answers compared with the local host's.

use anyhow::bail;
use clap::ValueEnum;

use crate::{build, install, test};

/// Where the requests are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Host {
    /// Both planes in one process, which all others are compared with
    Local,
    /// Spin's components on the component host
    Spin,
    /// The Workers on workerd
    Worker,
    /// The edge as on the local host, before the Lambda binaries behind API Gateway
    Lambda,
}

impl Host {
    const ALL: [Self; 4] = [Self::Local, Self::Spin, Self::Worker, Self::Lambda];

    /// The module of its tests in `akademi-parity`.
    const fn module(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Spin => "spin",
            Self::Worker => "worker",
            Self::Lambda => "lambda",
        }
    }
}

/// Compares these hosts, or all.
///
/// # Errors
/// When one does not build, or answers otherwise than the local host without a reason that is written down.
pub fn parity(hosts: &[Host]) -> anyhow::Result<()> {
    install::install(install::Purpose::Test)?;
    let hosts = if hosts.is_empty() { &Host::ALL } else { hosts };
    if hosts.contains(&Host::Spin) {
        build::spin()?;
    }
    if hosts.contains(&Host::Worker) {
        build::workers()?;
    }
    // The whole workspace, as `cargo xtask test` builds it: Lambda's binaries are built with their own tests.
    let arguments = ["--workspace", "--success-output", "immediate", "-E", &filter(hosts)].map(str::to_owned);
    let totals = test::nextest(&arguments)?;
    println!("{} passed, {} failed", totals.passed, totals.failed);
    if totals.failed > 0 {
        bail!("the hosts do not answer alike");
    }
    Ok(())
}

/// The tests of these hosts, as nextest's filters name them.
fn filter(hosts: &[Host]) -> String {
    let tests: Vec<_> = hosts.iter().map(|host| format!("test(/^{}::/)", host.module())).collect();
    format!("package(akademi-parity) and kind(test) and ({})", tests.join(" or "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tests_of_the_named_hosts_are_run_and_no_others() {
        assert_eq!(
            filter(&[Host::Spin, Host::Lambda]),
            "package(akademi-parity) and kind(test) and (test(/^spin::/) or test(/^lambda::/))"
        );
    }
}
