//! What staff writes on this plane: which action each route leaves, and the entry itself.

use akademi_api::{
    Caller, Ports,
    config::{Config, ConfigError},
    signed::CallContext,
};
use akademi_domain::ids::{AuditId, TenantId, UserId};
use akademi_seal::Vault;
use serde_json::{Map, Value, json};
use std::sync::Arc;

use super::{NewEntry, append};
use crate::{error::StoreError, postgres::TenantTransaction};

/// The sealed field of an entry: `{"address": …, "device": …, "country": …}` as far as it is known.
pub const ORIGIN_FIELD: &str = "audit";

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)+) => {
        /// What staff does on this plane.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Action {$($(#[$doc])* $name,)+}

        impl Action {
            /// `noun.verb` in the past, as the log names it.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }
        }
    };
}

actions! {
    AuditExported = "audit.exported";
    BundleChanged = "bundle.changed";
    BundleCreated = "bundle.created";
    CertificateLogoRemoved = "certificate_logo.removed";
    CertificateLogoSet = "certificate_logo.set";
    CertificateRevoked = "certificate.revoked";
    CouponChanged = "coupon.changed";
    CouponCreated = "coupon.created";
    CourseChanged = "course.changed";
    CourseContentReplaced = "course.content_replaced";
    CourseCreated = "course.created";
    /// By the job of an import.
    CourseImported = "course.imported";
    CoursePicturesChosen = "course.pictures_chosen";
    CoursePublished = "course.published";
    CourseRestored = "course.restored";
    ExchangeRateSet = "exchange_rate.set";
    IdentityProviderRemoved = "identity_provider.removed";
    IdentityProviderSaved = "identity_provider.saved";
    ImageCreated = "image.created";
    ImageDeleted = "image.deleted";
    ImportRequested = "import.requested";
    ImportStarted = "import.started";
    InvoiceRetried = "invoice.retried";
    InvoiceSettingsSaved = "invoice_settings.saved";
    MailRetried = "mail.retried";
    PaymentAccountSaved = "payment_account.saved";
    PriceSet = "price.set";
    RefundRequested = "refund.requested";
    ReconciliationRun = "reconciliation.run";
    ReportRun = "report.run";
    SeatsSet = "seats.set";
    SoldElsewhereRemoved = "sold_elsewhere.removed";
    SoldElsewhereSet = "sold_elsewhere.set";
    UploadAttached = "upload.attached";
    UploadCompleted = "upload.completed";
    UploadDeleted = "upload.deleted";
    UploadPartsAnnounced = "upload.parts_announced";
    /// Since it holds a virus.
    UploadRefused = "upload.refused";
    UploadRequested = "upload.requested";
    VideoSettingsSaved = "video_settings.saved";
}

