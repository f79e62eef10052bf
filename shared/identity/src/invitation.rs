//! People are invited by mail: accounts wait until their links are opened.

use akademi_api::{Academy, Ports, Problem, caller::AcademyHost};
use akademi_domain::{
    ids::{LinkId, UserId},
    mail::{LinkPurpose, MailKind},
    time::Timestamp,
};
use akademi_edge_store::{TenantStatement, append_events};
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

impl<'a> Invitation<'a> {
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
        let guest = Guest { profile: self.profile, roles: self.roles.to_owned() };
        let Self { academy, host, .. } = self;
        let (mut people, batch) = Invitations { academy, host }.send(&[guest], vault, ports, now)?;
        let person = people.pop().ok_or_else(|| Problem::broken("nobody was invited"))?;
        Ok((person, batch))
    }
}

/// Somebody who is invited.
pub struct Guest {
    pub profile: Profile,
    /// Names and ids, separated by commas.
    pub roles: String,
}

/// Many invitations of `academy`, whose links lead to `host`.
#[derive(Clone, Copy)]
pub struct Invitations<'a> {
    pub academy: &'a Academy,
    pub host: &'a AcademyHost,
}

impl Invitations<'_> {
    /// The statements that have all of them sent, in the place of earlier ones, and whose accounts they will be: as many
    /// statements as for one.
    ///
    /// # Errors
    /// `internal`, should a profile not serialise.
    pub fn send(
        &self,
        guests: &[Guest],
        vault: &Vault,
        ports: &Ports,
        now: Timestamp,
    ) -> Result<(Vec<UserId>, Vec<TenantStatement>), Problem> {
        let academy = self.academy;
        let (mut people, mut new, mut mails) = (Vec::new(), Vec::new(), Vec::new());
        for Guest { profile, roles } in guests {
            let (link, person) = (LinkId::new(now, ports.random()), UserId::new(now, ports.random()));
            let key = PersonKey::from_bytes(ports.random());
            new.push(NewInvitation {
                link,
                person,
                email_lookup: vault.email_lookup(academy.id, &profile.email),
                profile: profile.seal(&key, person, ports.random())?,
                wrapped_key: vault.wrap_key(academy.id, person, &key, ports.random()),
                roles,
            });
            let letter = Letter {
                kind: MailKind::Invitation,
                person,
                key: &key,
                recipient: profile,
                link: Some(link),
            };
            mails.push(letter.event(ports, academy, self.host, now)?);
            people.push(person);
        }
        let expires_at = now.plus_seconds(LinkPurpose::AcceptInvitation.seconds());
        let mut batch = Vec::from(store::insert_invitations(&new, expires_at, now));
        batch.extend(append_events(&mails, now));
        Ok((people, batch))
    }
}
