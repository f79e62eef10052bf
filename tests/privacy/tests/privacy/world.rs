//! A deployment with one academy, and the life that somebody leads there.

use akademi_domain::ids::TenantId;
use akademi_edge_store::{Platform, PlatformSql, Rows};
use akademi_etl::ScheduleEvent;
use akademi_lambda_store::{invoices, testing::TestDatabase};
use akademi_local::{
    api_client::{ApiClient, JsonExt},
    demo,
    http_client::Network,
    local::{Local, Options},
    ports::WriteLog,
};
use akademi_sync::Trigger;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

pub const NAME: &str = "Şükrü Iğdır Çağlayangöl";
pub const EMAIL: &str = "sukru.caglayangol@posta.example";
pub const PHONE: &str = "05321112233";
pub const STREET: &str = "Çınaraltı Sokak";
pub const TAX_NUMBER: &str = "10000000146";
pub const PASSWORD: &str = "uzun bir parola";
pub const REVIEW: &str = "Çok güzel anlatılmış.";
pub const CONSENT: &str = "Açık rıza metni: ışık, ğ ve İ.";

#[derive(Clone, Default)]
pub struct Memory(Arc<Mutex<Vec<u8>>>);

impl io::Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub struct World {
    pub local: Local,
    pub database: TestDatabase,
    pub folder: tempfile::TempDir,
    pub academy: ApiClient,
    pub administrator: ApiClient,
    pub tenant: TenantId,
    log: Memory,
}

/// Somebody who has lived here.
pub struct Life {
    pub client: ApiClient,
    pub id: String,
    pub certificate: String,
    /// It has an invoice.
    pub order: String,
    /// It has none, but whom one would name.
    pub free_order: String,
}

impl World {
    pub async fn new() -> Self {
        let (database, folder, log) =
            (TestDatabase::new().await.unwrap(), tempfile::tempdir().unwrap(), Memory::default());
        let local = Local::start(Options {
            data: folder.path().to_owned(),
            listen: "127.0.0.1:0".parse().unwrap(),
            postgres: database.postgres().clone(),
            log: Arc::new(WriteLog::new(log.clone())),
            sync_interval: Duration::from_secs(3600),
            password_attempts: 10_000,
            transcode_program: None,
        })
        .await
        .unwrap();
        demo::make_people(&local, &demo::ACADEMIES[0]).await.unwrap();
        let base = format!("http://umraniye.localhost:{}", local.address.port());
        let academy = ApiClient::new(Network::new(), base);
        let administrator = academy.sign_in("yonetici@umraniye.example", demo::PASSWORD).await.unwrap();
        const TENANT: PlatformSql = PlatformSql::new("SELECT id FROM tenant LIMIT 1");
        let row = Platform::new(local.edge.database.as_ref()).row(TENANT.with([])).await.unwrap().unwrap();
        let world =
            Self { tenant: row.parse(0).unwrap(), local, database, folder, academy, administrator, log };
        world.sync().await;
        world
    }

    pub async fn sync(&self) {
        self.local.lambda.sync.handle(Trigger::Wake).await.unwrap();
    }

    /// A night, and what it wants of the edge.
    pub async fn night(&self) -> u64 {
        let night = self.local.lambda.etl.handle(ScheduleEvent::default()).await.unwrap();
        assert_eq!(night.failures, []);
        self.sync().await;
        night.rows_deleted
    }

    /// What a statement finds at the edge.
    pub async fn edge_rows(&self, sql: impl Into<String>) -> Rows {
        let sql = PlatformSql::new(sql.into().leak());
        Platform::new(self.local.edge.database.as_ref()).rows(sql.with([])).await.unwrap()
    }

    pub async fn edge_count(&self, table: &str, condition: &str) -> i64 {
        let rows = self.edge_rows(format!("SELECT count(*) AS n FROM {table} WHERE {condition}")).await;
        rows[0].integer(0).unwrap()
    }

    pub async fn edge_execute(&self, sql: impl Into<String>) {
        let sql = PlatformSql::new(sql.into().leak());
        Platform::new(self.local.edge.database.as_ref()).batch(vec![sql.with([])]).await.unwrap();
    }

