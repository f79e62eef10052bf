//! Every route, asked by nobody, by each built-in role and by somebody with one permission: who is let in is what the table of
//! routes says.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use akademi_api::{Caller, token::TokenSigner};
use akademi_domain::permission::{Permission, Permissions, Role};
use akademi_edge_store::{Platform, PlatformSql};
use akademi_functions::{Access, ROUTES, Route};
use akademi_lambda_store::testing::TestDatabase;
use akademi_local::{
    api_client::{ApiClient, JsonExt},
    demo,
    http_client::Network,
    local::{Local, Options},
    ports::WriteLog,
};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, header};
use serde_json::Value;
use std::{sync::Arc, time::Duration};

const NOTHING: &str = "01890000-0000-7000-8000-00000000dead";

struct World {
    local: Local,
    academy: ApiClient,
    /// Somebody of that academy, whose session every caller shares.
    somebody: Caller,
    _database: TestDatabase,
    _folder: tempfile::TempDir,
}

/// What a caller was told.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    SignIn,
    Forbidden,
    LetIn,
}

impl World {
    async fn new() -> Self {
        let database = TestDatabase::new().await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let local = Local::start(Options {
            data: folder.path().to_owned(),
            listen: "127.0.0.1:0".parse().unwrap(),
            postgres: database.postgres().clone(),
            log: Arc::new(WriteLog::new(std::io::sink())),
            sync_interval: Duration::from_secs(3600),
            password_attempts: 10_000,
            transcode_program: None,
        })
        .await
        .unwrap();
        demo::make_people(&local, &demo::ACADEMIES[0]).await.unwrap();
        local.lambda.sync.handle(akademi_sync::Trigger::Wake).await.unwrap();
        let base = format!("http://umraniye.localhost:{}", local.address.port());
        let academy = ApiClient::new(Network::new(), base);
        academy.sign_in("yonetici@umraniye.example", demo::PASSWORD).await.unwrap();
        const SESSION: PlatformSql = PlatformSql::new(
            "SELECT tenant_id, person_id, id FROM session ORDER BY created_at DESC, id DESC LIMIT 1",
        );
        let row = Platform::new(local.edge.database.as_ref()).row(SESSION.with([])).await.unwrap().unwrap();
        let somebody = Caller {
            tenant: row.parse(0).unwrap(),
            user: row.parse(1).unwrap(),
            session: row.parse(2).unwrap(),
            permissions: Permissions::NONE,
        };
        Self { local, academy, somebody, _database: database, _folder: folder }
    }

    /// The session lives, and its owner has just proved who they are, whatever an earlier request did.
    async fn revive(&self) {
        const REVIVE: PlatformSql = PlatformSql::new(
            "UPDATE session SET revoked_at = NULL, rotated_at = ?1, created_at = ?1, authenticated_at = ?1",
        );
        let now = self.local.edge.ports.now();
        Platform::new(self.local.edge.database.as_ref())
            .batch(vec![REVIVE.with([now.into()])])
            .await
            .unwrap();
    }

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
        (Access::Public | Access::AnyHost, _) => Told::LetIn,
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
