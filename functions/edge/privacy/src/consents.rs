//! What an academy asks consent to, in versions that never change.

use akademi_api::{Academy, Body, Caller, PathParam, Problem, conditional::public_json};
use akademi_domain::{
    academy::PageLanguage,
    consent::{ConsentKind, ConsentText},
    time::Timestamp,
};
use akademi_edge_store::StoreError;
use akademi_identity::{Origin, audit::by_staff};
use axum::{extract::State, response::Response};
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::{
    Privacy,
    store::{self, NewText},
};

/// How many kinds an academy has at most.
const MAX_KINDS: usize = 20;

/// A text in one language.
#[derive(Serialize, utoipa::ToSchema)]
pub struct ShownText {
    language: PageLanguage,
    text: String,
    /// SHA-256 in hexadecimal: what a proof names.
    digest: String,
}

/// What consent is asked to, in its newest version.
#[derive(Serialize, utoipa::ToSchema)]
pub struct ConsentAsked {
    kind: ConsentKind,
    version: i64,
    /// Whether nobody may do without.
    required: bool,
    since: Timestamp,
    texts: Vec<ShownText>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct ConsentsAsked {
    data: Vec<ConsentAsked>,
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GivenText {
    language: PageLanguage,
    /// Plain text, at most 20 KB.
    text: ConsentText,
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewConsent {
    required: bool,
    /// One for each language.
    #[schema(min_items = 1, max_items = 2)]
    texts: Vec<GivenText>,
}

/// What the academy asks consent to
#[utoipa::path(get, path = "/api/v1/consents", tag = "privacy",
    responses((status = 200, description = "The newest version of each", body = ConsentsAsked), (status = 304, description = "Unchanged")))]
pub async fn list(
    State(privacy): State<Privacy>,
    academy: Academy,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let data = newest(&privacy, academy.id).await?;
    let body = serde_json::to_string(&ConsentsAsked { data }).map_err(Problem::broken)?;
    public_json(&headers, &format!("c{}", academy.generation), body)
}

/// Ask consent to something
///
/// Makes a new version: whoever gave consent to the one before is asked again. The same once more changes nothing.
#[utoipa::path(put, path = "/api/v1/academy/consents/{kind}", tag = "privacy", request_body = NewConsent,
    params(("kind" = ConsentKind, Path, description = "What it is to")),
    responses((status = 200, description = "What is asked from now on", body = ConsentAsked),
              (status = 409, description = "Changed by another request at the same time", body = akademi_api::problem::ProblemDocument, content_type = "application/problem+json")))]
pub async fn ask(
    State(privacy): State<Privacy>,
    caller: Caller,
    origin: Origin,
    PathParam(kind): PathParam<ConsentKind>,
    Body(new): Body<NewConsent>,
) -> Result<Body<ConsentAsked>, Problem> {
    let is_twice = |(index, text): (usize, &GivenText)| {
        new.texts.iter().take(index).any(|other| other.language == text.language)
    };
    if new.texts.is_empty() || new.texts.iter().enumerate().any(is_twice) {
        return Err(Problem::field("texts", "holds one text for each language, and at least one"));
    }
    let asked = newest(&privacy, caller.tenant).await?;
    let count = asked.len();
    let before = asked.into_iter().find(|asked| asked.kind == kind);
    if before.is_none() && count >= MAX_KINDS {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "too-many-consents",
            "An academy asks consent to 20 things at most.",
        ));
    }
    if let Some(before) = before.as_ref().filter(|before| says_the_same(before, &new)) {
        return find(&privacy, &caller, &before.kind).await;
    }
    let now = privacy.edge.ports.now();
    let version = before.as_ref().map_or(1, |before| before.version + 1);
    let mut batch: Vec<_> = new
        .texts
        .iter()
        .map(|GivenText { language, text }| {
            store::insert_text(NewText {
                kind: &kind,
                version,
                language: language.name(),
                text: text.as_str(),
                digest: digest(text.as_str()),
                required: new.required,
                by: caller.user,
                now,
            })
        })
        .collect();
    batch.push(store::bump_generation());
    let told = |version, required: bool| json!({ "version": version, "required": required });
    let change = json!({
        "before": before.map(|before| told(before.version, before.required)),
        "after": told(version, new.required),
    });
    let target = format!("consent:{kind}");
    let by = (&caller, &origin);
    batch.extend(by_staff(&privacy.edge, &privacy.vault, by, "consent.asked", target, change).await?);
    privacy.edge.tenant(caller.tenant).batch(batch).await.map_err(|error| match error {
        // Another request has made that version.
        error if error.is_duplicate_of("consent_text") => Problem::conflict(),
        error => StoreError::into(error),
    })?;
    find(&privacy, &caller, &kind).await
}

async fn find(privacy: &Privacy, caller: &Caller, kind: &ConsentKind) -> Result<Body<ConsentAsked>, Problem> {
    let asked = newest(privacy, caller.tenant).await?;
    asked.into_iter().find(|asked| asked.kind == *kind).map(Body).ok_or_else(Problem::not_found)
}

async fn newest(
    privacy: &Privacy,
    tenant: akademi_domain::ids::TenantId,
) -> Result<Vec<ConsentAsked>, Problem> {
    let mut all: Vec<ConsentAsked> = Vec::new();
    for row in store::list_newest_texts(&privacy.edge.tenant(tenant)).await? {
        let shown = ShownText { language: row.language, text: row.text, digest: hex::encode(row.digest) };
        match all.last_mut().filter(|last| last.kind == row.kind) {
            Some(last) => last.texts.push(shown),
            None => all.push(ConsentAsked {
                kind: row.kind,
                version: row.version,
                required: row.required,
                since: row.since,
                texts: vec![shown],
            }),
        }
    }
    Ok(all)
}

fn says_the_same(before: &ConsentAsked, new: &NewConsent) -> bool {
    let is_there = |given: &GivenText| {
        before.texts.iter().any(|shown| shown.language == given.language && shown.text == given.text.as_str())
    };
    before.required == new.required && before.texts.len() == new.texts.len() && new.texts.iter().all(is_there)
}

fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text).into()
}
