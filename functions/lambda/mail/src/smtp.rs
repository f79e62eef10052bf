//! Mail by SMTP (RFC 5321), to the server that takes it further.

use akademi_api::{
    config::{Config, ConfigError},
    public_url::is_this_machine,
};
use akademi_functions::{MAIL_FROM, MAIL_URL};
use akademi_lambda_store::jobs::Failure;
use futures::future::BoxFuture;
use http::Uri;
use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor,
    transport::smtp::{AsyncSmtpTransportBuilder, Error, extension::ClientId},
};
use std::{net::IpAddr, time::Duration};

use crate::{
    mailer::{Mailer, Message, Undelivered},
    message::parse_sender,
};

/// How long one command may wait for its answer.
const COMMAND: Duration = Duration::from_secs(20);
/// How long all of them may take: less than an attempt's lease.
const WHOLE: Duration = Duration::from_secs(60);

/// Refusals of ourselves, not of the recipient: the server wants another password or none of our connections (RFC 4954
/// §6). An operator mends that, and the mail goes out.
const REFUSES_US: [u16; 5] = [421, 530, 534, 535, 538];

/// A connection to the server for each message.
pub struct SmtpMailer(AsyncSmtpTransport<Tokio1Executor>);

impl SmtpMailer {
    /// # Errors
    /// [`ConfigError`] naming `mail_url` or `mail_from`.
    pub fn from_config(config: &Config<'_>) -> Result<Self, ConfigError> {
        let sender = config.read(MAIL_FROM, parse_sender)?;
        let server = config.read(MAIL_URL, parse_server)?;
        // Some servers take no greeting that is a number.
        let greeting = ClientId::Domain(sender.email.domain().to_owned());
        Ok(Self(server.hello_name(greeting).timeout(Some(COMMAND)).build()))
    }
}

/// The server at `smtps://user:password@host` (TLS from the beginning) or `smtp://…` (STARTTLS, without which nothing is
/// sent, but for a server on this machine).
///
/// # Errors
/// What is wrong with it, without repeating it.
fn parse_server(text: &str) -> Result<AsyncSmtpTransportBuilder, &'static str> {
    let problem = "must be smtp(s)://user:password@host:port, user and password percent-encoded";
    let url: Uri = text.parse().map_err(|_| problem)?;
    let host = url.host().ok_or(problem)?;
    let is_here = is_this_machine(host)
        || host.trim_matches(['[', ']']).parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    let is_plain = url.scheme_str() == Some("smtp") && url.query().is_none();
    let secured = if is_plain && !is_here { format!("{text}?tls=required") } else { text.to_owned() };
    AsyncSmtpTransport::<Tokio1Executor>::from_url(&secured).map_err(|_| problem)
}

impl Mailer for SmtpMailer {
    fn send<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<(), Undelivered>> {
        Box::pin(async move {
            let sending = self.0.send_raw(&message.envelope, &message.bytes);
            match tokio::time::timeout(WHOLE, sending).await {
                Ok(Ok(_)) => Ok(()),
                Ok(Err(error)) => Err(undelivered(&error)),
                Err(_) => Err(Undelivered {
                    failure: Failure::Passing,
                    reason: "the mail server took too long".into(),
                }),
            }
        })
    }
}

fn undelivered(error: &Error) -> Undelivered {
    let passing = |reason: String| Undelivered { failure: Failure::Passing, reason };
    match error.status() {
        Some(code) if REFUSES_US.contains(&code.into()) => {
            passing(format!("the mail server does not let us in ({code})"))
        }
        Some(code) if error.is_permanent() => {
            Undelivered { failure: Failure::Lasting, reason: format!("the mail server refused it ({code})") }
        }
        Some(code) => passing(format!("the mail server put it off ({code})")),
        None if error.is_tls() => passing("there is no secure connection to the mail server".into()),
        None => passing("the mail server cannot be reached, or broke off".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_elsewhere_is_spoken_to_in_secret_only() {
        let speaks = |url: &str| format!("{:?}", parse_server(url).unwrap());
        assert!(speaks("smtp://a:b%40c@mail.example.com:587").contains("tls: Required"));
        assert!(speaks("smtps://a:b@mail.example.com").contains("tls: Wrapper"));
        for here in ["smtp://localhost:25", "smtp://127.0.0.1:2525", "smtp://[::1]:2525"] {
            assert!(speaks(here).contains("tls: None"), "{here}");
        }
        assert!(speaks("smtp://127.0.0.1:2525?tls=required").contains("tls: Required"));
        for bad in ["", "mail.example.com", "https://mail.example.com", "smtp://", "smtp://a?tls=maybe"] {
            assert!(parse_server(bad).is_err(), "{bad}");
        }
    }
}
