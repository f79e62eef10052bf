//! The academy's accounts at payment providers, as its staff keeps them.

use akademi_api::{Body, Caller, Problem, signed::CallContext};
use akademi_domain::{ids::TenantId, time::Timestamp};
use akademi_lambda_store::audit::{Action, Actor, Write};
use axum::{Extension, extract::State};
use http::Uri;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    ORDER_SECONDS, Payments, PaymentsError,
    account::{AccountConfig, ConfigureError, callback_path},
    iyzico::IyzicoConfig,
    paytr::PayTrConfig,
    secret::Secret,
    store::{self, StoredAccount},
    stripe::{PreviousSecret, StripeConfig},
};

/// More than any provider calls from.
const MAX_NETWORKS: usize = 50;

/// What an account is kept with. Its secrets are sealed and never shown.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountDefinition {
    settings: AccountSettings,
    /// Whether new orders are paid there; at most one account takes them.
    takes_orders: bool,
    /// Where its callbacks may come from, in CIDR notation; from anywhere if empty.
    #[serde(default)]
    #[schema(max_items = 50, example = json!(["203.0.113.0/24"]))]
    callback_networks: Vec<String>,
}

/// What a provider's panel shows of an account.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(tag = "provider", rename_all = "snake_case", deny_unknown_fields)]
#[schema(as = PaymentAccountSettings)]
pub enum AccountSettings {
    #[serde(rename = "paytr")]
    PayTr {
        merchant_id: String,
        merchant_key: String,
        merchant_salt: String,
        /// No real money moves.
        test_mode: bool,
    },
    Iyzico {
        api_key: String,
        secret_key: String,
        /// At iyzico's test system, where no real money moves.
        test_mode: bool,
        /// The city to name for buyers, which iyzico requires and an order does not ask for.
        buyer_city: String,
    },
    Stripe {
        secret_key: String,
        webhook_secret: String,
        /// While Stripe still signs with both.
        #[serde(default)]
        previous_webhook_secret: Option<String>,
    },
}

impl From<AccountSettings> for AccountConfig {
    fn from(settings: AccountSettings) -> Self {
        match settings {
            AccountSettings::PayTr { merchant_id, merchant_key, merchant_salt, test_mode } => {
                Self::PayTr(PayTrConfig {
                    merchant_id,
                    merchant_key: Secret::new(merchant_key),
                    merchant_salt: Secret::new(merchant_salt),
                    base_url: Uri::from_static("https://www.paytr.com"),
                    test_mode,
                    // As long as the order waits.
                    page_minutes: u16::try_from(ORDER_SECONDS / 60).unwrap_or(u16::MAX),
                    private_buyer_address: None,
                })
            }
            AccountSettings::Iyzico { api_key, secret_key, test_mode, buyer_city } => {
                Self::Iyzico(IyzicoConfig {
                    api_key,
                    secret_key: Secret::new(secret_key),
                    base_url: Uri::from_static(if test_mode {
                        "https://sandbox-api.iyzipay.com"
                    } else {
                        "https://api.iyzipay.com"
                    }),
                    buyer_city,
                })
            }
            AccountSettings::Stripe { secret_key, webhook_secret, previous_webhook_secret } => {
                Self::Stripe(StripeConfig {
                    secret_key: Secret::new(secret_key),
                    webhook_secret: Secret::new(webhook_secret),
                    previous_webhook_secret: previous_webhook_secret.map(Secret::new).map(PreviousSecret),
                    base_url: Uri::from_static("https://api.stripe.com"),
                })
            }
        }
    }
}

/// An account as staff sees it.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = PaymentAccount)]
pub struct AccountEntry {
    /// `paytr`, `iyzico` or `stripe`.
    provider: String,
    /// The provider's name for the account, where it is no secret.
    account: Option<String>,
    takes_orders: bool,
    /// The path on the platform's host that the provider is to call.
    callback_path: String,
    callback_networks: Vec<String>,
    updated_at: Timestamp,
}

impl AccountEntry {
    fn new(payments: &Payments, tenant: TenantId, stored: StoredAccount) -> Result<Self, PaymentsError> {
        Ok(Self {
            account: payments.open(tenant, &stored)?.public_name().map(str::to_owned),
            takes_orders: stored.takes_orders,
            callback_path: callback_path(&stored.provider, &stored.callback_token),
            callback_networks: stored.networks,
            updated_at: stored.updated_at,
            provider: stored.provider,
        })
    }