/// What each staff write of this plane leaves in the log. A test compares it with the table of routes.
pub const AUDITED: &[(&str, Action)] = &[
    ("POST /api/v1/authoring/courses", Action::CourseCreated),
    ("PATCH /api/v1/authoring/courses/{course_id}", Action::CourseChanged),
    ("PUT /api/v1/authoring/courses/{course_id}/content", Action::CourseContentReplaced),
    ("PUT /api/v1/authoring/courses/{course_id}/pictures", Action::CoursePicturesChosen),
    ("POST /api/v1/authoring/courses/{course_id}/publish", Action::CoursePublished),
    ("POST /api/v1/authoring/courses/{course_id}/versions/{version}/restore", Action::CourseRestored),
    ("POST /api/v1/authoring/courses/{course_id}/assets", Action::UploadAttached),
    ("POST /api/v1/authoring/imports", Action::ImportRequested),
    ("POST /api/v1/authoring/imports/{job_id}/start", Action::ImportStarted),
    ("POST /api/v1/uploads", Action::UploadRequested),
    ("POST /api/v1/uploads/{upload_id}/parts", Action::UploadPartsAnnounced),
    ("POST /api/v1/uploads/{upload_id}/complete", Action::UploadCompleted),
    ("DELETE /api/v1/uploads/{upload_id}", Action::UploadDeleted),
    ("POST /api/v1/images", Action::ImageCreated),
    ("DELETE /api/v1/images/{image_id}", Action::ImageDeleted),
    ("PUT /api/v1/academy/video-settings", Action::VideoSettingsSaved),
    ("PUT /api/v1/commerce/courses/{course_id}/price", Action::PriceSet),
    ("PUT /api/v1/commerce/courses/{course_id}/seats", Action::SeatsSet),
    ("PUT /api/v1/commerce/courses/{course_id}/sold-elsewhere", Action::SoldElsewhereSet),
    ("DELETE /api/v1/commerce/courses/{course_id}/sold-elsewhere", Action::SoldElsewhereRemoved),
    ("POST /api/v1/commerce/bundles", Action::BundleCreated),
    ("PUT /api/v1/commerce/bundles/{bundle_id}", Action::BundleChanged),
    ("POST /api/v1/commerce/coupons", Action::CouponCreated),
    ("PUT /api/v1/commerce/coupons/{coupon_id}", Action::CouponChanged),
    ("POST /api/v1/commerce/orders/{order_id}/refunds", Action::RefundRequested),
    ("PUT /api/v1/commerce/payment-accounts", Action::PaymentAccountSaved),
    ("POST /api/v1/certificates/{serial}/revocation", Action::CertificateRevoked),
    ("PUT /api/v1/academy/certificate-logo", Action::CertificateLogoSet),
    ("DELETE /api/v1/academy/certificate-logo", Action::CertificateLogoRemoved),
    ("PUT /api/v1/academy/identity-providers/{provider}", Action::IdentityProviderSaved),
    ("DELETE /api/v1/academy/identity-providers/{provider}", Action::IdentityProviderRemoved),
    ("POST /api/v1/mails/{mail_id}/retry", Action::MailRetried),
    ("PUT /api/v1/commerce/invoice-settings", Action::InvoiceSettingsSaved),
    ("PUT /api/v1/commerce/exchange-rates/{currency}/{date}", Action::ExchangeRateSet),
    ("POST /api/v1/invoices/{invoice_id}/retry", Action::InvoiceRetried),
    ("POST /api/v1/reports/runs", Action::ReportRun),
    ("POST /api/v1/reconciliation/runs", Action::ReconciliationRun),
    ("GET /api/v1/audit.csv", Action::AuditExported),
];

/// Who writes, and from where.
#[derive(Debug, Clone, Copy)]
pub struct Actor<'a> {
    pub user: UserId,
    /// The address that `origin` forwarded; none for a job.
    pub address: Option<&'a str>,
}

impl<'a> Actor<'a> {
    pub fn new(caller: &Caller, call: &'a CallContext) -> Self {
        Self { user: caller.user, address: call.client.as_deref() }
    }

    /// A job that does what this person asked for.
    pub const fn job_of(user: UserId) -> Self {
        Self { user, address: None }
    }
}

/// A write, as the log tells it: ids, money and titles, no personal data and no secrets.
#[derive(Debug)]
pub struct Write {
    pub action: Action,
    /// `kind:id`
    pub target: String,
    /// An object of the fields that the write may change; null for what was not there.
    pub before: Value,
    /// The same fields; null for what is gone.
    pub after: Value,
}

/// Appends what staff writes.
#[derive(Clone)]
pub struct Auditor {
    ports: Ports,
    vault: Arc<Vault>,
}

impl Auditor {
    pub const fn new(ports: Ports, vault: Arc<Vault>) -> Self {
        Self { ports, vault }
    }

    /// # Errors
    /// [`ConfigError`] naming `lambda_master_key`.
    pub fn from_config(ports: Ports, config: &Config<'_>) -> Result<Self, ConfigError> {
        let vault = config.read(akademi_functions::LAMBDA_MASTER_KEY, Vault::from_config)?;
        Ok(Self::new(ports, Arc::new(vault)))
    }

    /// Appends the entry of a write, with those fields that it changed, in the write's own transaction. A write that changed
    /// nothing leaves none. As [`append`] the last thing before the commit.
    pub async fn record(
        &self,
        tx: &mut TenantTransaction,
        actor: Actor<'_>,
        write: Write,
    ) -> Result<(), StoreError> {
        let Some(change) = change(write.before, write.after) else { return Ok(()) };
        let origin = self.sealed_origin(tx, actor).await?;
        let now = self.ports.now();
        let entry = NewEntry {
            id: AuditId::new(now, self.ports.random()),
            at: now,
            action: write.action.name().to_owned(),
            actor: Some(actor.user),
            target: write.target,
            sealed_for: origin.is_some().then_some(actor.user),
            origin: origin.unwrap_or_default(),
            change: Some(change),
        };
        append(tx, entry).await.map(|_| ())
    }

