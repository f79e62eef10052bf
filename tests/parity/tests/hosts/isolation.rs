//! Every statement that the requests run at the edge, beside another academy's rows of the same ids: it gives the same, and
//! leaves those rows alone. The same statement without its tenant's predicate does not, or the test could not fail.

mod witness;

use akademi_edge_store::Edge;
use akademi_host_tests::{
    engine::{edge_router, silent_ports},
    insistent::Insistent,
};
use akademi_parity::{Deployment, Doors, run, seed_statements};
use akademi_process::server::Server;
use std::{collections::BTreeMap, sync::Arc};

use crate::lambda_plane::LambdaHost;
use witness::{Seen, Witness};

/// Statements whose predicate nothing can miss, and why.
const REDUNDANT: &[(&str, &str)] = &[
    (
        "INSERT INTO guard (ok) VALUES ((SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM person",
        "no address has the same keyed hash in two academies",
    ),
    ("UPDATE throttle SET failures = failures", "it changes nothing, for nobody: it only takes its time"),
    ("DELETE FROM playlist", "no video here is transcoded again; functions/edge/playback has one"),
    ("DELETE FROM course_search", "what it matches begins with the word of the academy"),
    (
        "DELETE FROM identity_provider",
        "no request takes a provider away that is there; tests/federation does",
    ),
    (
        "DELETE FROM provider_sign_in WHERE tenant_id = ?1 AND email_lookup",
        "nobody who is erased has a sign-in under way",
    ),
    (
        "DELETE FROM pending_person WHERE tenant_id = ?1 AND person_id IN",
        "nobody who is erased waits for an account",
    ),
    (
        "INSERT INTO certificate",
        "nobody whom a certificate is for has been erased; tests/privacy has somebody",
    ),
    (
        "DELETE FROM idempotency WHERE tenant_id = ?1 AND person_id = ?2",
        "whose requests have keys at the edge is not erased; tests/privacy has somebody",
    ),
    (
        "DELETE FROM provider_sign_in WHERE tenant_id = ?1 AND subject_lookup",
        "whose identity is deleted is on no way to a provider; tests/federation has somebody",
    ),
    (
        "FROM identity JOIN person ON person.tenant_id = identity.tenant_id AND person.id = identity.person_id \
         JOIN person_key ON person_key.tenant_id = person.tenant_id AND person_key.person_id = person.id \
         WHERE identity.tenant_id = ?1 AND subject_lookup = ?2 AND identity.created_at",
        "whose identity is deleted has none here; tests/federation has somebody",
    ),
    (
        "INSERT INTO enrolment",
        "nobody to whom a course is granted has been erased; tests/privacy has somebody",
    ),
    (
        "FROM passkey WHERE tenant_id = ?1 AND person_id = ?2) <",
        "nobody here has half as many passkeys as one may have; tests/passkeys has somebody",
    ),
    (
        "AND kind = 'coupon' AND item <> ?3) < ?4",
        "nobody here has half as many coupons as a cart may have; functions/edge/cart has somebody",
    ),
    (
        "FROM address WHERE tenant_id = ?1 AND person_id = ?2) <",
        "nobody here has half as many addresses as one may have; tests/identity has somebody",
    ),
    (
        "INTO spent_coupon",
        "nobody here who uses a coupon has been erased; functions/edge/coupons has somebody",
    ),
    (
        "DELETE FROM spent_coupon WHERE tenant_id = ?1 AND person_id = ?2",
        "nobody who is erased has used a coupon; functions/edge/coupons has somebody",
    ),
    (
        "UPDATE price SET seats_left",
        "every course here has a seat left; functions/edge/coupons has one without",
    ),
    (
        "UPDATE review_report SET settled_at",
        "no review here is reported in two academies; functions/edge/reviews has one",
    ),
    (
        "INSERT INTO review_report",
        "nobody here reports a review again that was changed; functions/edge/reviews has somebody",
    ),
    (
        "records FROM (SELECT * FROM identity",
        "nobody here has an identity elsewhere; tests/federation has somebody",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn each_statement_keeps_to_its_academy_and_would_not_without_its_predicate() {
    let mut deployment = Deployment::new(silent_ports().now()).unwrap();
    let plane = LambdaHost::in_process(&mut deployment).await;
    let folder = tempfile::tempdir().unwrap();
    let witness = Arc::new(
        Witness::open(&folder.path().join("edge.sqlite"), seed_statements(&deployment).unwrap()).await,
    );
    let edge = Edge { ports: silent_ports(), database: witness.clone() };
    let server =
        Server::start(edge_router(&edge, &deployment.variables).unwrap(), "127.0.0.1:0".parse().unwrap())
            .await
            .unwrap();
    let port = server.address.port();
    let academy = |host: &str| format!("http://{host}:{port}");
    let platform = deployment.variables["lambda_url"].clone();
    let doors = Doors { http: Insistent::new(), academy: &academy, platform };
    run(&deployment, doors, &|| silent_ports().now()).await.unwrap();
    server.stop().await;
    plane.stop().await;

    let seen: BTreeMap<&str, Seen> = witness.seen();
    let leaks: Vec<_> = seen
        .iter()
        .filter_map(|(sql, seen)| seen.leak.as_ref().map(|leak| format!("{leak}\n  {sql}")))
        .collect();
    assert!(leaks.is_empty(), "{} statements leak\n{}", leaks.len(), leaks.join("\n"));
    let is_redundant = |sql: &str| REDUNDANT.iter().any(|(part, _)| sql.contains(part));
    let survivors: Vec<_> = seen
        .iter()
        .filter(|(sql, seen)| !seen.is_needed && !is_redundant(sql))
        .map(|(sql, _)| *sql)
        .collect();
    let runs: usize = seen.values().map(|seen| seen.runs).sum();
    println!(
        "{} statements with a tenant's predicate, {runs} runs beside another academy's rows",
        seen.len()
    );
    assert!(seen.len() > 100);
    assert!(
        survivors.is_empty(),
        "{} statements do the same without their predicate\n{}",
        survivors.len(),
        survivors.join("\n")
    );
}
