//! What somebody has consented to, with its proof: when, from where, and the very text.

use akademi_api::{Body, Caller, PathParam, Problem};
use akademi_domain::{academy::PageLanguage, consent::ConsentKind, time::Timestamp};
use akademi_identity::{Known, Origin, consent::seal_origin};
use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::{
    Privacy,
    store::{self, NewChoice, OwnRow},
};

/// What somebody chose last.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Choice {
    given: bool,
    version: i64,
    /// In which they read it.
    language: PageLanguage,
    /// SHA-256 of what they read, in hexadecimal.
    digest: String,
    at: Timestamp,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct OwnConsent {
    kind: ConsentKind,
    /// The newest.
    version: i64,
    required: bool,
    /// Whether consent to the newest version is needed and was not given.
    missing: bool,
    /// Null before the first.
    choice: Option<Choice>,
}

impl From<OwnRow> for OwnConsent {
    fn from(row: OwnRow) -> Self {
        let holds = row.choice.as_ref().is_some_and(|choice| choice.given && choice.version == row.version);
        Self {
            kind: row.kind,
            version: row.version,
            required: row.required,
            missing: row.required && !holds,
            choice: row.choice.map(|choice| Choice {
                given: choice.given,
                version: choice.version,
                language: choice.language,
                digest: hex::encode(choice.digest),
                at: choice.at,
            }),
        }
    }
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct OwnConsents {
    data: Vec<OwnConsent>,
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOwnChoice {
    given: bool,
    /// The newest, which was shown.
    #[schema(minimum = 1)]
    version: i64,
    /// In which it was read.
    language: PageLanguage,
}

/// What one has consented to
#[utoipa::path(get, path = "/api/v1/users/me/consents", tag = "privacy",
    responses((status = 200, description = "All that the academy asks, with one's last choice", body = OwnConsents)))]
pub async fn list(State(privacy): State<Privacy>, caller: Caller) -> Result<Body<OwnConsents>, Problem> {
    let rows = store::list_own(&privacy.edge.tenant(caller.tenant), caller.user).await?;
    Ok(Body(OwnConsents { data: rows.into_iter().map(OwnConsent::from).collect() }))
}

/// Give or withdraw consent
///
/// The newest version, in the language in which it was read. Withdrawing is as easy as giving, and holds from then on.
#[utoipa::path(put, path = "/api/v1/users/me/consents/{kind}", tag = "privacy", request_body = NewOwnChoice,
    params(("kind" = ConsentKind, Path, description = "What it is to")),
    responses((status = 200, description = "The choice as it is now", body = OwnConsent),
              (status = 409, description = "It is asked in another version by now, or not in that language", body = akademi_api::problem::ProblemDocument, content_type = "application/problem+json")))]
pub async fn choose(
    State(privacy): State<Privacy>,
    caller: Caller,
    origin: Origin,
    PathParam(kind): PathParam<ConsentKind>,
    Body(choice): Body<NewOwnChoice>,
) -> Result<Body<OwnConsent>, Problem> {
    let ports = &privacy.edge.ports;
    let database = privacy.edge.tenant(caller.tenant);
    let Known { key, .. } = Known::find(&database, &privacy.vault, &caller).await?;
    if !store::is_asked(&database, &kind).await? {
        return Err(Problem::not_found());
    }
    let new = NewChoice {
        person: caller.user,
        kind: &kind,
        version: choice.version,
        language: choice.language.name(),
        given: choice.given,
        origin: seal_origin(&origin, &key, caller.user, ports.random())?,
        now: ports.now(),
    };
    // It takes the digest from the text itself, in the same step.
    if !store::add_choice(&database, new).await? {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "consent-changed",
            "This is asked in another version by now: read it again.",
        ));
    }
    let rows = store::list_own(&database, caller.user).await?;
    let row = rows.into_iter().find(|row| row.kind == kind).ok_or_else(Problem::not_found)?;
    Ok(Body(row.into()))
}
