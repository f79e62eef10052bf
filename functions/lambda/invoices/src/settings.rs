//! Who sells, by which series and scenario.

use akademi_api::{Body, Caller, Problem, signed::CallContext};
use akademi_domain::{ids::TenantId, tax_number::Tckn, time::Timestamp};
use akademi_lambda_store::{
    audit::{Action, Actor, Write},
    postgres::TenantTransaction,
};
use akademi_ubl::{Exemption, Identity, Line, Party, Profile, Series};
use axum::{Extension, extract::State};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{Invoices, InvoicesError, party::InvoicedParty, store};

/// What settings are sealed for.
const PURPOSE: &str = "invoice-settings";

/// How an academy invoices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InvoiceSettings {
    /// With a tax number and a tax office.
    seller: InvoicedParty,
    /// Of e-Arşiv invoices: three of A to Z and 0 to 9. Their numbers are no other program's.
    #[schema(pattern = "^[A-Z0-9]{3}$")]
    archive_series: String,
    /// Of e-Fatura invoices: another one.
    #[schema(pattern = "^[A-Z0-9]{3}$")]
    invoice_series: String,
    /// In which e-Fatura goes to whoever is registered for it.
    scenario: Scenario,
    /// Why what is sold without VAT is; for an academy that the law exempts.
    #[serde(default)]
    exemption: Option<VatExemption>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scenario {
    /// TEMELFATURA: the buyer cannot refuse it in the system.
    Basic,
    /// TICARIFATURA: the buyer may, for eight days.
    Commercial,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VatExemption {
    /// Of the revenue administration's list: 201 to 250 or 301 to 350.
    #[schema(minimum = 201, maximum = 350)]
    code: u16,
    #[schema(min_length = 1, max_length = 250)]
    reason: String,
}

#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = SavedInvoiceSettings)]
pub struct SettingsAnswer {
    settings: InvoiceSettings,
    updated_at: Timestamp,
}

/// Settings of which every part holds.
pub struct Checked {
    pub seller: Party,
    pub archive_series: Series,
    pub invoice_series: Series,
    /// Of e-Fatura.
    pub profile: Profile,
    pub exemption: Option<Exemption>,
}

impl Checked {
    pub const fn series(&self, profile: Profile) -> Series {
        match profile {
            Profile::Archive => self.archive_series,
            Profile::Basic | Profile::Commercial => self.invoice_series,
        }
    }

    /// The line, which the law exempts if it bears no VAT and the academy is one that it exempts.
    pub fn exempt(&self, line: Line) -> Line {
        Line { exemption: self.exemption.clone().filter(|_| line.vat_rate.get() == 0), ..line }
    }
}

impl InvoiceSettings {
    /// # Errors
    /// 422 naming the field.
    fn check(&self) -> Result<Checked, Problem> {
        let series = |field, text: &str| text.parse::<Series>().map_err(|error| Problem::field(field, error));
        let seller = self.seller.party("seller.")?;
        if matches!(seller.identity, Identity::Person { number: Tckn::CONSUMER | Tckn::FOREIGNER, .. }) {
            return Err(Problem::field("seller.tax_number", "is missing: a seller has one"));
        }
        if seller.tax_office.is_none() {
            return Err(Problem::field("seller.tax_office", "is missing: a seller has one"));
        }
        let archive_series = series("archive_series", &self.archive_series)?;
        let invoice_series = series("invoice_series", &self.invoice_series)?;
        if archive_series == invoice_series {
            return Err(Problem::field("invoice_series", "is the series of e-Arşiv invoices"));
        }
        let exemption = self.exemption.as_ref().map(|it| Exemption::new(it.code, &it.reason)).transpose();
        let profile = match self.scenario {
            Scenario::Basic => Profile::Basic,
            Scenario::Commercial => Profile::Commercial,
        };
        Ok(Checked {
            seller,
            archive_series,
            invoice_series,
            profile,
            exemption: exemption.map_err(|error| Problem::field("exemption", error))?,
        })
    }

    /// As the audit log tells it: nobody by name.
    fn told(&self) -> Value {
        json!({
            "archive_series": self.archive_series, "invoice_series": self.invoice_series, "scenario": self.scenario,
            "exemption": self.exemption.as_ref().map(|exemption| exemption.code),
        })
    }
}

impl Invoices {
    fn open(&self, tenant: TenantId, sealed: &[u8]) -> Result<InvoiceSettings, Problem> {
        let plain = self.vault.open_secret(tenant, PURPOSE, sealed).map_err(Problem::broken)?;
        serde_json::from_slice(&plain).map_err(|_| Problem::broken("sealed settings have another shape"))
    }

    /// The academy's settings, if it has any.
    pub(crate) async fn settings(
        &self,
        tx: &mut TenantTransaction,
    ) -> Result<Option<Checked>, InvoicesError> {
        let Some((sealed, _)) = store::find_settings(tx).await? else { return Ok(None) };
        Ok(Some(self.open(tx.tenant(), &sealed)?.check()?))
    }
}

/// How the academy invoices
#[utoipa::path(get, path = "/api/v1/commerce/invoice-settings", tag = "invoices",
    responses((status = 200, description = "The settings", body = SettingsAnswer)))]
