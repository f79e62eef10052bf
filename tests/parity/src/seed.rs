//! What every host begins with: two academies, somebody who may do everything in one of them, and somebody of the platform.

pub mod invoices;
pub mod lambda;
pub mod media;

use akademi_api::{caller::Caller, signed::PlaneKeys, token::TokenSigner};
use akademi_domain::{
    identity::EmailAddress,
    ids::{LinkId, SessionId, TenantId, UserId},
    permission::{Permissions, Role},
    time::Timestamp,
};
use akademi_edge_store::{
    PlatformSql, Statement, Value,
    operations::{NewAcademy, create_academy, grant_role},
};
use akademi_local::secrets::{Variables, generate};
use akademi_seal::{PersonKey, Vault, hmac};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// Where links to files lead, on every host: nobody follows them.
pub const FILES: &str = "https://files.example.com";

/// Of somebody who is invited to the first academy.
pub const INVITATION: LinkId = LinkId::from_uuid(uuid::uuid!("01890000-0000-7000-8000-0000000000d1"));

/// What a browser holds that waits with an identity.
const WAITING: [u8; 32] = [9; 32];

/// When the academies and the staff came to be: ids are the same on every host, since an `ETag` may be made of one.
const EARLY: Timestamp = Timestamp::from_millis(1_790_000_000_000);

/// A deployment's secrets and fixed people, the same for its host and for the requests.
pub struct Deployment {
    pub variables: Variables,
    pub umraniye: TenantId,
    pub kadikoy: TenantId,
    pub staff: UserId,
    pub staff_session: SessionId,
    /// The academy whose people administer all others, and one of them.
    pub platform: TenantId,
    pub operator: UserId,
    pub operator_session: SessionId,
    pub now: Timestamp,
    /// Where the payment provider tells the first academy of payments; empty until the Lambda plane has been seeded.
    pub callback: String,
}

impl Deployment {
    /// # Errors
    /// When the system gives no randomness.
    pub fn new(now: Timestamp) -> anyhow::Result<Self> {
        let mut variables = generate()?;
        variables.insert("storage_url".into(), FILES.into());
        variables.insert("media_url".into(), FILES.into());
        variables
            .insert("media_signing_keys".into(), "k1:BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc".into());
        // Nobody answers there: no name is looked up here.
        variables.insert("dns_url".into(), "http://127.0.0.1:9".into());
        // Nobody listens there: mail is sent nowhere here.
        variables.insert("mail_url".into(), "smtp://127.0.0.1:9".into());
        variables.insert("mail_from".into(), "Akademi <posta@example.com>".into());
        // `sync` runs nowhere here.
        variables.insert("edge_url".into(), "http://127.0.0.1:1".into());
        Ok(Self {
            variables,
            umraniye: TenantId::new(EARLY, [1; 10]),
            kadikoy: TenantId::new(EARLY, [2; 10]),
            staff: UserId::new(EARLY, [3; 10]),
            staff_session: SessionId::new(EARLY, [4; 10]),
            platform: TenantId::new(EARLY, [7; 10]),
            operator: UserId::new(EARLY, [7; 10]),
            operator_session: SessionId::new(EARLY, [7; 10]),
            now,
            callback: String::new(),
        })
    }

    pub(crate) fn variable(&self, name: &str) -> &str {
        self.variables.get(name).map_or("", String::as_str)
    }

    /// An access token of the administrator of the first academy.
    ///
    /// # Errors
    /// When the deployment's keys are none.
    pub fn staff_token(&self, now: Timestamp) -> anyhow::Result<String> {
        let permissions: Permissions = Role::TenantAdmin.permissions();
        self.token(
            Caller { tenant: self.umraniye, user: self.staff, session: self.staff_session, permissions },
            now,
        )
    }

    /// An access token of the administrator of all academies.
    ///
    /// # Errors
    /// When the deployment's keys are none.
    pub fn operator_token(&self, now: Timestamp) -> anyhow::Result<String> {
        let permissions = Role::GlobalAdmin.permissions();
        let (tenant, user, session) = (self.platform, self.operator, self.operator_session);
        self.token(Caller { tenant, user, session, permissions }, now)
    }

    fn token(&self, caller: Caller, now: Timestamp) -> anyhow::Result<String> {
        Ok(TokenSigner::from_config(self.variable("token_signing_keys"))?.sign(&caller, now, [5; 16])?)
    }

    /// # Errors
    /// When the deployment's keys are none.
    pub fn plane_keys(&self) -> anyhow::Result<PlaneKeys> {
        Ok(PlaneKeys::from_config(self.variable("plane_root_keys"))?)
    }
}

const KEY: PlatformSql =
    PlatformSql::new("INSERT INTO person_key (tenant_id, person_id, wrapped) VALUES (?1, ?2, ?3)");

