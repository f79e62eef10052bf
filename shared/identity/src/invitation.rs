//! Somebody is invited by mail: an account waits until the link is opened.

use akademi_api::{Academy, Ports, Problem, caller::AcademyHost};
use akademi_domain::{
    ids::{LinkId, UserId},
    mail::{LinkPurpose, MailKind},
    time::Timestamp,
};
use akademi_edge_store::TenantStatement;
use akademi_seal::{PersonKey, Vault};

use crate::{
    mail::Letter,
    profile::Profile,
    store::{self, NewInvitation},
};

/// An invitation of `academy`, whose link leads to `host`.
pub struct Invitation<'a> {
    pub academy: &'a Academy,
    pub host: &'a AcademyHost,
    pub profile: Profile,
    /// Names and ids, separated by commas.
    pub roles: &'a str,
}

impl Invitation<'_> {
    /// The statements that have it sent, in the place of an earlier one, and whose account it will be.
    ///
    /// # Errors
    /// `internal`, should the profile not serialise.
    pub fn send(
        self,
        vault: &Vault,
        ports: &Ports,
        now: Timestamp,
    ) -> Result<(UserId, Vec<TenantStatement>), Problem> {
        let Self { academy, host, profile, roles } = self;
        let email_lookup = vault.email_lookup(academy.id, &profile.email);
        let (link, person) = (LinkId::new(now, ports.random()), UserId::new(now, ports.random()));
        let key = PersonKey::from_bytes(ports.random());
        let new = NewInvitation {
            link,
            person,
            email_lookup: &email_lookup,
            profile: &profile.seal(&key, person, ports.random())?,
            roles,
            expires_at: now.plus_seconds(LinkPurpose::AcceptInvitation.seconds()),
            now,
        };
        let wrapped = vault.wrap_key(academy.id, person, &key, ports.random());
        let mut batch = vec![
            store::withdraw_invitations(&email_lookup),
            store::insert_invitation(new),
            store::insert_person_key(person, &wrapped),
        ];
        let letter =
            Letter { kind: MailKind::Invitation, person, key: &key, recipient: &profile, link: Some(link) };
        batch.extend(letter.wanted(ports, academy, host, now)?);
        Ok((person, batch))
    }
}
