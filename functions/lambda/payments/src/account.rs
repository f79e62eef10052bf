//! An academy's accounts at providers: sealed in the database, made into an adapter for each request.

use akademi_api::{Ports, Problem};
use akademi_domain::ids::TenantId;
use akademi_lambda_store::{error::StoreError, postgres::TenantTransaction};
use ipnet::IpNet;
use std::sync::Arc;

use crate::{
    Payments, PaymentsError,
    error::conflict,
    iyzico::{Iyzico, IyzicoConfig},
    paytr::{PayTr, PayTrConfig},
    provider::{HttpClient, InvalidConfig, Provider},
    store::{self, StoredAccount},
    stripe::{Stripe, StripeConfig},
};

const PAYTR: &str = "paytr";
const IYZICO: &str = "iyzico";
const STRIPE: &str = "stripe";

/// An account at one of the providers.
#[derive(Debug, Clone)]
pub enum AccountConfig {
    PayTr(PayTrConfig),
    Iyzico(IyzicoConfig),
    Stripe(StripeConfig),
}

impl From<PayTrConfig> for AccountConfig {
    fn from(config: PayTrConfig) -> Self {
        Self::PayTr(config)
    }
}

impl From<IyzicoConfig> for AccountConfig {
    fn from(config: IyzicoConfig) -> Self {
        Self::Iyzico(config)
    }
}

impl From<StripeConfig> for AccountConfig {
    fn from(config: StripeConfig) -> Self {
        Self::Stripe(config)
    }
}

impl AccountConfig {
    pub(crate) const fn provider(&self) -> &'static str {
        match self {
            Self::PayTr(_) => PAYTR,
            Self::Iyzico(_) => IYZICO,
            Self::Stripe(_) => STRIPE,
        }
    }

    /// The provider's name for the account, where it is no secret.
    pub(crate) fn public_name(&self) -> Option<&str> {
        match self {
            Self::PayTr(config) => Some(&config.merchant_id),
            Self::Iyzico(config) => Some(&config.api_key),
            Self::Stripe(_) => None,
        }
    }

    /// What is sealed.
    fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        match self {
            Self::PayTr(config) => serde_json::to_vec(config),
            Self::Iyzico(config) => serde_json::to_vec(config),
            Self::Stripe(config) => serde_json::to_vec(config),
        }
    }

    /// Reads what was sealed of an account at `provider`; `None` if there is no such provider.
    fn from_json(provider: &str, json: &[u8]) -> Result<Option<Self>, serde_json::Error> {
        Ok(Some(match provider {
            PAYTR => Self::PayTr(serde_json::from_slice(json)?),
            IYZICO => Self::Iyzico(serde_json::from_slice(json)?),
            STRIPE => Self::Stripe(serde_json::from_slice(json)?),
            _ => return Ok(None),
        }))
    }

    fn adapter(self, http: Arc<dyn HttpClient>, ports: &Ports) -> Result<Arc<dyn Provider>, InvalidConfig> {
        Ok(match self {
            Self::PayTr(config) => Arc::new(PayTr::new(config, http)?),
            Self::Iyzico(config) => Arc::new(Iyzico::new(config, http, ports.rng.clone())?),
            Self::Stripe(config) => Arc::new(Stripe::new(config, http)?),
        })
    }
}

/// The path of an account's callback, on the platform's host.
pub fn callback_path(provider: &str, token: &str) -> String {
    format!("/callbacks/{provider}/{token}")
}

/// What an account's settings are sealed for.
fn purpose(provider: &str) -> String {
    format!("payment-account/{provider}")
}

/// Why an account is not kept.
#[derive(Debug, thiserror::Error)]
pub enum ConfigureError {
    #[error(transparent)]
    Invalid(#[from] InvalidConfig),
    #[error("the settings do not serialise: {0}")]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the academy has no account at {0}")]
    NoAccount(String),
}

/// An account that is ready to be used.
pub struct Account {
    pub provider: Arc<dyn Provider>,
    /// Where callbacks may come from; from anywhere if empty.
    pub networks: Vec<IpNet>,
}

impl Payments {
    /// Keeps the academy's account and answers the path of its callback, for the provider's panel (PayTR's "Bildirim URL",
    /// iyzico's merchant notifications, Stripe's endpoint). The path of an account that is changed stays the same. The
    /// academy's first account takes its orders.
    ///
    /// # Errors
    /// [`ConfigureError`]
    pub async fn configure(
        &self,
        tenant: TenantId,
        config: impl Into<AccountConfig>,
    ) -> Result<String, ConfigureError> {
        let mut tx = self.postgres.tenant(tenant).await?;
        let path = self.keep(&mut tx, config.into()).await?;
        tx.commit().await?;
        Ok(path)
    }

