//! Every route, asked by nobody, by each built-in role and by somebody with one permission: who is let in is what the table of
//! routes says.

use akademi_api::{Caller, token::TokenSigner};
use akademi_domain::permission::{Permission, Permissions, Role};
use akademi_functions::{Access, ROUTES, Route};
use akademi_local::api_client::JsonExt;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, header};
use serde_json::Value;

use crate::world::World;

const NOTHING: &str = "01890000-0000-7000-8000-00000000dead";

/// What a caller was told.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    SignIn,
    Forbidden,
    LetIn,
}

impl World {
    async fn ask(&self, route: &Route, permissions: Option<Permissions>) -> Told {
        let client = match permissions {
            Some(permissions) => {
                self.revive().await;
                let signer = TokenSigner::from_config(&self.local.variables["token_signing_keys"]).unwrap();
                let caller = Caller { permissions, ..self.somebody };
                self.academy.signed_in(signer.sign(&caller, self.local.edge.ports.now(), [1; 16]).unwrap())
            }
            None => self.academy.clone(),
        };
        let segments = route.path.split('/').map(|part| if part.starts_with('{') { NOTHING } else { part });
        let path = segments.collect::<Vec<_>>().join("/");
        let headers = [
            (HeaderName::from_static("idempotency-key"), HeaderValue::from_static("permissions")),
            (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        ];
        let method = Method::from_bytes(route.method.name().as_bytes()).unwrap();
        let answer = client.send(method, &path, &headers, Bytes::from_static(b"{}")).await.unwrap();
        let problem = answer.json().unwrap_or(Value::Null).text("type").unwrap_or_default();
        match (answer.status.as_u16(), problem.as_str()) {
            (401, "/problems/not-signed-in") => Told::SignIn,
            (403, "/problems/forbidden") => Told::Forbidden,
            // Neither a signed call nor a provider's callback comes to an academy's host with a token.
            _ if matches!(route.access, Access::OtherPlane | Access::Provider) => {
                assert!(answer.status.is_client_error(), "{} {}", route.path, answer.status);
                Told::Forbidden
            }
            // A route that takes tokens of its own, as a refresh does.
            (401, _) if route.access == Access::Public => Told::LetIn,
            (401, other) => panic!("{} {}: {other}", route.method.name(), route.path),
            _ => Told::LetIn,
        }
    }
}

/// What the table says that this caller is told.
fn expected(access: Access, permissions: Option<Permissions>) -> Told {
    match (access, permissions) {
        (Access::Public | Access::GuestOrSignedIn | Access::AnyHost, _) => Told::LetIn,
        (Access::OtherPlane | Access::Provider, _) => Told::Forbidden,
        (Access::SignedIn | Access::Needs(_), None) => Told::SignIn,
        (Access::Needs(needed), Some(permissions)) if !permissions.has(needed) => Told::Forbidden,
        (Access::SignedIn | Access::Needs(_), Some(_)) => Told::LetIn,
    }
}

fn callers() -> Vec<(String, Option<Permissions>)> {
    let mut callers = vec![("nobody".to_owned(), None)];
    callers.extend(Role::ALL.map(|role| (role.name().to_owned(), Some(role.permissions()))));
    let single = |permission: &Permission| {
        (format!("only {}", permission.name()), Some(Permissions::NONE.with(*permission)))
    };
    callers.extend(Permission::ALL.iter().map(single));
    callers
}

/// How many times each of these rows was asked, and who was told what the row does not say.
async fn compare(world: &World, rows: &[Route]) -> (usize, Vec<String>) {
    let (mut asked, mut wrong) = (0, Vec::new());
    for row in rows {
        for (name, permissions) in callers() {
            let (told, expected) = (world.ask(row, permissions).await, expected(row.access, permissions));
            asked += 1;
            if told != expected {
                wrong.push(format!("{} {}: {name} is told {told:?}", row.method.name(), row.path));
            }
        }
    }
    (asked, wrong)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_lets_in_whom_its_row_names_and_nobody_else() {
    let world = World::new().await;
    let (asked, wrong) = compare(&world, ROUTES).await;
    println!("{asked} requests, {} routes, {} callers", ROUTES.len(), callers().len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // A row that said something else than the route does would be found.
    let with = |row: &Route, access| Route { access, ..*row };
    let needs = ROUTES.iter().find(|row| row.access == Access::Needs(Permission::CommerceWrite)).unwrap();
    let open = ROUTES.iter().find(|row| row.path == "/api/v1/academy").unwrap();
    for lie in [
        with(needs, Access::SignedIn),
        with(needs, Access::Needs(Permission::CoursesWrite)),
        with(needs, Access::Public),
        with(open, Access::SignedIn),
    ] {
        assert!(!compare(&world, &[lie]).await.1.is_empty(), "{lie:?}");
    }
}

#[test]
fn every_permission_opens_routes_or_shows_more_on_them() {
    /// Whose courses somebody sees on the routes of `courses:write` and `commerce:write`.
    const WIDENING: [Permission; 1] = [Permission::CoursesAll];
    for permission in Permission::ALL {
        let is_used = ROUTES.iter().any(|row| row.access == Access::Needs(*permission));
        assert_ne!(is_used, WIDENING.contains(permission), "{}", permission.name());
    }
}
