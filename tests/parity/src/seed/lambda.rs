//! What the Lambda plane begins with: the academy as `sync` brings it, two published courses, a file, an archive that waits for
//! its import, certificates, and an order that waits for its money.

use akademi_api::{Ports, config::Config, ports::Wake};
use akademi_domain::{certificate::HOLDER_FIELD, ids::UserId};
use akademi_lambda_store::{object_key::ObjectKey, testing::TestDatabase};
use akademi_local::http_client::Network;
use akademi_payments::{
    Payments,
    paytr::{PayTrConfig, Secret},
};
use akademi_seal::{PersonKey, Vault};
use bytes::Bytes;
use serde_json::json;
use sqlx::PgConnection;
use std::sync::Arc;
use uuid::{Uuid, uuid};

use super::{Deployment, invoices::seed_invoices, media::seed_media};

pub const COURSE: Uuid = uuid!("01890000-0000-7000-8000-0000000000c1");
pub const OTHER_COURSE: Uuid = uuid!("01890000-0000-7000-8000-0000000000c2");
/// An import whose archive is there.
pub const IMPORT: Uuid = uuid!("01890000-0000-7000-8000-000000000101");
/// Orders of the staff's: one that waits for the payment below, one that nobody paid in time.
pub const PENDING_ORDER: Uuid = uuid!("01890000-0000-7000-8000-000000000103");
pub const EXPIRED_ORDER: Uuid = uuid!("01890000-0000-7000-8000-000000000104");
pub const PAYMENT: Uuid = uuid!("01890000-0000-7000-8000-000000000105");
/// What the payment is of, in kuruş.
pub const PAYMENT_AMOUNT: i64 = 14_990;
pub const MERCHANT_KEY: &str = "parityMerchantK1";
pub const MERCHANT_SALT: &str = "parityMerchantSa";
/// Certificates of the staff's.
pub const CERTIFICATES: [Uuid; 2] = [Uuid::from_bytes([0xd1; 16]), Uuid::from_bytes([0xd2; 16])];
/// Mails to the staff: one that failed, one that was sent.
pub const MAILS: [Uuid; 2] =
    [uuid!("01890000-0000-7000-8000-000000000106"), uuid!("01890000-0000-7000-8000-000000000107")];
const HOLDER: &str = "Gülşen Işıklı";
/// 2026-09-21T14:13:20Z: a day that the reports are asked for.
const ISSUED_AT: i64 = 1_790_000_000_000;
const ARCHIVE: &[u8] = b"OLX\n\n";

/// A file as it lies in storage.
pub struct StoredFile {
    pub key: ObjectKey,
    pub content_type: &'static str,
    pub bytes: Bytes,
}

struct Deaf;

impl Wake for Deaf {
    fn wake(&self) {}
}

/// Makes a new database this deployment's; the files that must lie in its storage.
///
/// # Errors
/// When the database refuses.
pub async fn seed_lambda(
    deployment: &mut Deployment,
    database: &TestDatabase,
    ports: Ports,
) -> anyhow::Result<Vec<StoredFile>> {
    let mut superuser = database.superuser().await?;
    academy(&mut superuser, deployment).await?;
    for (course, slug, title) in
        [(COURSE, "isigin-yolculugu", "Işığın Yolculuğu"), (OTHER_COURSE, "bos-ders", "Boş Ders")]
    {
        published_course(&mut superuser, deployment, course, slug, title).await?;
    }
    holder(&mut superuser, deployment).await?;
    for (certificate, course) in CERTIFICATES.into_iter().zip([COURSE, OTHER_COURSE]) {
        issued_certificate(&mut superuser, deployment, certificate, course).await?;
    }
    for (order, state) in [(PENDING_ORDER, "pending"), (EXPIRED_ORDER, "expired")] {
        placed_order(&mut superuser, deployment, order, state).await?;
    }
    begun_payment(&mut superuser, deployment).await?;
    seed_invoices(deployment, database).await?;
    let folder = ObjectKey::new(deployment.umraniye, ["imports", &IMPORT.to_string()])?;
    for (mail, state) in MAILS.into_iter().zip(["failed", "sent"]) {
        mail_to_staff(&mut superuser, deployment, mail, state).await?;
    }
    waiting_import(&mut superuser, deployment).await?;
    let mut files = seed_media(&mut superuser, deployment, &folder).await?;

    deployment.callback = connect_paytr(deployment, database, ports).await?;
    compared_account(&mut superuser, deployment).await?;
    files.push(StoredFile {
        key: folder.join("archive")?,
        content_type: "application/gzip",
        bytes: ARCHIVE.into(),
    });
    Ok(files)
}

