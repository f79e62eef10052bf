//! A mail in the form in which it travels (RFC 5322, RFC 2045).

use akademi_domain::{ids::MailId, time::Timestamp};
use lettre::{
    Address,
    message::{
        Mailbox, MultiPart, SinglePart,
        header::{HeaderName, HeaderValue},
    },
};
use std::time::{Duration, SystemTime};

use crate::{mailer::Message, render::Rendered};

/// Nobody's machine answers it (RFC 3834 §5).
const AUTO_SUBMITTED: HeaderName = HeaderName::new_from_ascii_str("Auto-Submitted");

/// The variable `mail_from`: `Name <address>`.
///
/// # Errors
/// What is wrong with it.
pub fn parse_sender(text: &str) -> Result<Mailbox, &'static str> {
    text.parse().map_err(|_| "must be `Name <address>`")
}

/// Whom a mail is for.
pub struct Recipient {
    pub name: Option<String>,
    pub address: Address,
}

/// One message from `sender` under the academy's name, the same bytes for the same mail at the same moment.
///
/// Its `Message-ID` is made of the mail's id: whoever gets it twice, since we were ended between sending and noting it, can
/// tell (RFC 5322 §3.6.4).
///
/// # Errors
/// When the parts make no message: a defect of ours.
pub fn compose(
    id: MailId,
    sender: &Mailbox,
    academy: &str,
    recipient: Recipient,
    mail: Rendered,
    now: Timestamp,
) -> Result<Message, lettre::error::Error> {
    let since_epoch = Duration::from_millis(u64::try_from(now.as_millis()).unwrap_or(0));
    let body = MultiPart::alternative()
        .boundary(format!("akademi-{id}"))
        .singlepart(SinglePart::plain(mail.text))
        .singlepart(SinglePart::html(mail.html));
    let message = lettre::Message::builder()
        .date(SystemTime::UNIX_EPOCH + since_epoch)
        .message_id(Some(format!("<{id}@{}>", sender.email.domain())))
        .from(Mailbox::new(Some(academy.to_owned()), sender.email.clone()))
        .to(Mailbox::new(recipient.name, recipient.address))
        .subject(mail.subject)
        .raw_header(HeaderValue::new(AUTO_SUBMITTED, "auto-generated".into()))
        .multipart(body)?;
    Ok(Message { id, envelope: message.envelope().clone(), bytes: message.formatted() })
}
