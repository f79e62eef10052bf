//! An academy's account at a provider: sealed in the database, made into an adapter for each request.

use akademi_api::Problem;
use akademi_domain::ids::TenantId;
use akademi_lambda_store::{error::StoreError, postgres::TenantTransaction};
use serde::{Deserialize, Serialize};
use std::{net::IpAddr, sync::Arc};

use crate::{
    Payments, PaymentsError,
    paytr::{InvalidConfig, PayTr, PayTrConfig, Secret},
    provider::Provider,
    store,
};

const PAYTR: &str = "paytr";
/// What PayTR's settings are sealed for.
const PAYTR_SETTINGS: &str = "payment-account/paytr";

/// What is sealed of an account at PayTR.
#[derive(Serialize, Deserialize)]
struct PayTrSettings {
    merchant_id: String,
    merchant_key: String,
    merchant_salt: String,
    base_url: String,
    test_mode: bool,
    page_minutes: u16,
    private_buyer_address: Option<IpAddr>,
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
}

impl Payments {
    /// Keeps the academy's account at PayTR and answers the path of its callback, for PayTR's panel ("Bildirim URL").
    /// The path of an account that is changed stays the same.
    ///
    /// # Errors
    /// [`ConfigureError`]
    pub async fn configure_paytr(
        &self,
        tenant: TenantId,
        config: PayTrConfig,
    ) -> Result<String, ConfigureError> {
        let settings = PayTrSettings {
            merchant_id: config.merchant_id.clone(),
            merchant_key: config.merchant_key.expose().to_owned(),
            merchant_salt: config.merchant_salt.expose().to_owned(),
            base_url: config.base_url.to_string(),
            test_mode: config.test_mode,
            page_minutes: config.page_minutes,
            private_buyer_address: config.private_buyer_address,
        };
        // Refuses what no call could be made with.
        PayTr::new(config, self.http.clone())?;
        let plain = zeroize::Zeroizing::new(serde_json::to_vec(&settings)?);
        let sealed = self.vault.seal_secret(tenant, PAYTR_SETTINGS, &plain, self.ports.random());
        let token = hex::encode(self.ports.random::<16>());
        let mut tx = self.postgres.tenant(tenant).await?;
        let token = store::save_account(&mut tx, PAYTR, &token, &sealed, self.ports.now()).await?;
        tx.commit().await?;
        Ok(format!("/callbacks/{PAYTR}/{token}"))
    }

    /// The academy's account at the provider of this name, ready to be used; `None` if it has none.
    pub(crate) async fn provider(
        &self,
        tx: &mut TenantTransaction,
        name: &str,
    ) -> Result<Option<Arc<dyn Provider>>, PaymentsError> {
        if name != PAYTR {
            return Ok(None);
        }
        let Some(sealed) = store::find_account(tx, name).await? else { return Ok(None) };
        let plain = self.vault.open_secret(tx.tenant(), PAYTR_SETTINGS, &sealed).map_err(Problem::broken)?;
        let settings: PayTrSettings = serde_json::from_slice(&plain)?;
        let config = PayTrConfig {
            merchant_id: settings.merchant_id,
            merchant_key: Secret::new(settings.merchant_key),
            merchant_salt: Secret::new(settings.merchant_salt),
            base_url: settings.base_url.parse().map_err(Problem::broken)?,
            test_mode: settings.test_mode,
            page_minutes: settings.page_minutes,
            private_buyer_address: settings.private_buyer_address,
        };
        let provider = PayTr::new(config, self.http.clone()).map_err(Problem::broken)?;
        Ok(Some(Arc::new(provider)))
    }

    /// The provider that the academy's orders are paid at.
    ///
    /// # Errors
    /// 409 if the academy has none.
    pub(crate) async fn provider_for_orders(
        &self,
        tx: &mut TenantTransaction,
    ) -> Result<Arc<dyn Provider>, PaymentsError> {
        self.provider(tx, PAYTR).await?.ok_or_else(|| {
            Problem::new(
                http::StatusCode::CONFLICT,
                "payments-not-configured",
                "This academy does not take payments yet.",
            )
            .into()
        })
    }
}