/// An account whose reports no night reads any more, since nobody is reached here, with two differences of the past.
async fn compared_account(superuser: &mut PgConnection, deployment: &Deployment) -> sqlx::Result<()> {
    sqlx::query(
        "WITH account AS (
             INSERT INTO reconciliation (tenant_id, provider, first_day, last_day, done_day, done_at, tried_at)
             VALUES ($1, 'paytr', '2026-09-14', '2026-09-21', '9999-12-31', $2, $2))
         INSERT INTO reconciliation_difference (tenant_id, id, provider, kind, subject_kind, subject, attempt, their_amount,
                                                their_currency, first_seen_at, last_seen_at, resolved_at)
         SELECT $1, id, 'paytr', 'missing_here', 'payment', subject, subject, 5000, 'TRY', $2, $2, $2
         FROM UNNEST($3::uuid[], ARRAY['DUKKAN1', 'DUKKAN2']) AS unknown (id, subject)",
    )
    .bind(deployment.umraniye.as_uuid())
    .bind(ISSUED_AT)
    .bind(MAILS.as_slice())
    .execute(superuser)
    .await?;
    Ok(())
}

/// The academy's account at PayTR; the path of its callback.
async fn connect_paytr(
    deployment: &Deployment,
    database: &TestDatabase,
    ports: Ports,
) -> anyhow::Result<String> {
    let lookup = |name: &str| deployment.variables.get(name).cloned();
    let planes = Arc::new(deployment.plane_keys()?);
    let (postgres, config) = (database.postgres().clone(), Config::new(&lookup));
    let payments = Payments::new(ports, planes, postgres, Network::new(), Arc::new(Deaf), &config)?;
    let account = PayTrConfig {
        merchant_id: "100200".into(),
        merchant_key: Secret::new(MERCHANT_KEY),
        merchant_salt: Secret::new(MERCHANT_SALT),
        base_url: "https://paytr.example.com".parse()?,
        test_mode: true,
        page_minutes: 30,
        private_buyer_address: None,
    };
    Ok(payments.configure(deployment.umraniye, account).await?)
}

async fn academy(superuser: &mut PgConnection, deployment: &Deployment) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO tenant (id, slug, name, locale, state, brand, domains, updated_at)
         VALUES ($1, 'umraniye', 'Ümraniye Açık Akademi', 'tr', 'active', $2, '{}', 0)",
    )
    .bind(deployment.umraniye.as_uuid())
    .bind(json!({ "colour": "#0b6e4f" }))
    .execute(superuser)
    .await?;
    Ok(())
}

async fn published_course(
    superuser: &mut PgConnection,
    deployment: &Deployment,
    course: Uuid,
    slug: &str,
    title: &str,
) -> sqlx::Result<()> {
    sqlx::query(
        "WITH draft AS (
             INSERT INTO course_draft (tenant_id, id, slug, title, summary, structure, revision, published_version,
                                       published_at, owner_id, created_at, updated_at)
             VALUES ($1, $2, $3, $4, '', '[]', 1, 1, 0, $5, 0, 0))
         INSERT INTO course_slug (tenant_id, slug, course_id) VALUES ($1, $3, $2)",
    )
    .bind(deployment.umraniye.as_uuid())
    .bind(course)
    .bind(slug)
    .bind(title)
    .bind(deployment.staff.as_uuid())
    .execute(superuser)
    .await?;
    Ok(())
}

fn holder_key() -> PersonKey {
    PersonKey::from_bytes([5; 32])
}

/// The staff as `sync` brings people.
async fn holder(superuser: &mut PgConnection, deployment: &Deployment) -> anyhow::Result<()> {
    let (tenant, person): (_, UserId) = (deployment.umraniye, deployment.staff);
    let vault = Vault::from_config(deployment.variable("lambda_master_key"))?;
    let profile = json!({ "name": HOLDER, "email": "yonetici@example.com" }).to_string();
    sqlx::query(
        "WITH saved AS (
             INSERT INTO person (tenant_id, id, sealed_profile, state, updated_at) VALUES ($1, $2, $3, 'active', 0))
         INSERT INTO person_key (tenant_id, user_id, wrapped) VALUES ($1, $2, $4)",
    )
    .bind(tenant.as_uuid())
    .bind(person.as_uuid())
    .bind(holder_key().seal(person, "profile", profile.as_bytes(), [6; 24]))
    .bind(vault.wrap_key(tenant, person, &holder_key(), [7; 24]))
    .execute(superuser)
    .await?;
    Ok(())
}

