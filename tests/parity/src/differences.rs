//! Every difference between hosts that is allowed, each with its reason. One that no longer occurs must go.

use crate::{
    comparison::{Difference, Part},
    kind::Kind,
};

const NO_ROUTE: &str = "API Gateway answers by itself for a path that no route of it spells";
const OTHER_HANDS: &str =
    "miniflare stands where Cloudflare does, and compresses what the Worker leaves as it is";

/// An answer that differs as a whole.
const fn whole(host: &'static str, route: &'static str, kind: Kind, reason: &'static str) -> Difference {
    Difference { host, route: Some(route), kind: Some(kind), part: Part::Whole, reason }
}

pub const DIFFERENCES: &[Difference] = &[
    whole("lambda", "GET /internal/health", Kind::PercentEncoded, NO_ROUTE),
    whole("lambda", "POST /internal/wake", Kind::PercentEncoded, NO_ROUTE),
    whole("lambda", "POST /internal/person-records", Kind::PercentEncoded, NO_ROUTE),
    whole("lambda", "POST /internal/identity/authorize", Kind::PercentEncoded, NO_ROUTE),
    whole("lambda", "POST /internal/identity/exchange", Kind::PercentEncoded, NO_ROUTE),
    whole("lambda", "POST /internal/identity/passkeys/attestation", Kind::PercentEncoded, NO_ROUTE),
    whole("lambda", "POST /internal/identity/passkeys/assertion", Kind::PercentEncoded, NO_ROUTE),
    whole("lambda", "POST /internal/identity/deletion", Kind::PercentEncoded, NO_ROUTE),
    Difference {
        host: "worker",
        route: None,
        kind: Some(Kind::Compressed),
        part: Part::Added("content-encoding"),
        reason: OTHER_HANDS,
    },
];
