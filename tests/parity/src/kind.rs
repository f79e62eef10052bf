//! In which ways a route is asked, and which of them make sense for which route.

use akademi_functions::{
    Access, Route,
    http_method::Method::{Delete, Get},
};
use std::fmt;

/// A way of asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// As it should be asked.
    Good,
    /// Something in it is wrong, and refused.
    Bad,
    /// By somebody who may not.
    Uninvited,
    /// A page of a list, and the next one.
    Paged,
    /// With Turkish letters in the path, the query, the body or the answer.
    Turkish,
    /// Once more: the same answer under the same validators.
    Cached,
    /// With `If-None-Match`.
    Conditional,
    /// With `Accept-Encoding: gzip`; compared as it decodes.
    Compressed,
    /// With a body of 1 MiB.
    LargeBody,
    Head,
    Options,
    /// A method that no route takes.
    UnknownMethod,
    /// A letter of the path spelled as `%XX`.
    PercentEncoded,
}

impl Kind {
    pub const ALL: [Self; 13] = [
        Self::Good,
        Self::Bad,
        Self::Uninvited,
        Self::Paged,
        Self::Turkish,
        Self::Cached,
        Self::Conditional,
        Self::Compressed,
        Self::LargeBody,
        Self::Head,
        Self::Options,
        Self::UnknownMethod,
        Self::PercentEncoded,
    ];

    /// Whether an answer of this status is what such a request gets. The 1 MiB body and the spelled letter are refused by some
    /// routes and taken by others.
    pub fn fits(self, status: u16) -> bool {
        match self {
            Self::Good | Self::Paged | Self::Cached | Self::Compressed | Self::Head => {
                (200..400).contains(&status)
            }
            Self::Bad => (400..500).contains(&status),
            Self::Uninvited => matches!(status, 401 | 403 | 404),
            Self::Conditional => status == 304,
            Self::Options => status == 204,
            Self::UnknownMethod => status == 405,
            Self::Turkish | Self::LargeBody | Self::PercentEncoded => status < 500,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Uninvited => "uninvited",
            Self::Paged => "paged",
            Self::Turkish => "Turkish",
            Self::Cached => "cached",
            Self::Conditional => "conditional",
            Self::Compressed => "compressed",
            Self::LargeBody => "1 MiB body",
            Self::Head => "HEAD",
            Self::Options => "OPTIONS",
            Self::UnknownMethod => "unknown method",
            Self::PercentEncoded => "percent-encoded",
        })
    }
}

/// A row as it is named: `GET /api/v1/academy`.
pub fn name_of(route: &Route) -> String {
    format!("{} {}", route.method.name(), route.path)
}

/// Lists that are asked for by pages.
const PAGED: &[&str] = &[
    "GET /api/v1/users/me/sessions",
    "GET /api/v1/people",
    "GET /api/v1/people/{person_id}/sessions",
    "GET /api/v1/activation-codes/batches",
    "GET /api/v1/activation-codes/batches/{batch_id}/uses",
    "GET /api/v1/catalog/courses",
    "GET /api/v1/catalog/on-sale",
    "GET /api/v1/catalog/with-coupon",
    "GET /api/v1/catalog/courses/{slug}/reviews",
    "GET /api/v1/reviews",
    "GET /api/v1/learning/courses/{course_id}/lessons/{lesson_id}/marks",
    "GET /api/v1/users/me/likes",
    "GET /api/v1/users/me/certificates",
    "GET /api/v1/authoring/courses",
    "GET /api/v1/authoring/courses/{course_id}/versions",
    "GET /api/v1/uploads",
    "GET /api/v1/images",
    "GET /api/v1/commerce/bundles",
    "GET /api/v1/commerce/coupons",
    "GET /api/v1/commerce/orders",
    "GET /api/v1/reconciliation/differences",
    "GET /api/v1/ledger/entries",
    "GET /api/v1/orders",
    "GET /api/v1/certificates",
    "GET /api/v1/audit",
    "GET /api/v1/invoices",
    "GET /api/v1/mails",
    "GET /api/v1/platform/academies",
];

/// Answers with an `ETag`: what is the same for everybody, and only that. A draft's `ETag` tells its revision and is no
/// condition: the forward between the planes covers no `If-None-Match`.
const CONDITIONAL: &[&str] = &[
    "GET /.well-known/jwks.json",
    "GET /api/v1/auth/providers",
    "GET /api/v1/consents",
    "GET /api/v1/academy",
    "GET /api/v1/catalog/courses",
    "GET /api/v1/catalog/courses/{slug}",
    "GET /api/v1/catalog/courses/{slug}/reviews",
    "GET /api/v1/catalog/on-sale",
    "GET /api/v1/catalog/with-coupon",
    "GET /api/v1/catalog/search",
    "GET /api/v1/pictures/{name}",
    "GET /api/openapi.json",
    "GET /api/docs",
];

/// Routes that need somebody on the Internet: the hosts here reach nobody, and trust nobody else.
const ELSEWHERE: &[&str] = &[
    "POST /api/v1/auth/providers/{provider}/sign-in",
    "POST /internal/identity/exchange",
    "POST /api/v1/reconciliation/runs",
];