async fn issued_certificate(
    superuser: &mut PgConnection,
    deployment: &Deployment,
    serial: Uuid,
    course: Uuid,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO certificate (tenant_id, serial, user_id, course_id, enrolment_id, course_title, sealed_holder,
                                  completed_at, issued_at)
         VALUES ($1, $2, $3, $4, $4, 'Işığın Yolculuğu', $5, $6, $6)",
    )
    .bind(deployment.umraniye.as_uuid())
    .bind(serial)
    .bind(deployment.staff.as_uuid())
    .bind(course)
    .bind(holder_key().seal(deployment.staff, HOLDER_FIELD, HOLDER.as_bytes(), [8; 24]))
    .bind(ISSUED_AT)
    .execute(superuser)
    .await?;
    Ok(())
}

async fn placed_order(
    superuser: &mut PgConnection,
    deployment: &Deployment,
    order: Uuid,
    state: &str,
) -> sqlx::Result<()> {
    sqlx::query(
        "WITH placed AS (
             INSERT INTO customer_order (tenant_id, id, user_id, idempotency_key, state, currency, subtotal, discount, total,
                                         vat, created_at, expires_at)
             VALUES ($1, $2, $3, 'order-' || $4, $4, 'TRY', $5, 0, $5, 2498, $6, $7))
         INSERT INTO order_line (tenant_id, order_id, course_id, place, title, price, discount, total, vat_basis_points, vat,
                                 enrolment_id)
         VALUES ($1, $2, $8, 0, 'Işığın Yolculuğu', $5, 0, $5, 2000, 2498, $2)",
    )
    .bind(deployment.umraniye.as_uuid())
    .bind(order)
    .bind(deployment.staff.as_uuid())
    .bind(state)
    .bind(PAYMENT_AMOUNT)
    .bind(deployment.now.as_millis())
    .bind(deployment.now.plus_seconds(akademi_payments::ORDER_SECONDS).as_millis())
    .bind(COURSE)
    .execute(superuser)
    .await?;
    Ok(())
}

async fn begun_payment(superuser: &mut PgConnection, deployment: &Deployment) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO payment (tenant_id, id, order_id, provider, state, amount, currency, created_at, updated_at)
         VALUES ($1, $2, $3, 'paytr', 'begun', $4, 'TRY', $5, $5)",
    )
    .bind(deployment.umraniye.as_uuid())
    .bind(PAYMENT)
    .bind(PENDING_ORDER)
    .bind(PAYMENT_AMOUNT)
    .bind(deployment.now.as_millis())
    .execute(superuser)
    .await?;
    Ok(())
}

async fn mail_to_staff(
    superuser: &mut PgConnection,
    deployment: &Deployment,
    mail: Uuid,
    state: &str,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO mail (tenant_id, id, kind, person_id, sealed_recipient, host, locale, state, attempts, reason,
                           created_at, queued_at, sent_at)
         VALUES ($1, $2, 'password_changed', $3, '', 'umraniye.localhost', 'tr', $4, 1,
                 CASE $4 WHEN 'failed' THEN 'the mail server refused it (550)' END, $5, $5,
                 CASE $4 WHEN 'sent' THEN $5 END)",
    )
    .bind(deployment.umraniye.as_uuid())
    .bind(mail)
    .bind(deployment.staff.as_uuid())
    .bind(state)
    .bind(ISSUED_AT)
    .execute(superuser)
    .await?;
    Ok(())
}

async fn waiting_import(superuser: &mut PgConnection, deployment: &Deployment) -> anyhow::Result<()> {
    sqlx::query(
        "INSERT INTO course_import (tenant_id, id, user_id, file_name, bytes, created_at)
         VALUES ($1, $2, $3, 'ders.tar.gz', $4, $5)",
    )
    .bind(deployment.umraniye.as_uuid())
    .bind(IMPORT)
    .bind(deployment.staff.as_uuid())
    .bind(i64::try_from(ARCHIVE.len())?)
    .bind(deployment.now.as_millis())
    .execute(superuser)
    .await?;
    Ok(())
}