pub async fn show(
    State(invoices): State<Invoices>,
    caller: Caller,
) -> Result<Body<SettingsAnswer>, InvoicesError> {
    let mut tx = invoices.postgres.tenant(caller.tenant).await?;
    let found = store::find_settings(&mut tx).await?;
    tx.commit().await?;
    let (sealed, updated_at) = found.ok_or_else(Problem::not_found)?;
    Ok(Body(SettingsAnswer { settings: invoices.open(caller.tenant, &sealed)?, updated_at }))
}

/// Set how the academy invoices
///
/// From now on; what is issued stays as it is. Invoices that waited for settings are issued.
#[utoipa::path(put, path = "/api/v1/commerce/invoice-settings", tag = "invoices", request_body = InvoiceSettings,
    responses((status = 200, description = "The settings", body = SettingsAnswer)))]
pub async fn save(
    State(invoices): State<Invoices>,
    caller: Caller,
    Extension(call): Extension<CallContext>,
    Body(settings): Body<InvoiceSettings>,
) -> Result<Body<SettingsAnswer>, InvoicesError> {
    settings.check()?;
    let now = invoices.ports.now();
    let plain = zeroize::Zeroizing::new(serde_json::to_vec(&settings).map_err(Problem::broken)?);
    let sealed = invoices.vault.seal_secret(caller.tenant, PURPOSE, &plain, invoices.ports.random());
    let mut tx = invoices.postgres.tenant(caller.tenant).await?;
    store::lock_waiting(&mut tx).await?;
    let before = store::find_settings(&mut tx).await?;
    let before = before.map(|(sealed, _)| invoices.open(caller.tenant, &sealed)).transpose()?;
    store::save_settings(&mut tx, &sealed, now).await?;
    invoices.try_waiting(&mut tx, None, now).await?;
    let saved = Write {
        action: Action::InvoiceSettingsSaved,
        target: format!("invoice_settings:{}", caller.tenant),
        before: before.as_ref().map_or(Value::Null, InvoiceSettings::told),
        after: told_at(settings.told(), now),
    };
    invoices.auditor.record(&mut tx, Actor::new(&caller, &call), saved).await?;
    tx.commit().await?;
    Ok(Body(SettingsAnswer { settings, updated_at: now }))
}

/// The seller is another one perhaps, which the log tells by the moment alone.
fn told_at(mut told: Value, now: Timestamp) -> Value {
    if let Value::Object(fields) = &mut told {
        fields.insert("seller_set_at".into(), json!(now));
    }
    told
}
