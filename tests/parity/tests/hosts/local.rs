//! What the local host, which all others are compared with, must answer by itself.

use akademi_functions::ROUTES;
use akademi_parity::{
    Exchange,
    coverage::missing,
    kind::{Kind, exemption, name_of},
};

use serde_json::Value;

use crate::reference;

#[tokio::test(flavor = "multi_thread")]
async fn every_route_is_asked_in_every_way_that_makes_sense_and_answers_as_that_way_must() {
    let exchanges = reference().await;
    println!("{} requests", exchanges.len());
    let missing = missing(ROUTES, exchanges);
    assert!(missing.is_empty(), "no request is recorded of\n{}", missing.join("\n"));
    let unfit: Vec<_> = exchanges
        .iter()
        .filter(|exchange| !exchange.kind.fits(exchange.status))
        .map(|exchange| {
            format!("{exchange}: {} {}", exchange.status, exchange.body.chars().take(200).collect::<String>())
        })
        .collect();
    assert!(unfit.is_empty(), "{}", unfit.join("\n"));
    for exchange in exchanges.iter().filter(|exchange| exchange.kind == Kind::Head) {
        assert!(exchange.body.is_empty(), "{exchange}");
    }
    for route in ROUTES.iter().filter(|route| exemption(route, Kind::Conditional).is_some()) {
        let name = name_of(route);
        let tagged =
            exchanges.iter().find(|exchange| exchange.route == name && exchange.header("etag").is_some());
        let is_draft = name == "GET /api/v1/authoring/courses/{course_id}";
        assert!(tagged.is_none() || is_draft, "{name} has an ETag: it is asked conditionally, too");
    }
    the_answers_say_what_they_must(exchanges);
    let undocumented = undocumented(exchanges);
    assert!(undocumented.is_empty(), "the API document knows nothing of\n{}", undocumented.join("\n"));
}

/// Answers of a route whose status its operation does not describe.
fn undocumented(exchanges: &[Exchange]) -> Vec<String> {
    let document: Value =
        serde_json::from_str(include_str!("../../../../functions/edge/docs/openapi.json")).unwrap();
    let mut found: Vec<_> = exchanges
        .iter()
        // A letter spelled otherwise may make another address of it.
        .filter(|exchange| {
            !matches!(exchange.kind, Kind::Options | Kind::UnknownMethod | Kind::PercentEncoded)
        })
        .filter_map(|exchange| {
            let (method, path) = exchange.route.split_once(' ')?;
            let operation = &document["paths"][path][method.to_lowercase()];
            let is_known =
                operation.is_null() || !operation["responses"][exchange.status.to_string()].is_null();
            (!is_known).then(|| format!("{}: {}", exchange.route, exchange.status))
        })
        .collect();
    found.sort();
    found.dedup();
    found
}

