//! A provider passes on that somebody wants what is kept of them deleted (Facebook's "Data Deletion Request Callback").
//!
//! What is kept of a person's identity is that it is linked, and a browser that waits for its owner's word. The account is the
//! academy's matter: its owner erases it there.

use akademi_api::{
    Academy, Body, PathParam, Problem,
    body::read_bytes,
    caller::{AcademyHost, RequestId},
    federation::DeletionWanted,
    problem::ProblemDocument,
    public_url::{public_url, with_local_port},
};
use akademi_domain::{ids::TenantId, mail::MailKind};
use akademi_edge_store::{StoreError, TenantStatement};
use akademi_identity::{Audit, Letter, Origin, Profile, audit};
use akademi_seal::hmac;
use axum::extract::{Request, State};
use http::StatusCode;
use serde::Serialize;
use serde_json::json;

use crate::{
    Federation,
    store::{self, Owner},
};

/// No provider's request comes near this many bytes.
const BODY_LIMIT: usize = 16 * 1024;

/// What Facebook wants to hear.
#[derive(Serialize, utoipa::ToSchema)]
pub struct DeletionConfirmed {
    /// A page that says what became of it.
    url: String,
    confirmation_code: String,
}

/// Delete what is kept of an identity
///
/// For Facebook: a form with the `signed_request` of somebody who wants it. The identity is unlinked and signs in no more; the
/// account stays. Repeating it changes nothing.
#[utoipa::path(post, path = "/api/v1/auth/providers/{provider}/data-deletion", tag = "auth",
    params(("provider" = String, Path, description = "The provider", max_length = 32)),
    request_body(content = String, content_type = "application/x-www-form-urlencoded", description = "`signed_request`, as Facebook documents it"),
    responses((status = 200, description = "Nothing is kept of it any more", body = DeletionConfirmed),
              (status = 400, description = "It is not the provider's, or cannot be read", body = ProblemDocument, content_type = "application/problem+json")))]
pub async fn delete(
    State(federation): State<Federation>,
    (academy, host): (Academy, AcademyHost),
    request_id: RequestId,
    origin: Origin,
    PathParam(provider): PathParam<String>,
    request: Request,
) -> Result<Body<DeletionConfirmed>, Problem> {
    let database = federation.edge.tenant(academy.id);
    if !store::has_provider(&database, &provider).await? {
        return Err(Problem::not_found());
    }
    let (parts, body) = request.into_parts();
    let body = read_bytes(&parts.headers, body, BODY_LIMIT).await?;
    let signed = form_urlencoded::parse(&body).find(|(name, _)| name == "signed_request");
    let (_, signed_request) = signed.ok_or_else(callback_refused)?;
    let wanted = DeletionWanted { provider: provider.clone(), signed_request: signed_request.into_owned() };
    let deletion = federation.deletion(&academy, &request_id, &wanted).await?;

    let now = federation.edge.ports.now();
    let lookup = federation.subject_lookup(academy.id, &deletion.issuer, &deletion.subject);
    let code = federation.deletion_code(academy.id, &lookup);
    let confirmed = || [store::delete_waiting(&lookup), store::confirm_deletion(&code, &provider, now)];
    let mut is_linked = false;
    // What was linked after the owner's word is linked by a later one: an old request unlinks nothing.
    if let Some(owner) = store::find_owner(&database, &lookup, deletion.wanted_at).await? {
        let mut batch = federation.unlinks(&academy, &host, &origin, &provider, &owner)?;
        batch.extend(confirmed());
        is_linked = match database.batch_if(store::is_linked(owner.identity), batch).await {
            Ok(_) => true,
            // Another request has unlinked it.
            Err(StoreError::Guard) => false,
            Err(error) => return Err(error.into()),
        };
    }
    if !is_linked {
        database.batch(confirmed().into()).await?;
    }
    let host = with_local_port(host.0, &parts.headers, &parts.uri);
    let url = public_url(&host, &format!("/data-deletion/{code}")).map_err(Problem::broken)?;
    Ok(Body(DeletionConfirmed { url: url.to_string(), confirmation_code: code }))
}

impl Federation {
    /// By what an owner finds the confirmation: one for each identity, told by nobody who knows the identity alone.
    fn deletion_code(&self, tenant: TenantId, subject_lookup: &[u8; 32]) -> String {
        let key = self.vault.derive(&format!("akademi/provider-deletion/1/{tenant}"));
        hex::encode(hmac(&key, subject_lookup))
    }

    /// The statements that unlink it, and tell its owner and the audit log.
    fn unlinks(
        &self,
        academy: &Academy,
        host: &AcademyHost,
        origin: &Origin,
        provider: &str,
        owner: &Owner,
    ) -> Result<Vec<TenantStatement>, Problem> {
        let (ports, now) = (&self.edge.ports, self.edge.ports.now());
        let key =
            self.vault.unwrap_key(academy.id, owner.person, &owner.wrapped_key).map_err(Problem::broken)?;
        let letter = Letter {
            kind: MailKind::IdentityUnlinked,
            person: owner.person,
            key: &key,
            recipient: &Profile::open(&key, owner.person, &owner.profile)?,
            link: None,
        };
        let entry = Audit {
            action: "identity.unlinked",
            actor: None,
            target: audit::person(owner.person),
            origin,
            sealed_for: Some((owner.person, &key)),
            change: Some(json!({ "before": { "provider": provider } })),
        };
        let mut batch = vec![store::delete_identity(owner.person, owner.identity)];
        batch.extend(letter.wanted(ports, academy, host, now)?);
        batch.extend(entry.append(ports, now)?);
        Ok(batch)
    }
}

/// What the provider is answered that did not sign.
pub fn callback_refused() -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "callback-refused", "This is no request of the provider.")
}
