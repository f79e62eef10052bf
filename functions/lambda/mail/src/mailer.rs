//! The port that mail leaves through.

use akademi_domain::ids::MailId;
use akademi_lambda_store::jobs::Failure;
use futures::future::BoxFuture;
use lettre::address::Envelope;

/// A finished message to one recipient.
#[derive(Debug, Clone)]
pub struct Message {
    pub id: MailId,
    /// From whom and to whom, for the servers on the way (RFC 5321 §2.3.1).
    pub envelope: Envelope,
    /// Header and body (RFC 5322), lines ended by CR LF.
    pub bytes: Vec<u8>,
}

/// Why a message was not sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Undelivered {
    /// Whether another attempt may succeed.
    pub failure: Failure,
    /// For staff: without personal data, so nothing that a server said in words.
    pub reason: String,
}

/// Sends mail.
pub trait Mailer: Send + Sync {
    /// Sends one message; `Ok` once the next server has taken it over.
    ///
    /// # Errors
    /// [`Undelivered`]. Where the connection broke off, the message may have been taken over all the same.
    fn send<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<(), Undelivered>>;
}
