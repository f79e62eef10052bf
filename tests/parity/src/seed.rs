//! What every host begins with: two academies and somebody who may do everything in one of them.

use akademi_api::{caller::Caller, signed::PlaneKeys, token::TokenSigner};
use akademi_domain::{
    ids::{SessionId, TenantId, UserId},
    permission::{Permissions, Role},
    time::Timestamp,
};
use akademi_edge_store::{
    PlatformSql, Statement, Value,
    operations::{NewAcademy, create_academy, grant_role},
};
use akademi_local::secrets::{Variables, generate};

/// A deployment's secrets and fixed people, the same for its host and for the requests.
pub struct Deployment {
    pub variables: Variables,
    pub umraniye: TenantId,
    pub kadikoy: TenantId,
    pub staff: UserId,
    pub staff_session: SessionId,
    pub now: Timestamp,
}

impl Deployment {
    /// # Errors
    /// When the system gives no randomness.
    pub fn new(now: Timestamp) -> anyhow::Result<Self> {
        Ok(Self {
            variables: generate()?,
            umraniye: TenantId::new(now, [1; 10]),
            kadikoy: TenantId::new(now, [2; 10]),
            staff: UserId::new(now, [3; 10]),
            staff_session: SessionId::new(now, [4; 10]),
            now,
        })
    }

    fn variable(&self, name: &str) -> &str {
        self.variables.get(name).map_or("", String::as_str)
    }

    /// An access token of the administrator of the first academy.
    ///
    /// # Errors
    /// When the deployment's keys are none.
    pub fn staff_token(&self, now: Timestamp) -> anyhow::Result<String> {
        let permissions: Permissions = Role::TenantAdmin.permissions();
        let caller =
            Caller { tenant: self.umraniye, user: self.staff, session: self.staff_session, permissions };
        Ok(TokenSigner::from_config(self.variable("token_signing_keys"))?.sign(&caller, now, [5; 16])?)
    }

    /// # Errors
    /// When the deployment's keys are none.
    pub fn plane_keys(&self) -> anyhow::Result<PlaneKeys> {
        Ok(PlaneKeys::from_config(self.variable("plane_root_keys"))?)
    }
}

/// The statements that make a new edge store this deployment's.
pub fn seed_statements(deployment: &Deployment) -> Vec<Statement> {
    const PERSON: PlatformSql = PlatformSql::new(
        "INSERT INTO person (tenant_id, id, email_lookup, profile, password_hash, state, version, created_at) \
         VALUES (?1, ?2, ?3, ?3, '', 'active', 1, ?4)",
    );
    const SESSION: PlatformSql = PlatformSql::new(
        "INSERT INTO session (tenant_id, id, person_id, nonce, generation, device, created_at, rotated_at) \
         VALUES (?1, ?2, ?3, ?4, 0, '', ?5, ?5)",
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
    let tenant = Value::from(deployment.umraniye);
    let now = Value::from(deployment.now);
    statements.push(PERSON.with([
        tenant.clone(),
        deployment.staff.into(),
        vec![0_u8; 32].into(),
        now.clone(),
    ]));
    statements.push(SESSION.with([
        tenant,
        deployment.staff_session.into(),
        deployment.staff.into(),
        vec![0_u8; 16].into(),
        now,
    ]));
    statements.push(grant_role(deployment.umraniye, deployment.staff, Role::TenantAdmin));
    statements
}