    /// The address under the person's key, if both are there.
    async fn sealed_origin(
        &self,
        tx: &mut TenantTransaction,
        actor: Actor<'_>,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(address) = actor.address else { return Ok(None) };
        let Some(wrapped) = find_wrapped_key(tx, actor.user).await? else { return Ok(None) };
        let Ok(key) = self.vault.unwrap_key(tx.tenant(), actor.user, &wrapped) else {
            self.log_unopenable(tx.tenant(), actor.user);
            return Ok(None);
        };
        let plain = json!({ "address": address }).to_string();
        Ok(Some(key.seal(actor.user, ORIGIN_FIELD, plain.as_bytes(), self.ports.random())))
    }

    fn log_unopenable(&self, tenant: TenantId, person: UserId) {
        let line = json!({
            "at": self.ports.now(), "function": "audit", "level": "error", "tenant": tenant,
            "cause": format!("the key of {person} cannot be unwrapped"),
        });
        self.ports.log.line(&line.to_string());
    }
}

/// The fields that differ, before and after; `None` if none does.
fn change(before: Value, after: Value) -> Option<Value> {
    if before == after {
        return None;
    }
    let (Value::Object(mut before), Value::Object(mut after)) = (before.clone(), after.clone()) else {
        return Some(json!({ "before": before, "after": after }));
    };
    let same: Vec<String> = before
        .iter()
        .filter(|(name, value)| after.get(*name) == Some(value))
        .map(|(name, _)| name.clone())
        .collect();
    let without_same = |fields: &mut Map<String, Value>| fields.retain(|name, _| !same.contains(name));
    without_same(&mut before);
    without_same(&mut after);
    Some(json!({ "before": before, "after": after }))
}

/// The person's key as this plane wraps it; none before it has come from the edge, and once the person was erased.
async fn find_wrapped_key(tx: &mut TenantTransaction, person: UserId) -> Result<Option<Vec<u8>>, StoreError> {
    let wrapped = sqlx::query_scalar("SELECT wrapped FROM person_key WHERE tenant_id = $1 AND user_id = $2")
        .bind(tx.tenant().as_uuid())
        .bind(person.as_uuid())
        .fetch_optional(tx.connection())
        .await?;
    Ok(wrapped)
}

#[cfg(test)]
mod tests {
    use super::*;
    use akademi_functions::{Access, Plane, ROUTES, Route, function, http_method::Method};

    fn name_of(route: &Route) -> String {
        format!("{} {}", route.method.name(), route.path)
    }

    /// The staff writes of this plane, by the table of routes, that `audited` does not name.
    fn unaudited(audited: &[(&str, Action)]) -> Vec<String> {
        let is_lambda = |route: &&Route| function(route.function).is_some_and(|it| it.plane == Plane::Lambda);
        ROUTES
            .iter()
            .filter(is_lambda)
            .filter(|route| matches!(route.access, Access::Needs(_)) && route.method != Method::Get)
            .map(name_of)
            .filter(|name| !audited.iter().any(|(route, _)| route == name))
            .collect()
    }

    #[test]
    fn every_staff_write_of_this_plane_has_its_action() {
        assert_eq!(unaudited(AUDITED), Vec::<String>::new());
        let missing = &AUDITED[1..];
        assert_eq!(unaudited(missing), ["POST /api/v1/authoring/courses"]);
    }

    #[test]
    fn the_table_names_routes_that_there_are_and_each_once() {
        let rows: Vec<String> = ROUTES.iter().map(name_of).collect();
        for (i, (route, _)) in AUDITED.iter().enumerate() {
            assert!(rows.iter().any(|row| row == route), "{route}");
            assert!(AUDITED[i + 1..].iter().all(|(other, _)| other != route), "{route} stands twice");
        }
    }

    #[test]
    fn a_change_tells_the_fields_that_differ_and_nothing_if_none_does() {
        let old = json!({ "title": "Işık", "amount": 1, "language": null });
        let new = json!({ "title": "Işık", "amount": 2, "language": null });
        assert_eq!(
            change(old.clone(), new.clone()),
            Some(json!({ "before": { "amount": 1 }, "after": { "amount": 2 } }))
        );
        assert_eq!(change(old.clone(), old), None);
        assert_eq!(change(Value::Null, new.clone()), Some(json!({ "before": null, "after": new })));
    }
}
