//! What the edge functions share that deal with people: their sealed profiles, what their roles allow, the mail that they
//! are sent, the audit log, and how often somebody may try.

pub mod audit;
mod known;
pub mod mail;
pub mod origin;
pub mod password;
pub mod profile;
pub mod roles;
pub mod second_factor;
mod store;
pub mod throttle;
pub mod totp;
mod tries;

pub use audit::Audit;
pub use known::Known;
pub use mail::Letter;
pub use origin::Origin;
pub use profile::Profile;
pub use roles::Granted;
pub use store::{
    Person, assign_role, find_person, person_has_version, revoke_session, revoke_sessions, update_password,
    use_links,
};
