//! Mails whose time has come.
//!
//! Each is a job of `akademi_lambda_store::jobs`: whoever takes it holds a lease, and the attempt's number is the fence. No
//! transaction is open while a server is spoken to. So a mail of which we were ended after sending and before noting it is
//! sent once more when the lease has run out; its `Message-ID` is the same, by which whoever gets it can tell.

use akademi_domain::{
    colour::Colour,
    ids::TenantId,
    mail::{LinkPurpose, MailKind},
    time::Timestamp,
};
use akademi_lambda_store::{
    error::StoreError,
    jobs::{self, ClaimedJob, Failure, JobState, pause_millis},
    mail::{DELIVERY, DeliveryOrder},
};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    Mail,
    mailer::{Message, Undelivered},
    mails::MailState,
    message::{Recipient, compose},
    render::{Academy, Link, greetable, one_line, render},
    store::{self, QueuedMail},
    words::Language,
};

/// Longer than a mailer may take.
const LEASE_MILLIS: i64 = 90_000;
/// How long a mail is tried.
const TRIED_SECONDS: i64 = 24 * 3600;

/// What a run did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Delivered {
    pub sent: usize,
    /// To be tried again.
    pub put_off: usize,
    pub failed: usize,
    /// After how many seconds the first of those that were put off is due.
    pub due_in_seconds: Option<u64>,
    /// Whether time was up before no mail was left.
    pub has_more: bool,
}

/// What came of one attempt.
enum Outcome {
    Sent,
    PutOff {
        seconds: u64,
    },
    Failed,
    /// Another has it by now, or it was sent before.
    None,
}

/// What the edge seals as the field `mail`.
#[derive(Deserialize)]
struct SealedRecipient {
    name: String,
    email: String,
}

impl Mail {
    /// Sends mails of all academies that are due, one after the other, while `has_time` says so.
    ///
    /// # Errors
    /// [`StoreError`]: the mail at hand is tried again when its lease has run out.
    pub async fn deliver_due(&self, has_time: impl Fn() -> bool) -> Result<Delivered, StoreError> {
        let mut delivered = Delivered::default();
        while has_time() {
            let mut platform = self.postgres.platform().await?;
            let job = platform.claim_job(DELIVERY, self.ports.now(), LEASE_MILLIS).await?;
            platform.commit().await?;
            let Some(job) = job else { return Ok(delivered) };
            match self.deliver(&job).await? {
                Outcome::Sent => delivered.sent += 1,
                Outcome::PutOff { seconds } => {
                    delivered.put_off += 1;
                    let first = delivered.due_in_seconds.map_or(seconds, |first| first.min(seconds));
                    delivered.due_in_seconds = Some(first);
                }
                Outcome::Failed => delivered.failed += 1,
                Outcome::None => {}
            }
        }
        Ok(Delivered { has_more: true, ..delivered })
    }

    async fn deliver(&self, job: &ClaimedJob) -> Result<Outcome, StoreError> {
        let mut tx = self.postgres.tenant(job.tenant).await?;
        let mail = match serde_json::from_value::<DeliveryOrder>(job.payload.clone()) {
            Ok(order) => store::find_queued_mail(&mut tx, order.mail).await?,
            Err(_) => None,
        };
        let Some(mail) = mail else {
            return unless_lost(jobs::complete(&mut tx, job, &Value::Null, self.ports.now()).await, || {
                Outcome::None
            });
        };
        let academy = store::find_academy(&mut tx).await?;
        tx.commit().await?;
        let attempt = match self.message(job, &mail, academy) {
            Ok(message) => self.mailer.send(&message).await,
            Err(reason) => Err(Undelivered { failure: Failure::Lasting, reason: reason.to_owned() }),
        };
        self.keep(job, &mail, attempt).await
    }

    /// Keeps what came of an attempt, unless another has the mail by now.
    async fn keep(
        &self,
        job: &ClaimedJob,
        mail: &QueuedMail,
        attempt: Result<(), Undelivered>,
    ) -> Result<Outcome, StoreError> {
        let now = self.ports.now();
        let mut tx = self.postgres.tenant(job.tenant).await?;
        let Err(Undelivered { mut failure, mut reason }) = attempt else {
            let ended = jobs::complete(&mut tx, job, &Value::Null, now).await;
            if let Err(error) = ended {
                return unless_lost(Err(error), || Outcome::None);
            }
            store::mark_sent(&mut tx, mail.id, now).await?;
            tx.commit().await?;
            return Ok(Outcome::Sent);
        };
        let pause = pause_millis(job.attempt) / 1000;
        if failure == Failure::Passing && has_run_out(mail, now.plus_seconds(pause)) {
            failure = Failure::Lasting;
            reason = format!("given up: {reason}");
        }
        let state = match jobs::fail(&mut tx, job, failure, &reason, now).await {
            Ok(JobState::Failed) => MailState::Failed,
            Ok(_) => MailState::Queued,
            Err(error) => return unless_lost(Err(error), || Outcome::None),
        };
        store::mark_unsent(&mut tx, mail.id, state, &reason).await?;
        tx.commit().await?;
        let line = serde_json::json!({
            "at": now, "function": "mail", "level": "error", "tenant": job.tenant, "mail": mail.id,
            "state": state, "attempt": job.attempt, "cause": reason,
        });
        self.ports.log.line(&line.to_string());
        Ok(match state {
            MailState::Failed => Outcome::Failed,
            _ => Outcome::PutOff { seconds: pause.unsigned_abs() },
        })
    }