/// The statements that make a new edge store this deployment's.
///
/// # Errors
/// When the deployment's keys are none.
pub fn seed_statements(deployment: &Deployment) -> anyhow::Result<Vec<Statement>> {
    const PERSON: PlatformSql = PlatformSql::new(
        "INSERT INTO person (tenant_id, id, email_lookup, profile, password_hash, state, version, created_at) \
         VALUES (?1, ?2, ?3, ?4, '', 'active', 1, ?5)",
    );
    const SESSION: PlatformSql = PlatformSql::new(
        "INSERT INTO session (tenant_id, id, person_id, nonce, generation, device, created_at, rotated_at, \
         authenticated_at) VALUES (?1, ?2, ?3, ?4, 0, '', ?5, ?5, ?5)",
    );
    let academy = |id, slug, name, locale, host| {
        let hosts = [host];
        let new = NewAcademy { id, slug, name, locale, brand_colour: "#0b6e4f", hosts: &hosts };
        create_academy(&new, deployment.now)
    };
    let mut statements =
        academy(deployment.umraniye, "umraniye", "Ümraniye Açık Akademi", "tr", "umraniye.localhost");
    statements.extend(academy(
        deployment.kadikoy,
        "kadikoy",
        "Kadıköy Learning Lab",
        "en",
        "kadikoy.localhost",
    ));
    statements.extend(academy(deployment.platform, "platform", "Akademi", "en", "platform.localhost"));
    let now = Value::from(deployment.now);
    let vault = Vault::from_config(deployment.variable("edge_master_key"))?;
    for (tenant, person, session, role) in [
        (deployment.umraniye, deployment.staff, deployment.staff_session, Role::TenantAdmin),
        (deployment.platform, deployment.operator, deployment.operator_session, Role::GlobalAdmin),
    ] {
        let key = PersonKey::from_bytes([8; 32]);
        let email = EmailAddress::parse("yonetici@example.org")?;
        let profile = serde_json::json!({ "name": "Çağla Yönetici", "email": email });
        statements.push(PERSON.with([
            tenant.into(),
            person.into(),
            vault.email_lookup(tenant, &email).as_slice().into(),
            key.seal(person, "profile", profile.to_string().as_bytes(), [8; 24]).into(),
            now.clone(),
        ]));
        let wrapped = vault.wrap_key(tenant, person, &key, [8; 24]);
        statements.push(KEY.with([tenant.into(), person.into(), wrapped.into()]));
        statements.push(SESSION.with([
            tenant.into(),
            session.into(),
            person.into(),
            vec![0_u8; 16].into(),
            now.clone(),
        ]));
        statements.push(grant_role(tenant, person, role));
    }
    statements.extend(invitation(deployment)?);
    statements.push(waiting_identity(deployment)?);
    Ok(statements)
}

/// The cookie of a browser whose owner a provider has vouched for.
pub fn waiting_cookie() -> String {
    format!("__Host-akademi_provider={}", URL_SAFE_NO_PAD.encode(WAITING))
}

/// The statement that has that browser wait for its owner's word.
fn waiting_identity(deployment: &Deployment) -> anyhow::Result<Statement> {
    const SQL: PlatformSql = PlatformSql::new(
        "INSERT INTO provider_sign_in (tenant_id, browser, provider, issuer, names_issuer, redirect_uri, return_to, \
         subject_lookup, expires_at) VALUES (?1, ?2, 'fb', 'https://www.facebook.com', 0, '', '/', ?2, ?3)",
    );
    let vault = Vault::from_config(deployment.variable("edge_master_key"))?;
    let browser = hmac(&vault.derive("akademi/federation/1"), &[b"browser".as_slice(), &WAITING].concat());
    let end = deployment.now.plus_seconds(3600);
    Ok(SQL.with([deployment.umraniye.into(), browser.as_slice().into(), end.into()]))
}

/// The statements that invite somebody to the first academy, behind the link [`INVITATION`].
fn invitation(deployment: &Deployment) -> anyhow::Result<[Statement; 2]> {
    const PENDING: PlatformSql = PlatformSql::new(
        "INSERT INTO pending_person (tenant_id, id, person_id, email_lookup, profile, roles, expires_at, created_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, 'instructor', ?6, ?7)",
    );
    let (tenant, now) = (deployment.umraniye, deployment.now);
    let vault = Vault::from_config(deployment.variable("edge_master_key"))?;
    let (person, key) = (UserId::new(EARLY, [6; 10]), PersonKey::from_bytes([6; 32]));
    let email = EmailAddress::parse("ogretmen@example.org")?;
    let profile = serde_json::json!({ "name": "Öğretmen", "email": email });
    let sealed = key.seal(person, "profile", profile.to_string().as_bytes(), [6; 24]);
    let pending = PENDING.with([
        tenant.into(),
        INVITATION.into(),
        person.into(),
        vault.email_lookup(tenant, &email).as_slice().into(),
        sealed.into(),
        now.plus_seconds(3600).into(),
        now.into(),
    ]);
    Ok([
        pending,
        KEY.with([tenant.into(), person.into(), vault.wrap_key(tenant, person, &key, [6; 24]).into()]),
    ])
}