    /// [`Payments::configure`] within a transaction.
    pub(crate) async fn keep(
        &self,
        tx: &mut TenantTransaction,
        config: AccountConfig,
    ) -> Result<String, ConfigureError> {
        let provider = config.provider();
        let plain = zeroize::Zeroizing::new(config.to_json()?);
        // Refuses what no call could be made with.
        config.adapter(self.http.clone(), &self.ports)?;
        let sealed = self.vault.seal_secret(tx.tenant(), &purpose(provider), &plain, self.ports.random());
        let token = hex::encode(self.ports.random::<16>());
        let token = store::save_account(tx, provider, &token, &sealed, self.ports.now()).await?;
        Ok(callback_path(provider, &token))
    }

    /// Has the academy's new orders be paid at `provider`. Attempts that were begun elsewhere go on there.
    ///
    /// # Errors
    /// [`ConfigureError::NoAccount`]
    pub async fn take_orders_at(&self, tenant: TenantId, provider: &str) -> Result<(), ConfigureError> {
        let mut tx = self.postgres.tenant(tenant).await?;
        store::lock_accounts(&mut tx).await?;
        store::let_no_account_take_orders(&mut tx).await?;
        if !store::let_account_take_orders(&mut tx, provider, true).await? {
            return Err(ConfigureError::NoAccount(provider.to_owned()));
        }
        tx.commit().await?;
        Ok(())
    }

    /// Has callbacks of `provider` be taken from these networks only, or from anywhere if there are none.
    ///
    /// # Errors
    /// [`ConfigureError::NoAccount`]
    pub async fn take_callbacks_from(
        &self,
        tenant: TenantId,
        provider: &str,
        networks: &[IpNet],
    ) -> Result<(), ConfigureError> {
        let networks: Vec<String> = networks.iter().map(ToString::to_string).collect();
        let mut tx = self.postgres.tenant(tenant).await?;
        if !store::save_networks(&mut tx, provider, &networks).await? {
            return Err(ConfigureError::NoAccount(provider.to_owned()));
        }
        tx.commit().await?;
        Ok(())
    }

    /// What was sealed of an account.
    pub(crate) fn open(
        &self,
        tenant: TenantId,
        stored: &StoredAccount,
    ) -> Result<AccountConfig, PaymentsError> {
        let plain = self.vault.open_secret(tenant, &purpose(&stored.provider), &stored.sealed_settings);
        let config = AccountConfig::from_json(&stored.provider, &plain.map_err(Problem::broken)?)?;
        config.ok_or_else(|| Problem::broken("an account is of no provider").into())
    }

    /// The academy's account at the provider of this name; `None` if it has none.
    pub(crate) async fn account(
        &self,
        tx: &mut TenantTransaction,
        name: &str,
    ) -> Result<Option<Account>, PaymentsError> {
        let Some(stored) = store::find_account(tx, name).await? else { return Ok(None) };
        let networks = stored.networks.iter().map(|network| network.parse()).collect::<Result<_, _>>();
        Ok(Some(Account {
            provider: self.adapter(tx.tenant(), &stored)?,
            networks: networks.map_err(Problem::broken)?,
        }))
    }

    fn adapter(&self, tenant: TenantId, stored: &StoredAccount) -> Result<Arc<dyn Provider>, PaymentsError> {
        let config = self.open(tenant, stored)?;
        Ok(config.adapter(self.http.clone(), &self.ports).map_err(Problem::broken)?)
    }

    /// The provider of this name, as the academy has it; `None` if it has no account there.
    pub(crate) async fn provider(
        &self,
        tx: &mut TenantTransaction,
        name: &str,
    ) -> Result<Option<Arc<dyn Provider>>, PaymentsError> {
        Ok(self.account(tx, name).await?.map(|account| account.provider))
    }

    /// The provider that the academy's new orders are paid at.
    ///
    /// # Errors
    /// 409 if the academy has none.
    pub(crate) async fn provider_for_orders(
        &self,
        tx: &mut TenantTransaction,
    ) -> Result<Arc<dyn Provider>, PaymentsError> {
        let chosen = store::find_account_of_orders(tx)
            .await?
            .ok_or_else(|| conflict("payments-not-configured", "This academy does not take payments yet."))?;
        self.adapter(tx.tenant(), &chosen)
    }
}
