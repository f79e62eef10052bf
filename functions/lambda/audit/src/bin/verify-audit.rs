//! Walks the chains of all academies' audit logs, or of one: `verify-audit [SLUG]`, in the database that `DATABASE_URL`
//! names. One line for each academy: its entries, or the first number that does not follow.

use akademi_lambda_store::{
    audit::{Verdict, verify},
    postgres::Postgres,
};
use anyhow::Context;
use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<ExitCode> {
    let url = std::env::var("DATABASE_URL").context("DATABASE_URL names no database")?;
    let only = std::env::args().nth(1);
    let postgres = Postgres::from_url(&url, 1)?;
    let mut platform = postgres.platform().await?;
    let mut academies = platform.audited_academies().await?;
    platform.rollback().await?;
    if let Some(slug) = &only {
        academies.retain(|(_, name)| name == slug);
        anyhow::ensure!(!academies.is_empty(), "there is no academy {slug}");
    }
    let width = academies.iter().map(|(_, name)| name.chars().count()).max().unwrap_or(0);
    let (mut passed, mut failed) = (0, 0);
    for (tenant, name) in academies {
        match verify(&postgres, tenant).await? {
            Verdict::Whole { entries } => {
                passed += 1;
                println!("{name:<width$}  {entries} entries  ok");
            }
            Verdict::Broken { number } => {
                failed += 1;
                println!("{name:<width$}  entry {number} does not follow");
            }
        }
    }
    println!("{passed} passed, {failed} failed");
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
