//! The hosts that an academy answers on. Its own domain is added once a TXT record there shows that it is the academy's.

use akademi_api::{Academy, Body, Caller, PathParam, Problem, caller::AcademyHost};
use akademi_domain::{academy::HostName, time::Timestamp};
use akademi_edge_store::StoreError;
use akademi_identity::Origin;
use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{Academies, dns, store, target};

/// The name, below the host, whose TXT record is asked.
const LABEL: &str = "_akademi";
/// How many hosts an academy has at most, claims among them.
const MAX_HOSTS: usize = 20;

#[derive(Serialize, utoipa::ToSchema)]
pub struct Domains {
    data: Vec<Domain>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct Domain {
    host: String,
    /// Whether the academy answers there.
    verified: bool,
    /// What to publish first.
    challenge: Option<Challenge>,
}

/// The TXT record that shows whose the host is.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Challenge {
    #[schema(example = "_akademi.egitim.example")]
    name: String,
    #[schema(example = "akademi=9f86d081884c7d659a2feaa0c55ad015")]
    value: String,
    created_at: Timestamp,
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    host: HostName,
}

impl Domain {
    fn claimed(claim: store::Claim) -> Self {
        let challenge = Challenge {
            name: format!("{LABEL}.{}", claim.host),
            value: claim.challenge,
            created_at: claim.created_at,
        };
        Self { host: claim.host, verified: false, challenge: Some(challenge) }
    }
}

/// The academy's hosts
#[utoipa::path(get, path = "/api/v1/academy/domains", tag = "academy",
    responses((status = 200, description = "Those it answers on, then those that it has yet to prove", body = Domains)))]
pub async fn list(State(academies): State<Academies>, caller: Caller) -> Result<Body<Domains>, Problem> {
    let database = academies.edge.tenant(caller.tenant);
    let hosts = store::list_domains(&database).await?;
    let claims = store::list_claims(&database).await?;
    let hosts = hosts.into_iter().map(|host| Domain { host, verified: true, challenge: None });
    Ok(Body(Domains { data: hosts.chain(claims.into_iter().map(Domain::claimed)).collect() }))
}

/// Say that a host is the academy's
///
/// The answer holds the TXT record to publish; then ask for its verification. Saying it again answers the same record.
#[utoipa::path(post, path = "/api/v1/academy/domains", tag = "academy", request_body = Claim,
    responses((status = 201, description = "What to publish", body = Domain),
              (status = 409, description = "An academy answers there already, or there are 20 hosts", body = akademi_api::problem::ProblemDocument, content_type = "application/problem+json")))]
pub async fn claim(
    State(academies): State<Academies>,
    academy: Academy,
    caller: Caller,
    origin: Origin,
    Body(Claim { host }): Body<Claim>,
) -> Result<(StatusCode, Body<Domain>), Problem> {
    let database = academies.edge.tenant(caller.tenant);
    if store::is_taken(&academies.edge, &host).await? {
        return Err(taken());
    }
    let claims = store::list_claims(&database).await?;
    if let Some(claim) = claims.iter().position(|claim| claim.host == host.as_str()) {
        let claim = claims.into_iter().nth(claim).ok_or_else(Problem::conflict)?;
        return Ok((StatusCode::CREATED, Body(Domain::claimed(claim))));
    }
    if claims.len() + store::list_domains(&database).await?.len() >= MAX_HOSTS {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "too-many-hosts",
            "There are 20 hosts: remove one first.",
        ));
    }
    let ports = &academies.edge.ports;
    let challenge = format!("akademi={}", hex::encode(ports.random::<16>()));
    let claim = store::Claim { host: host.to_string(), challenge, created_at: ports.now() };
    let change = json!({ "after": { "host": host } });
    let mut batch = vec![store::insert_claim(&claim)];
    batch.extend(academies.audited(&caller, &origin, "domain.claimed", target(&academy), change).await?);
    match database.batch(batch).await {
        Ok(_) => Ok((StatusCode::CREATED, Body(Domain::claimed(claim)))),
        Err(error) if error.is_duplicate_of("domain_claim") => Err(Problem::conflict()),
        Err(error) => Err(error.into()),
    }
}