fn the_answers_say_what_they_must(exchanges: &[Exchange]) {
    let answer = |route: &str, name: &str| {
        let mut of_name =
            exchanges.iter().filter(|exchange| exchange.route == route && exchange.name == name);
        of_name.next().unwrap_or_else(|| panic!("{route} · {name}"))
    };
    for (route, name, status) in [
        ("", "unknown address", 404),
        ("", "a callback to an academy", 404),
        ("GET /api/v1/academy", "unknown host", 404),
        ("POST /internal/feed", "with a gap", 409),
        ("GET /api/v1/catalog/courses/{slug}", "another academy's course", 404),
        ("GET /api/v1/catalog/search", "for no word", 422),
        ("POST /api/v1/auth/register", "register", 202),
        ("POST /api/v1/auth/confirm", "confirm", 204),
        ("POST /api/v1/auth/confirm", "confirm again", 404),
        ("POST /api/v1/auth/login", "with a second factor", 202),
        ("POST /api/v1/auth/second-factor", "the same code", 401),
        ("POST /api/v1/auth/register", "with an account", 202),
        ("POST /api/v1/auth/register", "malformed JSON", 400),
        ("POST /api/v1/auth/register", "wrong media type", 415),
        ("POST /api/v1/auth/register", "1 MiB of nothing", 413),
        ("POST /api/v1/auth/login", "wrong password", 401),
        ("GET /api/v1/users/me", "another academy's token", 401),
        ("PATCH /api/v1/users/me", "after signing out", 401),
        ("POST /api/v1/progress/heartbeats", "not enrolled", 404),
        ("POST /api/v1/enrolments", "enrol", 201),
        ("POST /api/v1/enrolments", "enrol again", 200),
        ("GET /api/v1/certificates/{serial}", "another academy's", 404),
        ("GET /api/v1/certificates/{serial}", "revoked", 200),
        ("GET /api/v1/certificates/{serial}/pdf", "revoked", 410),
        ("POST /api/v1/authoring/courses", "draft", 201),
        ("PUT /api/v1/authoring/courses/{course_id}/content", "an old revision", 409),
        ("POST /api/v1/authoring/courses/{course_id}/publish", "without a lesson", 422),
        ("POST /api/v1/authoring/imports/{job_id}/start", "before the archive was sent", 409),
        ("POST /api/v1/authoring/imports/{job_id}/start", "start", 202),
        ("GET /api/v1/media/{asset_id}/{*path}", "under a Turkish name", 302),
        ("GET /api/v1/media/{asset_id}/{*path}", "not enrolled", 403),
        ("POST /api/v1/orders", "without a key", 400),
        ("POST /api/v1/orders", "at a price that has changed", 409),
        ("POST /api/v1/orders", "order", 201),
        ("POST /api/v1/orders", "another body under the key", 422),
        ("POST /callbacks/{provider}/{tenant_token}", "forged", 400),
        ("POST /callbacks/{provider}/{tenant_token}", "of nobody", 404),
        ("POST /internal/wake", "wake", 202),
    ] {
        assert_eq!(answer(route, name).status, status, "{route} · {name}");
    }
    for (route, name, part) in [
        ("GET /api/v1/catalog/search", "in capitals", "isigin-yolculugu"),
        ("GET /api/v1/catalog/search", "in a lesson", "Renkler"),
        ("POST /api/v1/progress/heartbeats", "ten seconds", "\"gained_seconds\":10"),
        ("POST /api/v1/progress/heartbeats", "ten seconds again", "\"gained_seconds\":0"),
        ("GET /api/v1/certificates/{serial}", "certificate", "\"holder\":\"Şükrü Iğdır Çağlayangöl\""),
        ("GET /verify/{serial}", "certificate page", "21 Kasım 2026"),
        ("GET /verify/{serial}", "revoked", "Sertifika iptal edildi"),
        ("GET /api/v1/catalog/courses/{slug}/reviews", "reviews", "\"author\":\"Çağla Y.\""),
        ("GET /api/v1/reviews", "reported", "\"reports\":1"),
        ("POST /api/v1/catalog/courses/{slug}/shares", "to copy", "/courses/isigin-yolculugu?via=copy"),
        ("POST /api/v1/coupons/quote", "with a coupon", "\"outcome\":\"applied\""),
        ("POST /api/v1/orders", "order", "\"state\":\"paid\""),
        ("POST /callbacks/{provider}/{tenant_token}", "captured", "OK"),
        ("GET /api/v1/certificates", "the academy's", "Gülşen Işıklı"),
        ("GET /api/v1/certificates/{serial}/pdf", "page", "%PDF-1.7"),
        ("GET /api/v1/authoring/courses/{course_id}", "published", "Çağlayan ışık"),
        (
            "GET /api/v1/learning/courses/{course_id}/lessons/{lesson_id}/playback/{*path}",
            "playlist",
            "https://files.example.com/film/1/720p/segment-00000.m4s",
        ),
        ("GET /courses/{course_id}/lessons/{lesson_id}", "a film", "<h1 dir=\"auto\">Film</h1>"),
        ("GET /api/v1/reports/learner", "of a holder", "\"certificates\":2"),
    ] {
        let body = &answer(route, name).body;
        assert!(body.contains(part), "{route} · {name}: {body}");
    }
    assert!(!answer("GET /api/v1/catalog/search", "elsewhere").body.contains("isigin"));
    let quiz = answer("GET /api/v1/learning/courses/{course_id}/lessons/{lesson_id}", "quiz");
    assert!(!quiz.body.contains("one_of"), "no answer leaves the server");
    let document = exchanges
        .iter()
        .find(|exchange| exchange.kind == Kind::Compressed && exchange.route == "GET /api/openapi.json");
    assert_eq!(document.unwrap().header("content-encoding"), Some("gzip"));
    let replayed = answer("POST /api/v1/orders", "replayed");
    assert_eq!((replayed.status, replayed.header("idempotent-replayed")), (201, Some("true")));
}
