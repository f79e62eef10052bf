//! Two academies with people who bought, in a database of its own.

use akademi_api::{
    Ports,
    config::Config,
    signed::{CALL_HEADER, CallCaller, CallContext, PlaneKeys, Purpose},
};
use akademi_domain::{
    ids::{CourseId, OrderId, RefundId, SessionId, TenantId, UserId},
    mail::MailKind,
    permission::{Permissions, Role},
};
use akademi_invoices::{Handled, Integrator, Invoices};
use akademi_lambda_store::{
    invoices::{self, ReturnedLine},
    testing::TestDatabase,
};
use akademi_seal::{PersonKey, Vault};
use axum::body::Body;
use http::{HeaderMap, Method, Request, Uri, header};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Row as _};
use std::sync::Arc;
use tower::ServiceExt as _;
use uuid::Uuid;

use crate::{
    integrator::TestIntegrator,
    ports::{KeptLog, NOW, TestClock, ports},
};

pub const NAME: &str = "Şükrü Iğdır Çağlayangöl";
pub const HOST: &str = "akademi.umraniye.example";
/// 32 bytes in base64url.
const MASTER: &str = "AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM";
const ROOT: &str = "k1:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI";

pub fn tenant(n: u8) -> TenantId {
    TenantId::new(NOW, [n; 10])
}

pub fn person(n: u8) -> UserId {
    UserId::new(NOW, [n; 10])
}

pub fn course(n: u8) -> CourseId {
    CourseId::new(NOW, [n; 10])
}

pub fn order(n: u8) -> OrderId {
    OrderId::new(NOW, [n; 10])
}

pub fn refund(n: u8) -> RefundId {
    RefundId::new(NOW, [n; 10])
}

/// Who asks.
#[derive(Clone, Copy)]
pub struct Who {
    pub tenant: TenantId,
    pub user: UserId,
    pub permissions: Permissions,
}

pub fn learner(n: u8) -> Who {
    Who { tenant: tenant(1), user: person(n), permissions: Permissions::NONE }
}

pub fn staff(of: u8) -> Who {
    Who { tenant: tenant(of), user: person(200), permissions: Role::TenantAdmin.permissions() }
}

pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The kind of problem that it is, or the field that is wrong.
    pub fn problem(&self) -> String {
        let json: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        let slug = json["type"].as_str().unwrap_or_default().trim_start_matches("/problems/");
        json["errors"][0]["field"].as_str().unwrap_or(slug).to_owned()
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }
}

/// A mail that waits to be sent.
#[derive(Debug, PartialEq)]
pub struct Told {
    pub kind: MailKind,
    pub order: OrderId,
    pub recipient: Value,
    pub host: String,
    pub locale: String,
}

pub struct World {
    pub database: TestDatabase,
    pub integrator: Arc<TestIntegrator>,
    pub clock: Arc<TestClock>,
    pub log: Arc<KeptLog>,
    pub invoices: Invoices,
    pub ports: Ports,
    vault: Vault,
}

pub fn settings() -> Value {
    json!({
        "seller": {
            "name": "Ümraniye Akademi A.Ş.", "tax_number": "1234567890", "tax_office": "Ümraniye",
            "street": "Alemdağ Cd. 1", "district": "Ümraniye", "city": "İstanbul", "country": "Türkiye",
            "website": "https://akademi.umraniye.example"
        },
        "archive_series": "EAR", "invoice_series": "EFT", "scenario": "commercial"
    })
}

pub fn company() -> Value {
    json!({
        "name": "Örnek Yazılım Ltd. Şti.", "tax_number": "4840847211", "tax_office": "Beşiktaş",
        "district": "Beşiktaş", "city": "İstanbul", "country": "Türkiye"
    })
}

impl World {
    /// Both academies have the people 1 to 9; neither has settings.
    pub async fn new() -> Self {
        let integrator = Arc::new(TestIntegrator::default());
        Self::with(integrator.clone(), integrator).await
    }

    pub async fn with(integrator: Arc<TestIntegrator>, port: Arc<dyn Integrator>) -> Self {
        let database = TestDatabase::new().await.unwrap();
        let (ports, clock, log) = ports();
        let lookup = |name: &str| (name == "lambda_master_key").then(|| MASTER.to_owned());
        let planes = Arc::new(PlaneKeys::from_config(ROOT).unwrap());
        let postgres = database.postgres().clone();
        let invoices = Invoices::new(ports.clone(), planes, postgres, port, &Config::new(&lookup)).unwrap();
        let vault = Vault::from_config(MASTER).unwrap();
        let world = Self { database, integrator, clock, log, invoices, ports, vault };
        for academy in 1..=2 {
            world.add_academy(academy).await;
            for n in 1..=9 {
                world.add_person(academy, n).await;
            }
        }
        world
    }