/// Routes that take words of people, in the path, the query or the body, or print them.
const TURKISH: &[&str] = &[
    "POST /api/v1/auth/register",
    "POST /api/v1/auth/accept-invitation",
    "PATCH /api/v1/users/me",
    "GET /api/v1/users/me/addresses",
    "POST /api/v1/users/me/addresses",
    "PUT /api/v1/users/me/addresses/{address_id}",
    "POST /api/v1/users/me/passkeys/options",
    "POST /api/v1/users/me/passkeys",
    "GET /api/v1/users/me/passkeys",
    "GET /api/v1/auth/providers",
    "GET /api/v1/academy/identity-providers",
    "PUT /api/v1/academy/identity-providers/{provider}",
    "PATCH /api/v1/academy/settings",
    "POST /api/v1/platform/academies",
    "PUT /api/v1/academy/consents/{kind}",
    "GET /api/v1/consents",
    "GET /api/v1/users/me/export",
    "GET /api/v1/people",
    "GET /api/v1/people/{person_id}",
    "POST /api/v1/people/invitations",
    "POST /api/v1/people/import",
    "PUT /api/v1/people/{person_id}/roles",
    "PUT /api/v1/people/{person_id}/state",
    "POST /api/v1/roles",
    "PUT /api/v1/roles/{role_id}",
    "POST /api/v1/activation-codes/batches",
    "GET /api/v1/activation-codes/batches/{batch_id}/uses",
    "POST /api/v1/activation-codes/redemptions",
    "GET /api/v1/catalog/courses/{slug}",
    "GET /api/v1/catalog/search",
    "GET /api/v1/catalog/courses/{slug}/reviews",
    "GET /api/v1/catalog/courses/{slug}/reviews/mine",
    "PUT /api/v1/catalog/courses/{slug}/reviews/mine",
    "GET /api/v1/reviews",
    "PUT /api/v1/reviews/{review_id}/state",
    "GET /api/v1/users/me/likes",
    "POST /api/v1/catalog/courses/{slug}/shares",
    "POST /api/v1/learning/courses/{course_id}/lessons/{lesson_id}/attempts",
    "GET /verify/{serial}",
    "GET /data-deletion/{code}",
    "POST /api/v1/authoring/courses",
    "PATCH /api/v1/authoring/courses/{course_id}",
    "PUT /api/v1/authoring/courses/{course_id}/content",
    "GET /api/v1/authoring/courses/{course_id}/versions/{version}",
    "POST /api/v1/authoring/imports",
    "POST /api/v1/uploads",
    "GET /api/v1/media/{asset_id}/{*path}",
    "POST /api/v1/coupons/quote",
    "GET /api/v1/cart",
    "PUT /api/v1/cart/coupons/{code}",
    "PUT /api/v1/commerce/courses/{course_id}/sold-elsewhere",
    "GET /api/v1/commerce/courses/{course_id}/sold-elsewhere",
    "POST /api/v1/commerce/bundles",
    "PUT /api/v1/commerce/bundles/{bundle_id}",
    "POST /api/v1/commerce/coupons",
    "PUT /api/v1/commerce/coupons/{coupon_id}",
    "POST /api/v1/commerce/orders/{order_id}/refunds",
    "POST /api/v1/orders",
    "PUT /api/v1/commerce/invoice-settings",
    "PUT /api/v1/orders/{order_id}/invoice-details",
    "POST /api/v1/certificates/{serial}/revocation",
];

/// Why it makes no sense to ask `route` in this way; `None` where it does, and a recorded request is needed.
pub fn exemption(route: &Route, kind: Kind) -> Option<&'static str> {
    let is_in = |list: &[&str]| list.contains(&name_of(route).as_str());
    let unless = |holds: bool, reason| if holds { None } else { Some(reason) };
    match kind {
        Kind::Options | Kind::UnknownMethod | Kind::PercentEncoded => None,
        Kind::Good => unless(
            !is_in(ELSEWHERE),
            "a provider of identities or payments has to answer: tests/federation and those of payments have some",
        ),
        Kind::Bad => unless(route.access != Access::AnyHost, "it takes nothing that could be wrong"),
        Kind::Uninvited => match route.access {
            Access::AnyHost => Some("anybody may ask, on any host"),
            Access::Provider => Some("who asks is known by the body's signature alone: that is a bad one"),
            Access::Public
            | Access::GuestOrSignedIn
            | Access::SignedIn
            | Access::Needs(_)
            | Access::OtherPlane => None,
        },
        Kind::Cached | Kind::Compressed | Kind::Head => unless(
            route.method == Get,
            "it is no GET: nobody keeps or compresses its answer, and HEAD is not its method",
        ),
        Kind::Conditional => {
            unless(is_in(CONDITIONAL), "its answer has no validator, or the route makes it no condition")
        }
        Kind::LargeBody => unless(!matches!(route.method, Get | Delete), "its method has no body"),
        Kind::Paged => unless(is_in(PAGED), "it is no list with a cursor"),
        Kind::Turkish => unless(is_in(TURKISH), "it takes and prints nobody's words"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use akademi_functions::ROUTES;

    #[test]
    fn the_lists_name_rows_that_there_are() {
        let rows: Vec<_> = ROUTES.iter().map(name_of).collect();
        for name in PAGED.iter().chain(CONDITIONAL).chain(TURKISH).chain(ELSEWHERE) {
            assert!(rows.contains(&(*name).to_owned()), "{name}");
        }
    }
}
