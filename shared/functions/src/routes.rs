//! The routes. One row each: method, path, function, who may call it.

use crate::{
    Access::{self, AnyHost, GuestOrSignedIn, Needs, OtherPlane, Provider, Public, SignedIn},
    Route,
    http_method::Method::{self, Delete, Get, Patch, Post, Put},
};
use akademi_domain::{
    academy::Feature,
    permission::Permission::{
        AcademyWrite, AuditRead, CertificatesWrite, CodesWrite, CommerceWrite, CoursesWrite, FinanceWrite,
        MailWrite, PeopleRead, PeopleWrite, PlatformWrite, ReportsAcademy, ReportsCourses, ReviewsWrite,
        RolesWrite,
    },
};

const fn row(method: Method, path: &'static str, function: &'static str, access: Access) -> Route {
    Route {
        method,
        path,
        function,
        access,
        reads_session: false,
        steps_up: false,
        feature: None,
        own_entry: false,
    }
}

/// A row whose session is read too (design §8).
const fn checked(method: Method, path: &'static str, function: &'static str, access: Access) -> Route {
    Route { reads_session: true, ..row(method, path, function, access) }
}

/// A row that hashes a password: on Spin an entry of its own (design §8).
const fn password(method: Method, path: &'static str, function: &'static str) -> Route {
    Route { own_entry: true, ..row(method, path, function, Public) }
}

/// The same for somebody who is signed in.
const fn own_password(method: Method, path: &'static str) -> Route {
    Route { own_entry: true, ..checked(method, path, "account", SignedIn) }
}

/// A row for which the caller must have proved within minutes who they are.
const fn dangerous(method: Method, path: &'static str, function: &'static str, access: Access) -> Route {
    Route { steps_up: true, ..checked(method, path, function, access) }
}

/// `route`, for academies that have not switched `feature` off.
const fn of(feature: Feature, route: Route) -> Route {
    Route { feature: Some(feature), ..route }
}

const MARKS: &str = "/api/v1/learning/courses/{course_id}/lessons/{lesson_id}/marks";
const MARK: &str = "/api/v1/learning/courses/{course_id}/lessons/{lesson_id}/marks/{person_id}";