    /// Academy 1 invoices.
    pub async fn set_up() -> Self {
        let world = Self::new().await;
        world.call(staff(1), Method::PUT, "/api/v1/commerce/invoice-settings", &settings()).await.expect(200);
        world
    }

    async fn add_academy(&self, n: u8) {
        let mut tx = self.database.postgres().tenant(tenant(n)).await.unwrap();
        sqlx::query(
            "INSERT INTO tenant (id, slug, name, locale, state, brand, domains, updated_at)
             VALUES ($1, $2, 'Akademi', 'tr', 'active', '{}', $3, 0)",
        )
        .bind(tenant(n).as_uuid())
        .bind(format!("academy-{n}"))
        .bind([HOST])
        .execute(tx.connection())
        .await
        .unwrap();
        tx.commit().await.unwrap();
    }

    async fn add_person(&self, academy: u8, n: u8) {
        let key = PersonKey::from_bytes([n; 32]);
        let profile = json!({ "name": NAME, "email": format!("ogrenci{n}@example.com") }).to_string();
        let mut tx = self.database.postgres().tenant(tenant(academy)).await.unwrap();
        sqlx::query("INSERT INTO person (tenant_id, id, sealed_profile, state, updated_at) VALUES ($1, $2, $3, 'active', 0)")
            .bind(tenant(academy).as_uuid())
            .bind(person(n).as_uuid())
            .bind(key.seal(person(n), "profile", profile.as_bytes(), [6; 24]))
            .execute(tx.connection())
            .await
            .unwrap();
        sqlx::query("INSERT INTO person_key (tenant_id, user_id, wrapped) VALUES ($1, $2, $3)")
            .bind(tenant(academy).as_uuid())
            .bind(person(n).as_uuid())
            .bind(self.vault.wrap_key(tenant(academy), person(n), &key, [7; 24]))
            .execute(tx.connection())
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }

    /// As `payments` places an order of person 1 and PayTR captures it: course 1 at 499.90 less 49.99, course 2 at 100.00,
    /// with 20 % of VAT. Its invoice is asked for.
    pub async fn buy(&self, academy: u8, n: u8) {
        self.insert_order(academy, n, 1).await;
        self.request(academy, n).await;
    }

