//! The stand-in for PayTR and iyzico beside the demo academies: a program of its own that speaks their protocols. No money
//! moves.

use akademi_domain::ids::TenantId;
use akademi_edge_store::{Platform, PlatformSql};
use akademi_payments::{
    iyzico::IyzicoConfig,
    paytr::{PayTrConfig, Secret},
};
use anyhow::{Context, ensure};
use http::StatusCode;
use serde_json::{Value, json};
use std::{path::Path, process::Stdio};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::{api_client::ApiClient, demo::ACADEMIES, http_client::Network, local::Local};

/// A sandbox that runs as long as this is kept.
pub struct PaymentSandbox {
    /// Where it listens, as `http://127.0.0.1:4180`.
    pub base: String,
    _child: Child,
}

impl PaymentSandbox {
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

/// Gives each demo academy an account at the sandbox that listens at `base`, and the sandbox its callbacks: the first is paid
/// at PayTR, the second at iyzico.
///
/// # Errors
/// When an academy is missing or the sandbox refuses.
pub async fn connect(local: &Local, base: &str) -> anyhow::Result<()> {
    let sandbox = ApiClient::new(Network::new(), base);
    let [first, second] = &ACADEMIES;
    let accounts = [
        paytr(local, base, tenant(local, first.slug).await?).await?,
        iyzico(local, base, tenant(local, second.slug).await?).await?,
    ];
    for (path, account) in accounts {
        let answer = sandbox.post(path, &account).await?;
        ensure!(answer.status == StatusCode::NO_CONTENT, "the sandbox answered {}", answer.status);
    }
    Ok(())
}

async fn tenant(local: &Local, slug: &str) -> anyhow::Result<TenantId> {
    const BY_SLUG: PlatformSql = PlatformSql::new("SELECT id FROM tenant WHERE slug = ?1");
    let platform = Platform::new(local.edge.database.as_ref());
    let row = platform.row(BY_SLUG.with([slug.into()])).await?;
    Ok(row.with_context(|| format!("{slug} is missing"))?.parse(0)?)
}

/// Where a provider calls back, on the platform's host.
fn callback_url(local: &Local, path: &str) -> String {
    format!("http://platform.localhost:{}{path}", local.address.port())
}

/// The sandbox's path for such an account, and what it is told.
type Account = (&'static str, Value);

async fn paytr(local: &Local, base: &str, tenant: TenantId) -> anyhow::Result<Account> {
    let (merchant, key, salt) = ("100200", "sandbox-key", "sandbox-salt");
    let config = PayTrConfig {
        merchant_id: merchant.to_owned(),
        merchant_key: Secret::new(key),
        merchant_salt: Secret::new(salt),
        base_url: base.parse()?,
        test_mode: true,
        page_minutes: 30,
        // A documentation address (RFC 5737): PayTR takes no buyer on a private one.
        private_buyer_address: Some(std::net::Ipv4Addr::new(203, 0, 113, 7).into()),
    };
    let callback = callback_url(local, &local.lambda.payments.configure(tenant, config).await?);
    let account = json!({
        "merchant_id": merchant, "merchant_key": key, "merchant_salt": salt, "callback_url": callback,
    });
    Ok(("/sandbox/merchants", account))
}

async fn iyzico(local: &Local, base: &str, tenant: TenantId) -> anyhow::Result<Account> {
    let (api_key, secret_key) = ("sandbox-api-key", "sandbox-secret-key");
    let config = IyzicoConfig {
        api_key: api_key.to_owned(),
        secret_key: Secret::new(secret_key),
        base_url: base.parse()?,
        buyer_city: "İstanbul".to_owned(),
    };
    let payments = &local.lambda.payments;
    let callback = callback_url(local, &payments.configure(tenant, config).await?);
    payments.take_orders_at(tenant, "iyzico").await?;
    let account = json!({
        "merchant_id": "1", "api_key": api_key, "secret_key": secret_key, "webhook_url": callback,
    });
    Ok(("/sandbox/iyzico-merchants", account))
}
