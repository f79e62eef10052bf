//! Mail that a person is to get: an event in the batch of its cause. The other plane writes and sends it.

use akademi_api::{Academy, Ports, Problem, caller::AcademyHost};
use akademi_domain::{
    ids::{LinkId, MailId, UserId},
    mail::MailKind,
    time::Timestamp,
};
use akademi_edge_store::{TenantStatement, append_event};
use akademi_feed::EdgeEvent;
use akademi_seal::PersonKey;

use crate::profile::Profile;

/// What is written to whom.
pub struct Letter<'a> {
    pub kind: MailKind,
    pub person: UserId,
    pub key: &'a PersonKey,
    pub recipient: &'a Profile,
    /// Of the link that the kind has.
    pub link: Option<LinkId>,
}

impl Letter<'_> {
    /// The statements that have it sent.
    ///
    /// # Errors
    /// `internal`, should the recipient not serialise.
    pub fn wanted(
        &self,
        ports: &Ports,
        academy: &Academy,
        host: &AcademyHost,
        now: Timestamp,
    ) -> Result<[TenantStatement; 2], Problem> {
        Ok(append_event(&self.event(ports, academy, host, now)?, now))
    }

    /// The event alone, for the batch of many.
    ///
    /// # Errors
    /// As [`Letter::wanted`].
    pub fn event(
        &self,
        ports: &Ports,
        academy: &Academy,
        host: &AcademyHost,
        now: Timestamp,
    ) -> Result<EdgeEvent, Problem> {
        let sealed = self.recipient.seal_as("mail", self.key, self.person, ports.random())?;
        Ok(EdgeEvent::MailWanted {
            mail: MailId::new(now, ports.random()),
            person: self.person,
            kind: self.kind,
            recipient: hex::encode(sealed),
            link: self.link,
            host: host.0.clone(),
            locale: academy.profile.locale.clone(),
            at: now,
        })
    }
}
