//! Invoices of the staff's orders: one that failed, one that was issued and handed over.

use akademi_lambda_store::testing::TestDatabase;
use akademi_seal::{RecordKey, Vault};
use serde_json::json;
use uuid::{Uuid, uuid};

use super::{
    Deployment,
    lambda::{EXPIRED_ORDER, PENDING_ORDER},
};

pub const INVOICES: [Uuid; 2] =
    [uuid!("01890000-0000-7000-8000-000000000108"), uuid!("01890000-0000-7000-8000-000000000109")];
/// Whose they are.
pub const INVOICED_ORDERS: [Uuid; 2] = [EXPIRED_ORDER, PENDING_ORDER];
/// 2026-09-21T14:13:20Z
const ISSUED_AT: i64 = 1_790_000_000_000;
const YEAR_KEY: [u8; 32] = [9; 32];

/// # Errors
/// When the database refuses.
pub async fn seed_invoices(deployment: &Deployment, database: &TestDatabase) -> anyhow::Result<()> {
    let vault = Vault::from_config(deployment.variable("lambda_master_key"))?;
    let tenant = deployment.umraniye;
    let [failed, issued] = INVOICES;
    let document = json!({
        "xml": "<Invoice>Işığın Yolculuğu</Invoice>",
        "buyer": {
            "identity": { "kind": "person", "number": "11111111111", "first_name": "Gülşen", "family_name": "Işıklı" },
            "address": { "street": null, "district": "Ümraniye", "city": "İstanbul", "postal_code": null,
                         "country": "Türkiye" },
            "tax_office": null, "email": null, "website": null,
        },
    });
    let mut superuser = database.superuser().await?;
    sqlx::query(
        "INSERT INTO invoice_key (tenant_id, year, sealed_key, year_ended_at) VALUES ($1, 2026, $2, 1798750800000)",
    )
    .bind(tenant.as_uuid())
    .bind(vault.seal_secret(tenant, "invoice-key/2026", &YEAR_KEY, [6; 24]))
    .execute(&mut superuser)
    .await?;
    sqlx::query(
        "INSERT INTO invoice (tenant_id, id, order_id, currency, state, attempts, reason, created_at, queued_at)
         VALUES ($1, $2, $3, 'TRY', 'failed', 1, 'the integrator refused it', $4, $4)",
    )
    .bind(tenant.as_uuid())
    .bind(failed)
    .bind(EXPIRED_ORDER)
    .bind(ISSUED_AT)
    .execute(&mut superuser)
    .await?;
    sqlx::query(
        "INSERT INTO invoice (tenant_id, id, order_id, currency, state, attempts, created_at, queued_at, delivered_at,
                              number, year, profile, total, vat, issued_at, sealed_document)
         VALUES ($1, $2, $3, 'TRY', 'delivered', 1, $4, $4, $4, 'EAR2026000000001', 2026, 'EARSIVFATURA', 14990, 2498, $4,
                 $5)",
    )
    .bind(tenant.as_uuid())
    .bind(issued)
    .bind(PENDING_ORDER)
    .bind(ISSUED_AT)
    .bind(RecordKey::from_bytes(YEAR_KEY).seal(&issued.to_string(), document.to_string().as_bytes(), [7; 24]))
    .execute(&mut superuser)
    .await?;
    Ok(())
}