    /// The finished message, or why there can be none, for staff.
    fn message(
        &self,
        job: &ClaimedJob,
        mail: &QueuedMail,
        academy: Option<(String, String)>,
    ) -> Result<Message, &'static str> {
        let now = self.ports.now();
        let kind = MailKind::parse(&mail.kind).ok_or("its kind is unknown")?;
        if link_has_ended(kind, mail, now) {
            return Err("its link is no longer good");
        }
        if job.attempt > 1 && has_run_out(mail, now) {
            return Err("given up");
        }
        let recipient = self.recipient(job.tenant, mail)?;
        let link = match kind.link() {
            Some(purpose) => Some(self.link(job.tenant, mail, purpose)?),
            None if kind.leads_to_order() => Some(self.order_page(mail)?),
            None => None,
        };
        // Its events may be late.
        let (name, colour) = academy.unwrap_or_else(|| (mail.host.clone(), String::new()));
        let brand = colour.parse::<Colour>().unwrap_or(Colour::BLACK).readable_on_white();
        let academy = Academy { name: one_line(&name), brand, site: self.address(mail, "/")? };
        let language = Language::of(&mail.locale);
        let rendered = render(kind, language, &academy, recipient.name.as_deref(), link.as_ref())
            .map_err(|_| "its template does not render")?;
        compose(mail.id, &self.sender, &academy.name, recipient, rendered, now)
            .map_err(|_| "it makes no message")
    }

    fn recipient(&self, tenant: TenantId, mail: &QueuedMail) -> Result<Recipient, &'static str> {
        let unreadable = "the recipient cannot be read";
        let wrapped = mail.wrapped_key.as_deref().ok_or("recipient erased")?;
        let key = self.vault.unwrap_key(tenant, mail.person, wrapped).map_err(|_| unreadable)?;
        let opened = key.open(mail.person, "mail", &mail.sealed_recipient).map_err(|_| unreadable)?;
        let SealedRecipient { name, email } = serde_json::from_slice(&opened).map_err(|_| unreadable)?;
        let address = email.parse().map_err(|_| "the address is none that mail can be sent to")?;
        Ok(Recipient { name: greetable(&name), address })
    }

    fn link(&self, tenant: TenantId, mail: &QueuedMail, purpose: LinkPurpose) -> Result<Link, &'static str> {
        let link = mail.link.ok_or("it lacks its link")?;
        let token = self.links.token(purpose, tenant, link);
        let url = self.address(mail, &format!("{}?token={token}", purpose.page()))?;
        Ok(Link { url, seconds: Some(purpose.seconds()) })
    }

    /// Whoever opens it signs in first.
    fn order_page(&self, mail: &QueuedMail) -> Result<Link, &'static str> {
        let order = mail.order.ok_or("it lacks its order")?;
        Ok(Link { url: self.address(mail, &format!("/orders/{order}"))?, seconds: None })
    }

    /// Of a page of the academy's.
    fn address(&self, mail: &QueuedMail, path: &str) -> Result<String, &'static str> {
        let host = self.public_host(&mail.host);
        let url = akademi_api::public_url::public_url(&host, path).map_err(|_| "its host is none")?;
        Ok(url.to_string())
    }
}

/// Whether the link that the mail would carry opens nothing any more.
fn link_has_ended(kind: MailKind, mail: &QueuedMail, now: Timestamp) -> bool {
    kind.link().is_some_and(|purpose| now >= mail.created_at.plus_seconds(purpose.seconds()))
}

/// Whether it has been tried for long enough by `now`: a day, or as long as its link is good.
fn has_run_out(mail: &QueuedMail, now: Timestamp) -> bool {
    let link_ends = MailKind::parse(&mail.kind).is_some_and(|kind| link_has_ended(kind, mail, now));
    link_ends || now >= mail.queued_at.plus_seconds(TRIED_SECONDS)
}

/// Somebody whose lease ran out keeps nothing: another has made, or makes, an attempt of their own.
fn unless_lost(
    ended: Result<(), StoreError>,
    outcome: impl FnOnce() -> Outcome,
) -> Result<Outcome, StoreError> {
    match ended {
        Ok(()) => Ok(outcome()),
        Err(StoreError::LeaseLost) => Ok(Outcome::None),
        Err(error) => Err(error),
    }
}