/// Look whether a host shows that it is the academy's
///
/// If it does, the academy answers there from then on.
#[utoipa::path(post, path = "/api/v1/academy/domains/{host}/verification", tag = "academy",
    params(("host" = HostName, Path, description = "The host")),
    responses((status = 200, description = "The academy answers there", body = Domain),
              (status = 409, description = "The record is not there yet, or another academy has proved that the host is its own", body = akademi_api::problem::ProblemDocument, content_type = "application/problem+json")))]
pub async fn verify(
    State(academies): State<Academies>,
    academy: Academy,
    caller: Caller,
    origin: Origin,
    PathParam(host): PathParam<HostName>,
) -> Result<Body<Domain>, Problem> {
    let database = academies.edge.tenant(caller.tenant);
    let verified = || Body(Domain { host: host.to_string(), verified: true, challenge: None });
    let claims = store::list_claims(&database).await?;
    let Some(claim) = claims.into_iter().find(|claim| claim.host == host.as_str()) else {
        let is_ours = store::list_domains(&database).await?.iter().any(|ours| ours == host.as_str());
        return if is_ours { Ok(verified()) } else { Err(Problem::not_found()) };
    };
    let texts = dns::texts(academies.http.as_ref(), &academies.dns, LABEL, &host).await?;
    if !texts.contains(&claim.challenge) {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "domain-not-proved",
            "The TXT record is not there yet: name servers may take a while to show it.",
        ));
    }
    let now = academies.edge.ports.now();
    let change = json!({ "after": { "host": host } });
    let mut batch = vec![store::insert_domain(&host), store::delete_claim(&host), store::move_generation()];
    batch.extend(academies.audited(&caller, &origin, "domain.added", target(&academy), change).await?);
    batch.extend(store::tell_academy(now));
    match database.batch(batch).await {
        Ok(_) => Ok(verified()),
        Err(error) if error.is_duplicate_of("domain") => Err(taken()),
        Err(error) => Err(error.into()),
    }
}

/// Give a host up
///
/// The academy answers there no more. The last host stays, and the one that is asked on.
#[utoipa::path(delete, path = "/api/v1/academy/domains/{host}", tag = "academy",
    params(("host" = HostName, Path, description = "The host")),
    responses((status = 204, description = "It is gone"),
              (status = 409, description = "It is the host that is asked on", body = akademi_api::problem::ProblemDocument, content_type = "application/problem+json")))]
pub async fn remove(
    State(academies): State<Academies>,
    academy: Academy,
    AcademyHost(asked): AcademyHost,
    caller: Caller,
    origin: Origin,
    PathParam(host): PathParam<HostName>,
) -> Result<StatusCode, Problem> {
    if asked == host.as_str() {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "host-in-use",
            "You are asking on this host: give it up from another one.",
        ));
    }
    let database = academies.edge.tenant(caller.tenant);
    let now = academies.edge.ports.now();
    let change = json!({ "before": { "host": host } });
    let mut batch = vec![store::delete_domain(&host), store::delete_claim(&host), store::move_generation()];
    batch.extend(academies.audited(&caller, &origin, "domain.removed", target(&academy), change).await?);
    batch.extend(store::tell_academy(now));
    match database.batch_if(store::has_host(&host), batch).await {
        Ok(_) => Ok(StatusCode::NO_CONTENT),
        Err(StoreError::Guard) => Err(Problem::not_found()),
        Err(error) => Err(error.into()),
    }
}

fn taken() -> Problem {
    Problem::new(StatusCode::CONFLICT, "host-taken", "An academy answers on this host already.")
}
