//! What is asked of everybody, and what those who come have consented to.

use akademi_domain::{academy::PageLanguage, consent::ConsentKind, ids::LinkId};
use akademi_edge_store::{StoreError, TenantDatabase, TenantSql, TenantStatement};

/// What is asked, in its newest version and one of its languages.
pub struct AskedConsent {
    pub kind: ConsentKind,
    pub version: i64,
    pub language: PageLanguage,
    /// Whether nobody may do without.
    pub required: bool,
}

/// The newest version of each kind: a row for each language.
pub async fn list_asked_consents(database: &TenantDatabase<'_>) -> Result<Vec<AskedConsent>, StoreError> {
    const SQL: TenantSql = TenantSql::new(
        "SELECT kind, version, language, required FROM consent_text WHERE tenant_id = ?1 \
         AND version = (SELECT max(newest.version) FROM consent_text AS newest \
         WHERE newest.tenant_id = ?1 AND newest.kind = consent_text.kind) ORDER BY kind, language DESC",
    );
    let rows = database.rows(SQL.with([])).await?;
    rows.iter()
        .map(|row| {
            Ok(AskedConsent {
                kind: row.parse(0)?,
                version: row.integer(1)?,
                language: row.parse(2)?,
                required: row.boolean(3)?,
            })
        })
        .collect()
}

/// What whoever waits behind this link consented to becomes their first choices, of the moment at which they made them.
pub fn keep_consents(link: LinkId) -> TenantStatement {
    // It takes the digest from the text itself, which never changes.
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO consent (tenant_id, person_id, kind, number, version, language, digest, given, origin, at) \
         SELECT ?1, pending_person.person_id, kind, 1, version, language, digest, 1, consent_origin, \
         pending_person.created_at FROM pending_person JOIN json_each(pending_person.consents) AS given \
         JOIN consent_text ON consent_text.tenant_id = ?1 AND kind = given.value ->> 0 \
         AND version = given.value ->> 1 AND language = given.value ->> 2 \
         WHERE pending_person.tenant_id = ?1 AND pending_person.id = ?2 AND consent_origin IS NOT NULL",
    );
    SQL.with([link.into()])
}