    /// As the audit log tells it: a new secret shows by the moment alone.
    fn told(&self) -> Value {
        json!({
            "account": self.account,
            "takes_orders": self.takes_orders,
            "callback_networks": self.callback_networks,
            "updated_at": self.updated_at,
        })
    }
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct PaymentAccounts {
    data: Vec<AccountEntry>,
}

/// The academy's accounts at payment providers
#[utoipa::path(get, path = "/api/v1/commerce/payment-accounts", tag = "commerce",
    responses((status = 200, description = "The accounts, without their secrets", body = PaymentAccounts)))]
pub async fn list(
    State(payments): State<Payments>,
    caller: Caller,
) -> Result<Body<PaymentAccounts>, PaymentsError> {
    let mut tx = payments.postgres.tenant(caller.tenant).await?;
    let stored = store::list_accounts(&mut tx).await?;
    tx.commit().await?;
    let entry = |stored| AccountEntry::new(&payments, caller.tenant, stored);
    Ok(Body(PaymentAccounts { data: stored.into_iter().map(entry).collect::<Result<_, _>>()? }))
}

/// Take payments at a provider
///
/// Keeps the academy's account there, or puts these settings in the place of its own. Attempts to pay that were begun at
/// another provider go on there.
#[utoipa::path(put, path = "/api/v1/commerce/payment-accounts", tag = "commerce", request_body = AccountDefinition,
    responses((status = 200, description = "The account as it is now", body = AccountEntry)))]
pub async fn save(
    State(payments): State<Payments>,
    caller: Caller,
    Extension(call): Extension<CallContext>,
    Body(definition): Body<AccountDefinition>,
) -> Result<Body<AccountEntry>, PaymentsError> {
    let networks = networks(&definition.callback_networks)?;
    let config = AccountConfig::from(definition.settings);
    let provider = config.provider();
    let mut tx = payments.postgres.tenant(caller.tenant).await?;
    store::lock_accounts(&mut tx).await?;
    let entry = |stored: StoredAccount| AccountEntry::new(&payments, caller.tenant, stored);
    let before = store::find_account(&mut tx, provider).await?.map(entry).transpose()?;
    payments.keep(&mut tx, config).await.map_err(refusal)?;
    store::save_networks(&mut tx, provider, &networks).await?;
    if definition.takes_orders {
        store::let_no_account_take_orders(&mut tx).await?;
    }
    store::let_account_take_orders(&mut tx, provider, definition.takes_orders).await?;
    let stored = store::find_account(&mut tx, provider).await?;
    let saved = entry(stored.ok_or_else(|| Problem::broken("an account that was just kept is gone"))?)?;
    let write = Write {
        action: Action::PaymentAccountSaved,
        target: format!("payment_account:{provider}"),
        before: before.map_or(Value::Null, |before| before.told()),
        after: saved.told(),
    };
    payments.auditor.record(&mut tx, Actor::new(&caller, &call), write).await?;
    tx.commit().await?;
    Ok(Body(saved))
}

/// Networks in CIDR notation, each in its own spelling.
fn networks(texts: &[String]) -> Result<Vec<String>, Problem> {
    if texts.len() > MAX_NETWORKS {
        return Err(Problem::field("callback_networks", "must be at most 50"));
    }
    let network = |(place, text): (usize, &String)| {
        let network = text.parse::<IpNet>().map(|network| network.trunc().to_string());
        network.map_err(|_| {
            Problem::field(format!("callback_networks[{place}]"), "must be a network as 203.0.113.0/24")
        })
    };
    texts.iter().enumerate().map(network).collect()
}

/// Settings that no call could be made with, as staff can mend them.
fn refusal(error: ConfigureError) -> PaymentsError {
    match error {
        ConfigureError::Invalid(invalid) => {
            Problem::field(format!("settings.{}", invalid.0), "is missing or malformed").into()
        }
        ConfigureError::Store(error) => error.into(),
        ConfigureError::Json(error) => error.into(),
        error @ ConfigureError::NoAccount(_) => Problem::broken(error).into(),
    }
}