pub const ROUTES: &[Route] = &[
    of(Feature::Registration, password(Post, "/api/v1/auth/register", "registration")),
    row(Post, "/api/v1/auth/confirm", "registration", Public),
    password(Post, "/api/v1/auth/accept-invitation", "registration"),
    password(Post, "/api/v1/auth/login", "auth"),
    row(Post, "/api/v1/auth/second-factor", "auth", Public),
    own_password(Post, "/api/v1/auth/step-up"),
    row(Post, "/api/v1/auth/refresh", "auth", Public),
    row(Post, "/api/v1/auth/logout", "account", SignedIn),
    row(Post, "/api/v1/auth/forgot-password", "registration", Public),
    password(Post, "/api/v1/auth/reset-password", "registration"),
    row(Get, "/.well-known/jwks.json", "auth", Public),
    row(Get, "/api/v1/auth/providers", "federation", Public),
    row(Post, "/api/v1/auth/providers/{provider}/start", "federation", Public),
    row(Get, "/api/v1/auth/providers/{provider}/callback", "federation", Public),
    row(Post, "/api/v1/auth/providers/{provider}/sign-in", "federation", Public),
    row(Post, "/api/v1/auth/providers/{provider}/data-deletion", "federation", Public),
    row(Get, "/data-deletion/{code}", "federation", Public),
    row(Get, "/api/v1/users/me/identities", "federation", SignedIn),
    dangerous(Post, "/api/v1/users/me/identities", "federation", SignedIn),
    dangerous(Delete, "/api/v1/users/me/identities/{identity_id}", "federation", SignedIn),
    row(Post, "/api/v1/auth/passkey/options", "passkeys", Public),
    row(Post, "/api/v1/auth/passkey", "passkeys", Public),
    row(Get, "/api/v1/users/me/passkeys", "passkeys", SignedIn),
    dangerous(Post, "/api/v1/users/me/passkeys/options", "passkeys", SignedIn),
    dangerous(Post, "/api/v1/users/me/passkeys", "passkeys", SignedIn),
    dangerous(Delete, "/api/v1/users/me/passkeys/{passkey_id}", "passkeys", SignedIn),
    row(Get, "/api/v1/users/me", "account", SignedIn),
    checked(Patch, "/api/v1/users/me", "account", SignedIn),
    own_password(Put, "/api/v1/users/me/password"),
    dangerous(Post, "/api/v1/users/me/second-factor/setup", "account", SignedIn),
    dangerous(Put, "/api/v1/users/me/second-factor", "account", SignedIn),
    dangerous(Delete, "/api/v1/users/me/second-factor", "account", SignedIn),
    row(Get, "/api/v1/users/me/sessions", "account", SignedIn),
    checked(Delete, "/api/v1/users/me/sessions", "account", SignedIn),
    checked(Delete, "/api/v1/users/me/sessions/{session_id}", "account", SignedIn),
    row(Get, "/api/v1/users/me/addresses", "cart", SignedIn),
    checked(Post, "/api/v1/users/me/addresses", "cart", SignedIn),
    checked(Put, "/api/v1/users/me/addresses/{address_id}", "cart", SignedIn),
    checked(Delete, "/api/v1/users/me/addresses/{address_id}", "cart", SignedIn),
    dangerous(Post, "/api/v1/users/me/erasure", "privacy", SignedIn),
    dangerous(Get, "/api/v1/users/me/export", "privacy", SignedIn),
    row(Get, "/api/v1/users/me/consents", "privacy", SignedIn),
    checked(Put, "/api/v1/users/me/consents/{kind}", "privacy", SignedIn),
    dangerous(Post, "/api/v1/people/{person_id}/erasure", "privacy", Needs(PeopleWrite)),
    row(Get, "/api/v1/consents", "privacy", Public),
    checked(Put, "/api/v1/academy/consents/{kind}", "privacy", Needs(AcademyWrite)),
    row(Get, "/api/v1/people", "people", Needs(PeopleRead)),
    dangerous(Get, "/api/v1/people.csv", "people", Needs(PeopleWrite)),
    checked(Post, "/api/v1/people/import", "people", Needs(PeopleWrite)),
    checked(Post, "/api/v1/people/invitations", "people", Needs(PeopleWrite)),
    row(Get, "/api/v1/people/{person_id}", "people", Needs(PeopleRead)),
    dangerous(Put, "/api/v1/people/{person_id}/roles", "people", Needs(RolesWrite)),
    checked(Put, "/api/v1/people/{person_id}/state", "people", Needs(PeopleWrite)),
    row(Get, "/api/v1/people/{person_id}/sessions", "people", Needs(PeopleRead)),
    checked(Delete, "/api/v1/people/{person_id}/sessions", "people", Needs(PeopleWrite)),
    row(Get, "/api/v1/roles", "people", Needs(PeopleRead)),
    dangerous(Post, "/api/v1/roles", "people", Needs(RolesWrite)),
    dangerous(Put, "/api/v1/roles/{role_id}", "people", Needs(RolesWrite)),
    dangerous(Delete, "/api/v1/roles/{role_id}", "people", Needs(RolesWrite)),
    of(
        Feature::ActivationCodes,
        checked(Post, "/api/v1/activation-codes/batches", "activation", Needs(CodesWrite)),
    ),
    of(
        Feature::ActivationCodes,
        row(Get, "/api/v1/activation-codes/batches", "activation", Needs(CodesWrite)),
    ),
    of(
        Feature::ActivationCodes,
        row(Get, "/api/v1/activation-codes/batches/{batch_id}", "activation", Needs(CodesWrite)),
    ),
    of(
        Feature::ActivationCodes,
        checked(
            Get,
            "/api/v1/activation-codes/batches/{batch_id}/codes.csv",
            "activation",
            Needs(CodesWrite),
        ),
    ),
    of(
        Feature::ActivationCodes,
        row(Get, "/api/v1/activation-codes/batches/{batch_id}/uses", "activation", Needs(CodesWrite)),
    ),
    of(
        Feature::ActivationCodes,
        checked(
            Post,
            "/api/v1/activation-codes/batches/{batch_id}/revocation",
            "activation",
            Needs(CodesWrite),
        ),
    ),
    of(
        Feature::ActivationCodes,
        checked(Post, "/api/v1/activation-codes/redemptions", "activation", SignedIn),
    ),
    checked(Get, "/api/v1/academy/settings", "academies", Needs(AcademyWrite)),
    checked(Patch, "/api/v1/academy/settings", "academies", Needs(AcademyWrite)),
    checked(Get, "/api/v1/academy/domains", "academies", Needs(AcademyWrite)),
    dangerous(Post, "/api/v1/academy/domains", "academies", Needs(AcademyWrite)),
    checked(Post, "/api/v1/academy/domains/{host}/verification", "academies", Needs(AcademyWrite)),
    dangerous(Delete, "/api/v1/academy/domains/{host}", "academies", Needs(AcademyWrite)),
    checked(Get, "/api/v1/platform/academies", "academies", Needs(PlatformWrite)),
    dangerous(Post, "/api/v1/platform/academies", "academies", Needs(PlatformWrite)),
    checked(Get, "/api/v1/platform/academies/{academy_id}", "academies", Needs(PlatformWrite)),
    dangerous(Patch, "/api/v1/platform/academies/{academy_id}", "academies", Needs(PlatformWrite)),
    dangerous(Put, "/api/v1/platform/academies/{academy_id}/state", "academies", Needs(PlatformWrite)),
    dangerous(Put, "/api/v1/platform/academies/{academy_id}/deletion", "academies", Needs(PlatformWrite)),
    dangerous(Delete, "/api/v1/platform/academies/{academy_id}/deletion", "academies", Needs(PlatformWrite)),
    row(Get, "/api/v1/academy", "catalog", Public),
    row(Get, "/api/v1/catalog/courses", "catalog", Public),
    row(Get, "/api/v1/catalog/courses/{slug}", "catalog", Public),
    of(Feature::Commerce, row(Get, "/api/v1/catalog/on-sale", "catalog", Public)),
    of(Feature::Commerce, row(Get, "/api/v1/catalog/with-coupon", "catalog", Public)),
    row(Get, "/api/v1/catalog/search", "catalog", Public),
    row(Get, "/api/v1/catalog/courses/{slug}/reviews", "reviews", Public),
    row(Get, "/api/v1/catalog/courses/{slug}/reviews/mine", "reviews", SignedIn),
    row(Put, "/api/v1/catalog/courses/{slug}/reviews/mine", "reviews", SignedIn),
    row(Delete, "/api/v1/catalog/courses/{slug}/reviews/mine", "reviews", SignedIn),
    row(Post, "/api/v1/reviews/{review_id}/reports", "reviews", SignedIn),
    row(Get, "/api/v1/reviews", "reviews", Needs(ReviewsWrite)),
    checked(Put, "/api/v1/reviews/{review_id}/state", "reviews", Needs(ReviewsWrite)),
    checked(Post, "/api/v1/reviews/approvals", "reviews", Needs(ReviewsWrite)),
    row(Put, "/api/v1/catalog/courses/{slug}/like", "reviews", SignedIn),
    row(Delete, "/api/v1/catalog/courses/{slug}/like", "reviews", SignedIn),
    row(Get, "/api/v1/users/me/likes", "reviews", SignedIn),
    row(Post, "/api/v1/catalog/courses/{slug}/shares", "reviews", Public),
    row(Post, "/api/v1/catalog/courses/{slug}/visits", "reviews", Public),
    row(Get, "/api/v1/shares/courses/{course_id}", "reviews", Needs(ReportsCourses)),
    row(Get, "/api/v1/catalog/courses/{slug}/go", "reviews", Public),
    row(Get, "/api/v1/clicks/courses/{course_id}", "reviews", Needs(ReportsCourses)),
    row(Post, "/api/v1/progress/heartbeats", "progress", SignedIn),
    row(Get, "/api/v1/progress/courses/{course_id}", "progress", SignedIn),
    row(Get, "/api/v1/learning/courses/{course_id}/lessons/{lesson_id}", "progress", SignedIn),
    row(Post, "/api/v1/learning/courses/{course_id}/lessons/{lesson_id}/opening", "progress", SignedIn),
    row(Post, "/api/v1/learning/courses/{course_id}/lessons/{lesson_id}/attempts", "assessment", SignedIn),
    row(Get, "/courses/{course_id}/lessons/{lesson_id}", "site", Public),
    row(Get, "/api/v1/learning/courses/{course_id}/lessons/{lesson_id}/playback", "playback", SignedIn),
    row(
        Get,
        "/api/v1/learning/courses/{course_id}/lessons/{lesson_id}/playback/{*path}",
        "playback",
        SignedIn,
    ),
    row(Get, "/api/v1/authoring/videos/{asset_id}/playback/{*path}", "playback", Needs(CoursesWrite)),
    row(Get, MARKS, "marks", Needs(CoursesWrite)),
    checked(Put, MARK, "marks", Needs(CoursesWrite)),
    checked(Delete, MARK, "marks", Needs(CoursesWrite)),
    checked(Post, "/api/v1/enrolments", "progress", Needs(PeopleWrite)),
    row(Get, "/api/v1/certificates/{serial}", "verify", Public),
    row(Get, "/verify/{serial}", "verify", Public),
    row(Get, "/api/v1/users/me/certificates", "verify", SignedIn),
    row(Get, "/internal/feed", "feed", OtherPlane),
    row(Post, "/internal/feed", "feed", OtherPlane),
    row(Post, "/internal/person-keys", "feed", OtherPlane),
    row(Get, "/api/openapi.json", "docs", Public),
    row(Get, "/api/docs", "docs", Public),
    row(Get, "/health/live", "origin", AnyHost),
    row(Get, "/health/ready", "origin", AnyHost),
    checked(Post, "/api/v1/authoring/courses", "authoring", Needs(CoursesWrite)),
    row(Get, "/api/v1/authoring/courses", "authoring", Needs(CoursesWrite)),
    row(Get, "/api/v1/authoring/courses/{course_id}", "authoring", Needs(CoursesWrite)),
    checked(Patch, "/api/v1/authoring/courses/{course_id}", "authoring", Needs(CoursesWrite)),
    checked(Put, "/api/v1/authoring/courses/{course_id}/content", "authoring", Needs(CoursesWrite)),
    row(Get, "/api/v1/authoring/courses/{course_id}/pictures", "authoring", Needs(CoursesWrite)),
    checked(Put, "/api/v1/authoring/courses/{course_id}/pictures", "authoring", Needs(CoursesWrite)),
    checked(Post, "/api/v1/authoring/courses/{course_id}/publish", "authoring", Needs(CoursesWrite)),
    row(Get, "/api/v1/authoring/courses/{course_id}/versions", "authoring", Needs(CoursesWrite)),
    row(Get, "/api/v1/authoring/courses/{course_id}/versions/{version}", "authoring", Needs(CoursesWrite)),
    checked(
        Post,
        "/api/v1/authoring/courses/{course_id}/versions/{version}/restore",
        "authoring",
        Needs(CoursesWrite),
    ),
    checked(Post, "/api/v1/authoring/courses/{course_id}/assets", "authoring", Needs(CoursesWrite)),
    checked(Post, "/api/v1/authoring/imports", "authoring", Needs(CoursesWrite)),
    checked(Post, "/api/v1/authoring/imports/{job_id}/start", "authoring", Needs(CoursesWrite)),
    row(Get, "/api/v1/authoring/jobs/{job_id}", "authoring", Needs(CoursesWrite)),
    row(Get, "/api/v1/media/{asset_id}/{*path}", "authoring", SignedIn),
    checked(Post, "/api/v1/uploads", "authoring", Needs(CoursesWrite)),
    row(Get, "/api/v1/uploads", "authoring", Needs(CoursesWrite)),
    row(Get, "/api/v1/uploads/{upload_id}", "authoring", Needs(CoursesWrite)),
    checked(Delete, "/api/v1/uploads/{upload_id}", "authoring", Needs(CoursesWrite)),
    checked(Post, "/api/v1/uploads/{upload_id}/parts", "authoring", Needs(CoursesWrite)),
    checked(Post, "/api/v1/uploads/{upload_id}/complete", "authoring", Needs(CoursesWrite)),
    checked(Post, "/api/v1/images", "images", Needs(CoursesWrite)),
    row(Get, "/api/v1/images", "images", Needs(CoursesWrite)),
    row(Get, "/api/v1/images/{image_id}", "images", Needs(CoursesWrite)),
    checked(Delete, "/api/v1/images/{image_id}", "images", Needs(CoursesWrite)),
    row(Get, "/api/v1/pictures/{name}", "images", Public),
    checked(Get, "/api/v1/academy/storage", "authoring", Needs(AcademyWrite)),
    checked(Get, "/api/v1/academy/video-settings", "authoring", Needs(AcademyWrite)),
    checked(Put, "/api/v1/academy/video-settings", "authoring", Needs(AcademyWrite)),
    of(Feature::Commerce, row(Post, "/api/v1/coupons/quote", "coupons", SignedIn)),
    of(Feature::Commerce, row(Get, "/api/v1/cart", "cart", GuestOrSignedIn)),
    of(Feature::Commerce, row(Delete, "/api/v1/cart", "cart", GuestOrSignedIn)),
    of(Feature::Commerce, row(Put, "/api/v1/cart/courses/{course_id}", "cart", GuestOrSignedIn)),
    of(Feature::Commerce, row(Delete, "/api/v1/cart/courses/{course_id}", "cart", GuestOrSignedIn)),
    of(Feature::Commerce, row(Put, "/api/v1/cart/bundles/{bundle_id}", "cart", GuestOrSignedIn)),
    of(Feature::Commerce, row(Delete, "/api/v1/cart/bundles/{bundle_id}", "cart", GuestOrSignedIn)),
    of(Feature::Commerce, row(Put, "/api/v1/cart/coupons/{code}", "cart", GuestOrSignedIn)),
    of(Feature::Commerce, row(Delete, "/api/v1/cart/coupons/{code}", "cart", GuestOrSignedIn)),
    of(
        Feature::Commerce,
        checked(Put, "/api/v1/commerce/courses/{course_id}/price", "payments", Needs(CommerceWrite)),
    ),
    of(
        Feature::Commerce,
        checked(Put, "/api/v1/commerce/courses/{course_id}/seats", "payments", Needs(CommerceWrite)),
    ),
    of(
        Feature::Commerce,
        checked(Get, "/api/v1/commerce/courses/{course_id}/price", "payments", Needs(CommerceWrite)),
    ),
    of(
        Feature::Commerce,
        checked(Get, "/api/v1/commerce/courses/{course_id}/seats", "payments", Needs(CommerceWrite)),
    ),
    // Whoever sells nothing here may well say who does.
    checked(Put, "/api/v1/commerce/courses/{course_id}/sold-elsewhere", "payments", Needs(CommerceWrite)),
    checked(Get, "/api/v1/commerce/courses/{course_id}/sold-elsewhere", "payments", Needs(CommerceWrite)),
    checked(Delete, "/api/v1/commerce/courses/{course_id}/sold-elsewhere", "payments", Needs(CommerceWrite)),
    of(Feature::Commerce, checked(Post, "/api/v1/commerce/bundles", "payments", Needs(CommerceWrite))),
    of(Feature::Commerce, checked(Get, "/api/v1/commerce/bundles", "payments", Needs(CommerceWrite))),
    of(
        Feature::Commerce,
        checked(Put, "/api/v1/commerce/bundles/{bundle_id}", "payments", Needs(CommerceWrite)),
    ),
    of(Feature::Commerce, checked(Post, "/api/v1/commerce/coupons", "payments", Needs(CommerceWrite))),
    of(
        Feature::Commerce,
        checked(Put, "/api/v1/commerce/coupons/{coupon_id}", "payments", Needs(CommerceWrite)),
    ),
    of(Feature::Commerce, checked(Get, "/api/v1/commerce/coupons", "payments", Needs(CommerceWrite))),
    of(Feature::Commerce, row(Get, "/api/v1/commerce/orders", "payments", Needs(FinanceWrite))),
    of(Feature::Commerce, row(Get, "/api/v1/commerce/orders/{order_id}", "payments", Needs(FinanceWrite))),
    of(
        Feature::Commerce,
        dangerous(Post, "/api/v1/commerce/orders/{order_id}/refunds", "payments", Needs(FinanceWrite)),
    ),
    of(Feature::Commerce, checked(Get, "/api/v1/commerce/payment-accounts", "payments", Needs(FinanceWrite))),
    of(
        Feature::Commerce,
        dangerous(Put, "/api/v1/commerce/payment-accounts", "payments", Needs(FinanceWrite)),
    ),
    of(
        Feature::Commerce,
        checked(Get, "/api/v1/reconciliation/differences", "payments", Needs(FinanceWrite)),
    ),
    of(Feature::Commerce, checked(Get, "/api/v1/reconciliation/runs", "payments", Needs(FinanceWrite))),
    of(Feature::Commerce, checked(Post, "/api/v1/reconciliation/runs", "payments", Needs(FinanceWrite))),
    of(Feature::Commerce, checked(Get, "/api/v1/ledger/balances", "payments", Needs(FinanceWrite))),
    of(Feature::Commerce, checked(Get, "/api/v1/ledger/entries", "payments", Needs(FinanceWrite))),
    of(Feature::Commerce, checked(Get, "/api/v1/ledger/entries.csv", "payments", Needs(FinanceWrite))),
    of(Feature::Commerce, checked(Get, "/api/v1/ledger/payouts", "payments", Needs(FinanceWrite))),
    of(Feature::Commerce, checked(Post, "/api/v1/orders", "payments", SignedIn)),
    of(Feature::Commerce, row(Get, "/api/v1/orders", "payments", SignedIn)),
    of(Feature::Commerce, row(Get, "/api/v1/orders/{order_id}", "payments", SignedIn)),
    // From a page of the provider's, and so without a cookie; whoever has paid comes back, whatever was switched off.
    row(Post, "/api/v1/orders/{order_id}/return", "payments", Public),
    row(Post, "/callbacks/{provider}/{tenant_token}", "payments", Provider),
    row(Get, "/api/v1/certificates", "certificates", Needs(CertificatesWrite)),
    row(Get, "/api/v1/certificates/{serial}/pdf", "certificates", SignedIn),
    checked(Get, "/api/v1/academy/certificate-logo", "certificates", Needs(AcademyWrite)),
    checked(Put, "/api/v1/academy/certificate-logo", "certificates", Needs(AcademyWrite)),
    checked(Delete, "/api/v1/academy/certificate-logo", "certificates", Needs(AcademyWrite)),
    checked(Post, "/api/v1/certificates/{serial}/revocation", "certificates", Needs(CertificatesWrite)),
    checked(Post, "/api/v1/reports/runs", "etl", Needs(ReportsAcademy)),
    row(Get, "/api/v1/reports/institution", "etl", Needs(ReportsAcademy)),
    row(Get, "/api/v1/reports/instructor", "etl", Needs(ReportsCourses)),
    row(Get, "/api/v1/reports/learner", "etl", SignedIn),
    row(Get, "/api/v1/academy/identity-providers", "identity", Needs(AcademyWrite)),
    dangerous(Put, "/api/v1/academy/identity-providers/{provider}", "identity", Needs(AcademyWrite)),
    dangerous(Delete, "/api/v1/academy/identity-providers/{provider}", "identity", Needs(AcademyWrite)),
    row(Post, "/internal/identity/authorize", "identity", OtherPlane),
    row(Post, "/internal/identity/exchange", "identity", OtherPlane),
    row(Post, "/internal/identity/deletion", "identity", OtherPlane),
    row(Post, "/internal/identity/passkeys/attestation", "identity", OtherPlane),
    row(Post, "/internal/identity/passkeys/assertion", "identity", OtherPlane),
    row(Get, "/api/v1/mails", "mail", Needs(MailWrite)),
    checked(Post, "/api/v1/mails/{mail_id}/retry", "mail", Needs(MailWrite)),
    of(Feature::Commerce, checked(Get, "/api/v1/commerce/invoice-settings", "invoices", Needs(FinanceWrite))),
    of(Feature::Commerce, checked(Put, "/api/v1/commerce/invoice-settings", "invoices", Needs(FinanceWrite))),
    // What was issued stays to be seen where nothing is sold any more, and returns of it go on.
    checked(Get, "/api/v1/commerce/exchange-rates/{currency}/{date}", "invoices", Needs(FinanceWrite)),
    checked(Put, "/api/v1/commerce/exchange-rates/{currency}/{date}", "invoices", Needs(FinanceWrite)),
    checked(Get, "/api/v1/invoices", "invoices", Needs(FinanceWrite)),
    checked(Get, "/api/v1/invoices/{invoice_id}", "invoices", Needs(FinanceWrite)),
    checked(Get, "/api/v1/invoices/{invoice_id}/xml", "invoices", Needs(FinanceWrite)),
    checked(Post, "/api/v1/invoices/{invoice_id}/retry", "invoices", Needs(FinanceWrite)),
    checked(Put, "/api/v1/orders/{order_id}/invoice-details", "invoices", SignedIn),
    row(Get, "/api/v1/orders/{order_id}/invoices", "invoices", SignedIn),
    row(Get, "/api/v1/orders/{order_id}/invoices/{invoice_id}/xml", "invoices", SignedIn),
    row(Get, "/api/v1/audit", "audit", Needs(AuditRead)),
    checked(Get, "/api/v1/audit.csv", "audit", Needs(AuditRead)),
    row(Post, "/internal/wake", "sync", OtherPlane),
    row(Get, "/internal/health", "sync", OtherPlane),
    row(Post, "/internal/person-records", "sync", OtherPlane),
];