    pub async fn books_count(&self, table: &str, condition: &str) -> i64 {
        let mut superuser = self.database.superuser().await.unwrap();
        let sql = format!("SELECT count(*) FROM {table} WHERE {condition}");
        sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut superuser).await.unwrap()
    }

    /// As the superuser, whom no policy holds back.
    pub async fn books_execute(&self, sql: impl Into<String>) {
        let mut superuser = self.database.superuser().await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql.into())).execute(&mut superuser).await.unwrap();
    }

    pub fn logged(&self) -> Vec<u8> {
        self.log.0.lock().unwrap().clone()
    }

    /// Registers, confirms, signs in.
    pub async fn join(&self, name: &str, email: &str) -> (ApiClient, String) {
        self.academy.register(name, email, PASSWORD).await.unwrap();
        // The mail itself may have gone to the other plane by now.
        let id = demo::confirm(&self.local, &self.academy, self.tenant).await;
        (self.academy.sign_in(email, PASSWORD).await.unwrap(), id.unwrap().to_string())
    }

    /// A free course of one lesson to be opened.
    pub async fn publish(&self, title: &str) -> (String, String) {
        let staff = &self.administrator;
        let draft = staff.post("/api/v1/authoring/courses", &json!({ "title": title })).await.unwrap();
        let draft = draft.expect(StatusCode::CREATED).unwrap();
        let path = format!("/api/v1/authoring/courses/{}", draft.text("id").unwrap());
        let mut lesson = json!({ "title": title, "body": { "kind": "html", "html": "<p>Işık</p>" } });
        demo::require(&mut lesson).unwrap();
        let modules = json!([{ "title": title, "sections": [{ "title": title, "lessons": [lesson] }] }]);
        let content = json!({ "revision": draft["revision"], "modules": modules });
        let put = staff.send_json(Method::PUT, &format!("{path}/content"), &content).await.unwrap();
        let saved = put.expect(StatusCode::OK).unwrap();
        staff.post(&format!("{path}/publish"), &json!({})).await.unwrap().expect(StatusCode::OK).unwrap();
        let price = json!({ "amount": 0, "currency": "TRY", "vat_basis_points": 2000 });
        let path = format!("/api/v1/commerce/courses/{}/price", draft.text("id").unwrap());
        let set = staff.send_json(Method::PUT, &path, &price).await.unwrap();
        set.expect(StatusCode::OK).unwrap();
        self.sync().await;
        let lesson =
            saved.pointer("/modules/0/sections/0/lessons/0/id").unwrap().as_str().unwrap().to_owned();
        (draft.text("id").unwrap(), lesson)
    }

    pub async fn ask_consent(&self, kind: &str, text: &str) -> Value {
        let body = json!({ "required": true, "texts": [{ "language": "tr", "text": text }] });
        let path = format!("/api/v1/academy/consents/{kind}");
        let asked = self.administrator.send_json(Method::PUT, &path, &body).await.unwrap();
        asked.expect(StatusCode::OK).unwrap()
    }

    pub async fn order(&self, client: &ApiClient, course: &str) -> Value {
        let quoted = client.post("/api/v1/coupons/quote", &json!({ "courses": [course] })).await.unwrap();
        let quote = quoted.expect(StatusCode::OK).unwrap().text("quote").unwrap();
        let buyer = json!({ "phone": PHONE, "address": format!("{STREET} 7, Ümraniye") });
        let body = Bytes::from(json!({ "quote": quote, "buyer": buyer }).to_string());
        let headers = [
            (HeaderName::from_static("idempotency-key"), HeaderValue::from_str(course).unwrap()),
            (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        ];
        let made = client.send(Method::POST, "/api/v1/orders", &headers, body).await.unwrap();
        made.expect(StatusCode::CREATED).unwrap()
    }

    /// Registers, consents, buys, learns, is certified, redeems a code, reviews and likes a course, forgets the password.
    pub async fn live(&self) -> Life {
        let (course, lesson) = self.publish("Işığın Yolculuğu").await;
        let (other, _) = self.publish("Vapurlar").await;
        let (third, _) = self.publish("Köprüler").await;
        self.ask_consent("kvkk", CONSENT).await;
        let (client, id) = self.join(NAME, EMAIL).await;
        self.sync().await;
        let choice = json!({ "given": true, "version": 1, "language": "tr" });
        let chosen = client.send_json(Method::PUT, "/api/v1/users/me/consents/kvkk", &choice).await.unwrap();
        chosen.expect(StatusCode::OK).unwrap();
        let order = self.order(&client, &course).await.text("id").unwrap();
        let free_order = self.order(&client, &third).await.text("id").unwrap();
        for order in [&order, &free_order] {
            self.name_on_invoice(&client, order).await;
        }
        self.invoice(&order).await;
        self.sync().await;
        let opening = format!("/api/v1/learning/courses/{course}/lessons/{lesson}/opening");
        let opened = client.post(&opening, &json!({})).await.unwrap();
        assert!(opened.status.is_success(), "{:?}", opened.json());
        self.sync().await;
        let mine = client.get("/api/v1/users/me/certificates").await.unwrap().expect(StatusCode::OK).unwrap();
        let certificate = mine.pointer("/data/0/serial").unwrap().as_str().unwrap().to_owned();
        self.redeem(&client, &other).await;
        self.praise(&client).await;
        let forgot = json!({ "email": EMAIL });
        let sent = self.academy.post("/api/v1/auth/forgot-password", &forgot).await.unwrap();
        assert!(sent.status.is_success());
        let wrong = json!({ "email": EMAIL, "password": "falsch und lang" });
        self.academy
            .post("/api/v1/auth/login", &wrong)
            .await
            .unwrap()
            .expect(StatusCode::UNAUTHORIZED)
            .unwrap();
        let path = format!("/api/v1/people/{id}");
        self.administrator.get(&path).await.unwrap().expect(StatusCode::OK).unwrap();
        self.sync().await;
        Life { client, id, certificate, order, free_order }
    }

    async fn name_on_invoice(&self, client: &ApiClient, order: &str) {
        let details = json!({ "name": NAME, "tax_number": TAX_NUMBER, "street": format!("{STREET} 7"), "district": "Ümraniye",
                              "city": "İstanbul", "country": "Türkiye" });
        let path = format!("/api/v1/orders/{order}/invoice-details");
        let named = client.send_json(Method::PUT, &path, &details).await.unwrap();
        assert_eq!(named.status, StatusCode::NO_CONTENT, "{:?}", named.json());
    }

    /// As if money had been paid for the order: its invoice is issued.
    async fn invoice(&self, order: &str) {
        let settings = json!({
            "seller": { "name": "Ümraniye Akademi A.Ş.", "tax_number": "1234567890", "tax_office": "Ümraniye",
                        "district": "Ümraniye", "city": "İstanbul", "country": "Türkiye" },
            "archive_series": "EAR", "invoice_series": "EFT", "scenario": "basic" });
        let path = "/api/v1/commerce/invoice-settings";
        let set = self.administrator.send_json(Method::PUT, path, &settings).await.unwrap();
        set.expect(StatusCode::OK).unwrap();
        self.books_execute(format!(
            "UPDATE customer_order SET subtotal = 12000, total = 12000, vat = 2000 WHERE id = '{order}';
             UPDATE order_line SET price = 12000, total = 12000, vat = 2000 WHERE order_id = '{order}'"
        ))
        .await;
        let mut tx = self.database.postgres().tenant(self.tenant).await.unwrap();
        invoices::request(&mut tx, &self.local.edge.ports, order.parse().unwrap()).await.unwrap();
        tx.commit().await.unwrap();
        // The deployment's own loop may have it in hand.
        while self.books_count("invoice", "state = 'delivered'").await == 0 {
            self.local.lambda.invoices.run_due(|| true).await.unwrap();
            assert_eq!(self.books_count("invoice", "state IN ('failed', 'waiting')").await, 0);
        }
    }

    async fn redeem(&self, client: &ApiClient, course: &str) {
        let batch = json!({ "name": "Güz", "count": 1, "uses_per_code": 1, "starts_at": "2020-01-01T00:00:00Z",
                            "ends_at": "2999-01-01T00:00:00Z", "courses": [course] });
        let headers = [
            (HeaderName::from_static("idempotency-key"), HeaderValue::from_static("codes")),
            (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        ];
        let path = "/api/v1/activation-codes/batches";
        let made =
            self.administrator.send(Method::POST, path, &headers, batch.to_string().into()).await.unwrap();
        let made = made.expect(StatusCode::CREATED).unwrap().text("id").unwrap();
        let sheet = self.administrator.get(&format!("{path}/{made}/codes.csv")).await.unwrap();
        let sheet = String::from_utf8(sheet.body.to_vec()).unwrap();
        let code = sheet.lines().nth(1).unwrap().split(',').nth(1).unwrap();
        let used =
            client.post("/api/v1/activation-codes/redemptions", &json!({ "code": code })).await.unwrap();
        used.expect(StatusCode::OK).unwrap();
    }

    async fn praise(&self, client: &ApiClient) {
        let course = "/api/v1/catalog/courses/isigin-yolculugu";
        let review = json!({ "stars": 5, "text": REVIEW });
        let written =
            client.send_json(Method::PUT, &format!("{course}/reviews/mine"), &review).await.unwrap();
        written.expect(StatusCode::CREATED).unwrap();
        let liked = client.send(Method::PUT, &format!("{course}/like"), &[], Bytes::new()).await.unwrap();
        assert_eq!(liked.status, StatusCode::NO_CONTENT, "{:?}", liked.json());
    }

    /// They ask to be forgotten.
    pub async fn erase(&self, client: &ApiClient, email: &str) {
        let erased = client.post("/api/v1/users/me/erasure", &json!({ "email": email })).await.unwrap();
        assert_eq!(erased.status, StatusCode::NO_CONTENT, "{:?}", erased.json());
    }
}
