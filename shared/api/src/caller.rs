//! Who is asking, and for which academy: put into the request by the gate, taken out by handlers.

use akademi_domain::{
    academy::Features,
    ids::{SessionId, TenantId, UserId},
    permission::{Permission, Permissions},
};
use axum::extract::FromRequestParts;
use http::request::Parts;
use std::sync::Arc;

use crate::problem::Problem;

/// The academy that the request's host names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Academy {
    pub id: TenantId,
    /// Moves whenever what its public pages show changes as a whole: publish, suspend, revoke. It is part of
    /// every public `ETag`.
    pub generation: i64,
    pub profile: Arc<AcademyProfile>,
}

/// An academy's public face.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcademyProfile {
    pub slug: String,
    pub name: String,
    /// BCP 47: `tr` or `en`.
    pub locale: String,
    /// `#rrggbb`
    pub brand_colour: String,
    /// Other sites whose pages may ask (`https://host[:port]`), for CORS.
    pub origins: Vec<String>,
    /// What the academy has switched off.
    pub features_off: Features,
    /// The fastest playing of a video that counts, in percent of normal speed: 50 to 300.
    pub watch_rate_percent: u32,
}

/// A signed-in person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    pub tenant: TenantId,
    pub user: UserId,
    pub session: SessionId,
    pub permissions: Permissions,
}

impl Caller {
    pub const fn may(&self, permission: Permission) -> bool {
        self.permissions.has(permission)
    }

    /// Whose courses they see: their own, or everybody's.
    pub fn courses_of(&self) -> Option<UserId> {
        if self.may(Permission::CoursesAll) { None } else { Some(self.user) }
    }
}

/// The request's id: in the log, in problem documents, across `origin`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(pub Arc<str>);

/// The academy's host as the request named it: one of its domains, lower case. No port, since whoever asks chooses that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcademyHost(pub String);

/// The person's address as the host saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientAddress(pub String);

/// The country of that address (ISO 3166-1 alpha-2), where the host knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCountry(pub String);

impl ClientCountry {
    /// As a CDN's header names it: two capital letters, and neither `XX` nor `T1`, which are no country.
    pub fn of(text: &str) -> Option<Self> {
        let is_code =
            text.len() == 2 && text.bytes().all(|letter| letter.is_ascii_uppercase()) && text != "XX";
        is_code.then(|| Self(text.to_owned()))
    }
}

macro_rules! from_extensions {
    ($($type:ty, $absent:expr;)+) => {$(
        impl<S: Sync> FromRequestParts<S> for $type {
            type Rejection = Problem;

            async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
                parts.extensions.get::<$type>().cloned().ok_or($absent)
            }
        }
    )+};
}

from_extensions! {
    Academy, Problem::unknown_academy();
    AcademyHost, Problem::unknown_academy();
    Caller, Problem::not_signed_in();
    RequestId, Problem::broken("a request came past the gate");
    ClientAddress, Problem::broken("the host gave no client address");
}
