//! Two academies whose people get mail, in a database of its own, and an SMTP server.

use akademi_api::{
    Ports,
    config::Config,
    signed::{CALL_HEADER, CallCaller, CallContext, PlaneKeys, Purpose},
};
use akademi_domain::{
    ids::{LinkId, MailId, OrderId, SessionId, TenantId, UserId},
    mail::MailKind,
    permission::{Permissions, Role},
};
use akademi_lambda_store::{
    mail::{WantedMail, queue_mail},
    testing::TestDatabase,
};
use akademi_mail::{Delivered, Mail, Mailer, SmtpMailer};
use akademi_seal::{PersonKey, Vault};
use axum::body::Body;
use http::{Method, Request, Uri};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use std::sync::Arc;
use tower::ServiceExt as _;

use crate::{
    ports::{KeptLog, NOW, TestClock, Wakes, ports},
    smtp_server::SmtpServer,
};

pub const NAME: &str = "Şükrü Iğdır Çağlayangöl";
pub const ACADEMY: &str = "Ümraniye Belediyesi Akademisi";
pub const HOST: &str = "akademi.umraniye.example";
/// 32 bytes in base64url.
pub const MASTER: &str = "AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM";
pub const ROOT: &str = "k1:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI";

pub fn tenant(n: u8) -> TenantId {
    TenantId::new(NOW, [n; 10])
}

pub fn person(n: u8) -> UserId {
    UserId::new(NOW, [n; 10])
}

pub fn mail_id(n: u8) -> MailId {
    MailId::new(NOW, [n; 10])
}

pub fn link() -> LinkId {
    LinkId::new(NOW, [9; 10])
}

pub fn order() -> OrderId {
    OrderId::new(NOW, [8; 10])
}

pub fn address(n: u8) -> String {
    format!("ogrenci{n}@example.com")
}

/// Who asks.
#[derive(Clone, Copy)]
pub struct Who {
    pub tenant: TenantId,
    pub permissions: Permissions,
}

pub fn staff(of: u8) -> Who {
    Who { tenant: tenant(of), permissions: Role::TenantAdmin.permissions() }
}

pub fn learner(of: u8) -> Who {
    Who { tenant: tenant(of), permissions: Permissions::NONE }
}

/// A mail that was wanted.
pub struct Wanted<'a> {
    /// Its own number, and its person's.
    pub n: u8,
    pub kind: MailKind,
    pub name: &'a str,
    pub locale: &'a str,
    pub host: &'a str,
}

pub fn wanted(n: u8) -> Wanted<'static> {
    Wanted { n, kind: MailKind::ResetPassword, name: NAME, locale: "tr", host: HOST }
}

pub struct World {
    pub database: TestDatabase,
    pub server: SmtpServer,
    pub clock: Arc<TestClock>,
    pub log: Arc<KeptLog>,
    pub wakes: Arc<Wakes>,
    pub mail: Mail,
    ports: Ports,
    vault: Vault,
}

/// Speaks to the server at `url`.
pub fn mailer(url: &str) -> Arc<dyn Mailer> {
    let lookup = |name: &str| match name {
        "mail_url" => Some(url.to_owned()),
        "mail_from" => Some("Akademi <posta@akademi.example>".to_owned()),
        _ => None,
    };
    Arc::new(SmtpMailer::from_config(&Config::new(&lookup)).unwrap())
}

impl World {
    /// Academy 1 is Turkish, academy 2 English.
    pub async fn new() -> Self {
        Self::with_server(SmtpServer::start(), |url| url).await
    }

    /// `url` makes of the server's address how it is spoken to.
    pub async fn with_server(server: SmtpServer, url: impl Fn(String) -> String) -> Self {
        let database = TestDatabase::new().await.unwrap();
        let (ports, clock, log) = ports();
        let wakes = Arc::new(Wakes::default());
        let mailer = mailer(&url(server.url()));
        let mail = mail_function(&ports, &database, mailer, &wakes);
        let vault = Vault::from_config(MASTER).unwrap();
        let world = Self { database, server, clock, log, wakes, mail, ports, vault };
        for (n, name, locale) in [(1, ACADEMY, "tr"), (2, "Kadıköy Academy", "en")] {
            let mut tx = world.database.postgres().tenant(tenant(n)).await.unwrap();
            sqlx::query(
                "INSERT INTO tenant (id, slug, name, locale, state, brand, domains, updated_at)
                 VALUES ($1, $2, $3, $4, 'active', $5, '{}', 0)",
            )
            .bind(tenant(n).as_uuid())
            .bind(format!("academy-{n}"))
            .bind(name)
            .bind(locale)
            .bind(json!({ "colour": "#0b6e4f" }))
            .execute(tx.connection())
            .await
            .unwrap();
            tx.commit().await.unwrap();
        }
        world
    }

