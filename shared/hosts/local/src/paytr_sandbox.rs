//! PayTR's stand-in beside the demo academies: a program of its own that speaks PayTR's protocol. No money moves.

use akademi_domain::ids::TenantId;
use akademi_edge_store::{Platform, PlatformSql};
use akademi_payments::paytr::{PayTrConfig, Secret};
use anyhow::{Context, ensure};
use http::StatusCode;
use std::{path::Path, process::Stdio};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::{api_client::ApiClient, demo::ACADEMIES, http_client::Network, local::Local};

/// A sandbox that runs as long as this is kept.
pub struct PayTrSandbox {
    /// Where it listens, as `http://127.0.0.1:4180`.
    pub base: String,
    _child: Child,
}

impl PayTrSandbox {
    /// Starts `program` on a free port.
    ///
    /// # Errors
    /// When it does not start or does not say where it listens.
    pub async fn start(program: &Path) -> anyhow::Result<Self> {
        let mut child = Command::new(program)
            .args(["--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("starting {}", program.display()))?;
        let output = child.stdout.take().context("the sandbox has no output")?;
        let line = BufReader::new(output).lines().next_line().await?.unwrap_or_default();
        let address = line.split_whitespace().find(|word| word.starts_with("http://"));
        let base =
            address.with_context(|| format!("the sandbox said {line:?}"))?.trim_end_matches('/').to_owned();
        Ok(Self { base, _child: child })
    }
}

/// Gives each demo academy an account at the sandbox that listens at `base`, and the sandbox its callbacks.
///
/// # Errors
/// When an academy is missing or the sandbox refuses.
pub async fn connect(local: &Local, base: &str) -> anyhow::Result<()> {
    const BY_SLUG: PlatformSql = PlatformSql::new("SELECT id FROM tenant WHERE slug = ?1");
    let sandbox = ApiClient::new(Network::new(), base);
    for (number, academy) in ACADEMIES.iter().enumerate() {
        let platform = Platform::new(local.edge.database.as_ref());
        let row = platform.row(BY_SLUG.with([academy.slug.into()])).await?;
        let tenant: TenantId = row.with_context(|| format!("{} is missing", academy.slug))?.parse(0)?;
        let (merchant, key, salt) = (format!("10020{number}"), "sandbox-key", "sandbox-salt");
        let config = PayTrConfig {
            merchant_id: merchant.clone(),
            merchant_key: Secret::new(key),
            merchant_salt: Secret::new(salt),
            base_url: base.parse()?,
            test_mode: true,
            page_minutes: 30,
            // A documentation address (RFC 5737): PayTR takes no buyer on a private one.
            private_buyer_address: Some(std::net::Ipv4Addr::new(203, 0, 113, 7).into()),
        };
        let callback = local.lambda.payments.configure(tenant, config).await?;
        let url = format!("http://platform.localhost:{}{callback}", local.address.port());
        let account = serde_json::json!({
            "merchant_id": merchant, "merchant_key": key, "merchant_salt": salt, "callback_url": url,
        });
        let answer = sandbox.post("/sandbox/merchants", &account).await?;
        ensure!(answer.status == StatusCode::NO_CONTENT, "the sandbox answered {}", answer.status);
    }
    Ok(())
}