/// The rows that one function's gate knows.
#[derive(Debug, Clone, Copy)]
pub struct Routes {
    pub function: &'static str,
    rows: &'static [Route],
}

impl Routes {
    /// `rows` of `function`; see [`routes_of!`](crate::routes_of).
    pub const fn new(function: &'static str, rows: &'static [Route]) -> Self {
        Self { function, rows }
    }

    /// The row of `method` and `path` (the route's own spelling, as axum's `MatchedPath` gives it).
    pub fn find(self, method: Method, path: &str) -> Option<&'static Route> {
        self.of_path(path).find(|route| route.method == method)
    }

    /// The rows of one path: what an `Allow` header lists.
    pub fn of_path(self, path: &str) -> impl Iterator<Item = &'static Route> {
        self.rows.iter().filter(move |route| route.path == path)
    }
}

/// The [`Routes`] of the function of this name. The table is cut while compiling, so that a function carries no rows but its
/// own: every row weighs in each component.
#[macro_export]
macro_rules! routes_of {
    ($function:literal) => {{
        const ROWS: [$crate::Route; $crate::count_rows($function)] = $crate::rows($function);
        $crate::Routes::new($function, &ROWS)
    }};
}

/// How many rows `function` has.
pub const fn count_rows(function: &str) -> usize {
    let (mut rest, mut count) = (ROUTES, 0);
    while let [row, others @ ..] = rest {
        if is_same(row.function, function) {
            count += 1;
        }
        rest = others;
    }
    count
}

/// The rows of `function`, of which there are `N` ([`count_rows`]).
pub const fn rows<const N: usize>(function: &str) -> [Route; N] {
    let mut rows = [row(Get, "", "", AnyHost); N];
    let (mut rest, mut free) = (ROUTES, rows.as_mut_slice());
    while let [row, others @ ..] = rest {
        if is_same(row.function, function)
            && let [place, left @ ..] = free
        {
            *place = *row;
            free = left;
        }
        rest = others;
    }
    rows
}

/// `a == b`, which constants cannot ask.
const fn is_same(a: &str, b: &str) -> bool {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    while let ([first, others @ ..], [other, rest @ ..]) = (a, b) {
        if *first != *other {
            return false;
        }
        (a, b) = (others, rest);
    }
    a.is_empty() && b.is_empty()
}