    /// The function with another way to send.
    pub fn mail_by(&self, mailer: Arc<dyn Mailer>) -> Mail {
        mail_function(&self.ports, &self.database, mailer, &self.wakes)
    }

    /// As whoever wants a mail has it queued.
    pub async fn want(&self, of: u8, wanted: &Wanted<'_>) {
        let key = PersonKey::from_bytes([wanted.n; 32]);
        let recipient = json!({ "name": wanted.name, "email": address(wanted.n) }).to_string();
        let mut tx = self.database.postgres().tenant(tenant(of)).await.unwrap();
        sqlx::query("INSERT INTO person_key (tenant_id, user_id, wrapped) VALUES ($1, $2, $3)")
            .bind(tenant(of).as_uuid())
            .bind(person(wanted.n).as_uuid())
            .bind(self.vault.wrap_key(tenant(of), person(wanted.n), &key, [7; 24]))
            .execute(tx.connection())
            .await
            .unwrap();
        let mail = WantedMail {
            id: mail_id(wanted.n),
            person: person(wanted.n),
            kind: wanted.kind,
            recipient: key.seal(person(wanted.n), "mail", recipient.as_bytes(), [6; 24]),
            link: wanted.kind.link().map(|_| link()),
            order: wanted.kind.leads_to_order().then(order),
            host: wanted.host.to_owned(),
            locale: wanted.locale.to_owned(),
            at: self.ports.now(),
        };
        queue_mail(&mut tx, &mail, &self.ports).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// A run that takes all that is due.
    pub async fn deliver(&self) -> Delivered {
        self.mail.deliver_due(|| true).await.unwrap()
    }

    /// A request as `origin` forwards it.
    pub async fn call(&self, who: Who, method: Method, target: &str) -> (u16, Value) {
        let target: Uri = target.parse().unwrap();
        let context = CallContext {
            request_id: "test".into(),
            tenant: Some(who.tenant),
            host: Some(HOST.into()),
            caller: Some(CallCaller {
                sub: person(200),
                sid: SessionId::new(NOW, [1; 10]),
                prm: who.permissions.bits(),
            }),
            ..CallContext::default()
        };
        let planes = PlaneKeys::from_config(ROOT).unwrap();
        let signature = planes.sign(Purpose::Origin, &method, &target, b"", &context, self.ports.now());
        let mut request = Request::new(Body::empty());
        *request.method_mut() = method;
        *request.uri_mut() = target;
        request.headers_mut().insert(CALL_HEADER, signature.unwrap());
        let answer = akademi_mail::router(self.mail.clone()).oneshot(request).await.unwrap();
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    /// The mails that staff of an academy see.
    pub async fn listed(&self, of: u8, query: &str) -> Vec<Value> {
        let (status, page) = self.call(staff(of), Method::GET, &format!("/api/v1/mails{query}")).await;
        assert_eq!(status, 200, "{page}");
        page["data"].as_array().unwrap().clone()
    }

    pub async fn retry(&self, who: Who, n: u8) -> (u16, Value) {
        self.call(who, Method::POST, &format!("/api/v1/mails/{}/retry", mail_id(n))).await
    }

    /// Runs a statement as superuser.
    pub async fn execute(&self, sql: &str) {
        let mut superuser = self.database.superuser().await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut superuser).await.unwrap();
    }

    /// The one column of text that a statement answers.
    pub async fn texts(&self, sql: &str) -> Vec<String> {
        let mut superuser = self.database.superuser().await.unwrap();
        sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_all(&mut superuser).await.unwrap()
    }
}

fn mail_function(
    ports: &Ports,
    database: &TestDatabase,
    mailer: Arc<dyn Mailer>,
    wakes: &Arc<Wakes>,
) -> Mail {
    let lookup = |name: &str| match name {
        "plane_root_keys" => Some(ROOT.to_owned()),
        "lambda_master_key" => Some(MASTER.to_owned()),
        "mail_from" => Some("Akademi <posta@akademi.example>".to_owned()),
        _ => None,
    };
    let postgres = database.postgres().clone();
    Mail::new(ports.clone(), postgres, mailer, wakes.clone(), &Config::new(&lookup)).unwrap()
}
