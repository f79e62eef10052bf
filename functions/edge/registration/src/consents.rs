//! What somebody consents to as they register.

use akademi_api::{Problem, problem::FieldError};
use akademi_domain::{consent::ConsentKind, ids::TenantId};
use akademi_identity::consent::{AskedConsent, GivenConsent, list_asked_consents};
use http::StatusCode;

use crate::Registrar;

/// That the academy asks what is given, in these versions and languages, and that nothing is missing that it requires.
///
/// # Errors
/// 422 with what is not asked so, or what is missing; of the store.
pub async fn check(registrar: &Registrar, tenant: TenantId, given: &[GivenConsent]) -> Result<(), Problem> {
    let asked = list_asked_consents(&registrar.edge.tenant(tenant)).await?;
    let is_asked = |given: &GivenConsent| {
        let is_it = |asked: &&AskedConsent| asked.kind == given.kind && asked.language == given.language;
        asked.iter().find(is_it).is_some_and(|asked| asked.version == given.version)
    };
    let mut errors = Vec::new();
    for (index, one) in given.iter().enumerate() {
        let is_twice = given.iter().take(index).any(|other| other.kind == one.kind);
        let message = match (is_twice, is_asked(one)) {
            (true, _) => "names what another one names",
            (false, false) => "is not asked in this version and language: read it again",
            (false, true) => continue,
        };
        errors.push(FieldError { field: format!("consents[{index}]"), message: message.into() });
    }
    if !errors.is_empty() {
        return Err(Problem::invalid().with_errors(errors));
    }
    let is_given = |kind: &ConsentKind| given.iter().any(|given| given.kind == *kind);
    for asked in asked.iter().filter(|asked| asked.required && !is_given(&asked.kind)) {
        let (kind, version, language) = (&asked.kind, asked.version, asked.language.name());
        errors.push(FieldError {
            field: "consents".into(),
            message: format!("lacks {kind}, version {version}, language {language}"),
        });
    }
    if errors.is_empty() {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "consent-required",
        "This academy asks for your consent before you register: each kind that is listed, in one of its languages.",
    )
    .with_errors(errors))
}