    pub async fn insert_order(&self, academy: u8, n: u8, buyer: u8) {
        let mut tx = self.database.postgres().tenant(tenant(academy)).await.unwrap();
        sqlx::query(
            "INSERT INTO customer_order (tenant_id, id, user_id, idempotency_key, state, currency, subtotal, discount,
                                         total, vat, captured_by, created_at, expires_at, paid_at)
             VALUES ($1, $2, $3, $4, 'paid', 'TRY', 59990, 4999, 54991, 9166, $2, $5, $5, $5)",
        )
        .bind(tenant(academy).as_uuid())
        .bind(order(n).as_uuid())
        .bind(person(buyer).as_uuid())
        .bind(n.to_string())
        .bind(NOW.as_millis())
        .execute(tx.connection())
        .await
        .unwrap();
        sqlx::query(
            "INSERT INTO payment (tenant_id, id, order_id, provider, state, amount, currency, created_at, updated_at)
             VALUES ($1, $2, $2, 'paytr', 'captured', 54991, 'TRY', $3, $3)",
        )
        .bind(tenant(academy).as_uuid())
        .bind(order(n).as_uuid())
        .bind(NOW.as_millis())
        .execute(tx.connection())
        .await
        .unwrap();
        for (place, price, discount, vat) in [(1, 49_990_i64, 4_999_i64, 7_499_i64), (2, 10_000, 0, 1_667)] {
            sqlx::query(
                "INSERT INTO order_line (tenant_id, order_id, course_id, place, title, price, discount, total,
                                         vat_basis_points, vat, enrolment_id)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 2000, $9, $3)",
            )
            .bind(tenant(academy).as_uuid())
            .bind(order(n).as_uuid())
            .bind(course(place).as_uuid())
            .bind(i32::from(place))
            .bind(format!("Ders {place}: İklim & Işık"))
            .bind(price)
            .bind(discount)
            .bind(price - discount)
            .bind(vat)
            .execute(tx.connection())
            .await
            .unwrap();
        }
        tx.commit().await.unwrap();
    }

    /// As whoever captures asks for the order's invoice.
    pub async fn request(&self, academy: u8, n: u8) {
        let mut tx = self.database.postgres().tenant(tenant(academy)).await.unwrap();
        invoices::request(&mut tx, &self.ports, order(n)).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// As whoever gives so much of courses back, of which so much is VAT.
    pub async fn give_back(&self, n: u8, refund_n: u8, lines: &[(u8, i64, i64)]) {
        let line = |&(n, total, vat): &(u8, i64, i64)| ReturnedLine { course: course(n), total, vat };
        let lines: Vec<ReturnedLine> = lines.iter().map(line).collect();
        let mut tx = self.database.postgres().tenant(tenant(1)).await.unwrap();
        invoices::request_return(&mut tx, &self.ports, order(n), refund(refund_n), &lines).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// A run that takes all that is due.
    pub async fn run(&self) -> Handled {
        self.invoices.run_due(|| true).await.unwrap()
    }

    /// A request as `origin` forwards it; `null` is no body.
    pub async fn call(&self, who: Who, method: Method, target: &str, body: &Value) -> Answer {
        let target: Uri = target.parse().unwrap();
        let context = CallContext {
            request_id: "test".into(),
            tenant: Some(who.tenant),
            host: Some(HOST.into()),
            caller: Some(CallCaller {
                sub: who.user,
                sid: SessionId::new(NOW, [1; 10]),
                prm: who.permissions.bits(),
            }),
            ..CallContext::default()
        };
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let planes = PlaneKeys::from_config(ROOT).unwrap();
        let signature = planes.sign(Purpose::Origin, &method, &target, &body, &context, self.ports.now());
        let mut request = Request::new(Body::from(body));
        *request.method_mut() = method;
        *request.uri_mut() = target;
        request.headers_mut().insert(CALL_HEADER, signature.unwrap());
        request.headers_mut().insert(header::CONTENT_TYPE, "application/json".parse().unwrap());
        let answer = akademi_invoices::router(self.invoices.clone()).oneshot(request).await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body = answer.into_body().collect().await.unwrap().to_bytes().to_vec();
        Answer { status, headers, body }
    }

    pub async fn get(&self, who: Who, target: &str) -> Answer {
        self.call(who, Method::GET, target, &Value::Null).await
    }

    /// The invoices that staff of an academy see.
    pub async fn listed(&self, of: u8, query: &str) -> Vec<Value> {
        let page = self.get(staff(of), &format!("/api/v1/invoices{query}")).await.expect(200);
        page["data"].as_array().unwrap().clone()
    }

    pub async fn retry(&self, who: Who, id: &Value) -> Answer {
        let path = format!("/api/v1/invoices/{}/retry", id.as_str().unwrap());
        self.call(who, Method::POST, &path, &Value::Null).await
    }

    pub async fn name_company(&self, n: u8) -> Answer {
        let path = format!("/api/v1/orders/{}/invoice-details", order(n));
        self.call(learner(1), Method::PUT, &path, &company()).await
    }

    /// What people are told by mail, the oldest first.
    pub async fn mails(&self) -> Vec<Told> {
        let mut superuser = self.database.superuser().await.unwrap();
        let rows = sqlx::query("SELECT * FROM mail ORDER BY created_at, id").fetch_all(&mut superuser).await;
        let told = |row: sqlx::postgres::PgRow| {
            let person = UserId::from_uuid(row.get("person_id"));
            let n = (1..=9).find(|n| self::person(*n) == person).unwrap();
            let sealed: Vec<u8> = row.get("sealed_recipient");
            let recipient = PersonKey::from_bytes([n; 32]).open(person, "mail", &sealed).unwrap();
            Told {
                kind: MailKind::parse(row.get("kind")).unwrap(),
                order: OrderId::from_uuid(row.get("order_id")),
                recipient: serde_json::from_slice(&recipient).unwrap(),
                host: row.get("host"),
                locale: row.get("locale"),
            }
        };
        rows.unwrap().into_iter().map(told).collect()
    }

    /// Runs a statement as superuser.
    pub async fn execute(&self, sql: &str) {
        let mut superuser = self.database.superuser().await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut superuser).await.unwrap();
    }

    pub async fn count(&self, table: &str) -> i64 {
        let mut superuser = self.database.superuser().await.unwrap();
        let count = format!("SELECT count(*) FROM {table}");
        sqlx::query_scalar(AssertSqlSafe(count)).fetch_one(&mut superuser).await.unwrap()
    }

    pub async fn id_of(&self, column: &str) -> Uuid {
        let mut superuser = self.database.superuser().await.unwrap();
        let find = format!("SELECT {column} FROM invoice");
        sqlx::query_scalar(AssertSqlSafe(find)).fetch_one(&mut superuser).await.unwrap()
    }
}

/// The text at a path of element names below the document's root.
pub fn read(xml: &str, path: &str) -> Option<String> {
    let document = roxmltree::Document::parse(xml).unwrap();
    let found = path.split('/').try_fold(document.root_element(), |node, name| {
        node.children().find(|child| child.tag_name().name() == name)
    });
    Some(found?.text().unwrap_or_default().to_owned())
}
