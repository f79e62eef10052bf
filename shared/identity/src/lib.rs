//! What the edge functions share that deal with people: their sealed profiles, what their roles allow, their sessions, the mail
//! that they are sent, the audit log, and how often somebody may try.

pub mod audit;
pub mod consent;
mod invitation;
mod known;
pub mod mail;
mod newcomer;
pub mod origin;
pub mod passkey;
pub mod password;
pub mod profile;
pub mod roles;
pub mod second_factor;
pub mod session;
pub mod staff;
mod store;
pub mod throttle;
pub mod totp;
mod tries;
mod wake;

pub use audit::Audit;
pub use invitation::{Guest, Invitation, Invitations};
pub use known::{Known, key_of};
pub use mail::Letter;
pub use newcomer::Newcomer;
pub use origin::Origin;
pub use profile::Profile;
pub use roles::Granted;
pub use store::{
    Person, assign_role, find_person, has_account, has_another_way_in, insert_person_key, person_has_version,
    revoke_session, revoke_sessions, update_password, use_links,
};
pub use wake::SyncWake;
