//! All academies, for the platform's administrators.

use akademi_api::{
    Academy, Body, Caller, PathParam, Problem, QueryParams,
    caller::{AcademyHost, AcademyProfile},
    paging::{Cursor, Page, PageParams},
};
use akademi_domain::{
    academy::{Features, GRACE_DAYS, HostName, PageLanguage},
    colour::Colour,
    course::Slug,
    identity::{EmailAddress, PersonName},
    ids::TenantId,
    permission::Role,
    text,
    time::Timestamp,
};
use akademi_edge_store::{
    Platform, Statement, StoreError,
    operations::{NewAcademy, create_academy},
};
use akademi_identity::{Invitation, Origin, Profile};
use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;

use crate::{
    Academies,
    store::{self, AcademyRow},
};

/// The slug of the academy whose people administer all others.
const PLATFORM: &str = "platform";
const MAX_NAME: usize = 120;

/// Whether an academy answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AcademyState {
    Active,
    Suspended,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct AcademyEntry {
    id: TenantId,
    slug: String,
    name: String,
    /// BCP 47
    locale: String,
    state: AcademyState,
    /// When it is deleted for good, if it is.
    delete_at: Option<Timestamp>,
    people: i64,
    people_limit: Option<i64>,
    /// Bytes
    storage_limit: Option<i64>,
    created_at: Timestamp,
}

impl From<AcademyRow> for AcademyEntry {
    fn from(row: AcademyRow) -> Self {
        Self {
            id: row.id,
            slug: row.slug,
            name: row.name,
            locale: row.locale,
            state: if row.is_active { AcademyState::Active } else { AcademyState::Suspended },
            delete_at: row.delete_at,
            people: row.people,
            people_limit: row.people_limit,
            storage_limit: row.storage_limit,
            created_at: row.created_at,
        }
    }
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAcademyRequest {
    slug: Slug,
    #[schema(min_length = 1, max_length = 120)]
    name: String,
    locale: PageLanguage,
    /// `#rrggbb`
    brand_colour: String,
    /// Where it answers from the start: a sub-domain of the platform's.
    host: HostName,
    /// Who gets its first invitation, as administrator.
    administrator: Administrator,
    #[serde(default)]
    people_limit: Option<u32>,
    /// Bytes, at most 2^53 − 1
    #[serde(default)]
    storage_limit: Option<u64>,
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Administrator {
    name: PersonName,
    email: EmailAddress,
}

/// Both from now on; null is without a limit.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    people_limit: Option<u32>,
    /// Bytes, at most 2^53 − 1
    storage_limit: Option<u64>,
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcademyStateChange {
    state: AcademyState,
}

/// A limit in bytes as every store can keep it.
fn bytes(limit: Option<u64>) -> Result<Option<i64>, Problem> {
    let fits =
        |bytes: u64| i64::try_from(bytes).ok().filter(|bytes| *bytes <= akademi_edge_store::MAX_INTEGER);
    match limit {
        None => Ok(None),
        Some(bytes) => {
            fits(bytes).map(Some).ok_or_else(|| Problem::field("storage_limit", "is more than 2^53 − 1"))
        }
    }
}

/// On other hosts these routes are not there, whatever a token says.
fn on_platform(academy: &Academy) -> Result<(), Problem> {
    if academy.profile.slug == PLATFORM { Ok(()) } else { Err(Problem::not_found()) }
}

/// All academies, the newest first
#[utoipa::path(get, path = "/api/v1/platform/academies", tag = "platform", params(PageParams),
    responses((status = 200, description = "A page of academies", body = Page<AcademyEntry>)))]
pub async fn list(
    State(academies): State<Academies>,
    academy: Academy,
    QueryParams(page): QueryParams<PageParams>,
) -> Result<Body<Page<AcademyEntry>>, Problem> {
    on_platform(&academy)?;
    let after = page.cursor.as_deref().map(Cursor::decode).transpose()?;
    let found =
        store::list_academies(&academies.edge, after.map(|after| after.id), page.limit.and_one()).await?;
    let position = |row: &AcademyRow| Cursor { key: row.created_at.as_millis(), id: row.id.to_string() };
    Ok(Body(Page::of(found, page.limit, position).map(AcademyEntry::from)))
}

/// One academy
#[utoipa::path(get, path = "/api/v1/platform/academies/{academy_id}", tag = "platform",
    params(("academy_id" = TenantId, Path, description = "The academy")),
    responses((status = 200, description = "The academy", body = AcademyEntry)))]
pub async fn show(
    State(academies): State<Academies>,
    academy: Academy,
    PathParam(id): PathParam<TenantId>,
) -> Result<Body<AcademyEntry>, Problem> {
    on_platform(&academy)?;
    Ok(Body(find(&academies, id).await?.into()))
}

/// Make an academy
///
/// Its administrator is invited by mail and chooses a password.
#[utoipa::path(post, path = "/api/v1/platform/academies", tag = "platform", request_body = NewAcademyRequest,
    responses((status = 201, description = "The academy", body = AcademyEntry),
              (status = 409, description = "The slug or the host is another's", body = akademi_api::problem::ProblemDocument, content_type = "application/problem+json")))]
pub async fn create(
    State(academies): State<Academies>,
    academy: Academy,
    caller: Caller,
    origin: Origin,
    Body(request): Body<NewAcademyRequest>,
) -> Result<(StatusCode, Body<AcademyEntry>), Problem> {
    on_platform(&academy)?;
    let name = text::line(&request.name, MAX_NAME).map_err(|error| Problem::field("name", error))?;
    let colour: Colour =
        request.brand_colour.parse().map_err(|error| Problem::field("brand_colour", error))?;
    let storage_limit = bytes(request.storage_limit)?;
    let ports = &academies.edge.ports;
    let now = ports.now();
    let id = TenantId::new(now, ports.random());
    let brand_colour = colour.to_string();
    let new = NewAcademy {
        id,
        slug: request.slug.as_str(),
        name: &name,
        locale: request.locale.name(),
        brand_colour: &brand_colour,
        hosts: &[request.host.as_str()],
    };
    let mut batch = create_academy(&new, now);
    let limits = AcademyRow {
        people_limit: request.people_limit.map(i64::from),
        storage_limit,
        ..AcademyRow::new(&new, now)
    };
    let profile = Profile { name: request.administrator.name, email: request.administrator.email };
    let invitation = Invitation {
        academy: &made(&new),
        host: &AcademyHost(request.host.to_string()),
        profile,
        roles: Role::TenantAdmin.name(),
    };
    let (_, invited) = invitation.send(&academies.vault, ports, now)?;
    batch.extend(store::of_academy(id, [store::update_limits(&limits)]));
    batch.extend(store::of_academy(id, invited));
    batch.extend(store::of_academy(id, store::tell_academy(now)));
    let change = json!({ "after": { "slug": request.slug, "host": request.host, "people_limit": limits.people_limit, "storage_limit": storage_limit } });
    let audited =
        academies.audited(&caller, &origin, "academy.created", format!("academy:{id}"), change).await?;
    batch.extend(store::of_academy(caller.tenant, audited));
    match Platform::new(academies.edge.database.as_ref()).batch(batch).await {
        Ok(_) => Ok((StatusCode::CREATED, Body(limits.into()))),
        Err(error) if error.is_duplicate_of("tenant") => {
            Err(Problem::new(StatusCode::CONFLICT, "slug-taken", "There is an academy of this slug."))
        }
        Err(error) if error.is_duplicate_of("domain") => {
            Err(Problem::new(StatusCode::CONFLICT, "host-taken", "An academy answers on this host already."))
        }
        Err(error) => Err(error.into()),
    }
}

/// Allow an academy more, or less
///
/// Fewer people than there are cannot be allowed.
#[utoipa::path(patch, path = "/api/v1/platform/academies/{academy_id}", tag = "platform", request_body = Limits,
    params(("academy_id" = TenantId, Path, description = "The academy")),
    responses((status = 200, description = "The academy as it is now", body = AcademyEntry),
              (status = 409, description = "There are more people already, or somebody else changed it meanwhile", body = akademi_api::problem::ProblemDocument, content_type = "application/problem+json")))]
pub async fn limit(
    State(academies): State<Academies>,
    academy: Academy,
    caller: Caller,
    origin: Origin,
    PathParam(id): PathParam<TenantId>,
    Body(limits): Body<Limits>,
) -> Result<Body<AcademyEntry>, Problem> {
    on_platform(&academy)?;
    let before = find(&academies, id).await?;
    let after = AcademyRow {
        people_limit: limits.people_limit.map(i64::from),
        storage_limit: bytes(limits.storage_limit)?,
        ..before.clone()
    };
    if after.people_limit.is_some_and(|limit| limit < after.people) {
        let detail = format!("There are {} people in this academy already.", after.people);
        return Err(Problem::people_limit().with_detail(detail));
    }
    let act = Act { caller: &caller, origin: &origin, action: "academy.limited" };
    act.on(&academies, before, after, store::update_limits).await
}

/// Suspend an academy, or let it answer again
///
/// A suspended academy's hosts are nobody's: all its pages are gone within a second, and nobody is signed in there. Nothing
/// is lost.
#[utoipa::path(put, path = "/api/v1/platform/academies/{academy_id}/state", tag = "platform", request_body = AcademyStateChange,
    params(("academy_id" = TenantId, Path, description = "The academy")),
    responses((status = 200, description = "The academy as it is now", body = AcademyEntry),
              (status = 409, description = "It is about to be deleted, or somebody else changed it meanwhile", body = akademi_api::problem::ProblemDocument, content_type = "application/problem+json")))]
pub async fn set_state(
    State(academies): State<Academies>,
    academy: Academy,
    caller: Caller,
    origin: Origin,
    PathParam(id): PathParam<TenantId>,
    Body(change): Body<AcademyStateChange>,
) -> Result<Body<AcademyEntry>, Problem> {
    on_platform(&academy)?;
    let before = find(&academies, id).await?;
    if before.delete_at.is_some() {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "academy-leaving",
            "It is about to be deleted: take that back first.",
        ));
    }
    let after = AcademyRow { is_active: change.state == AcademyState::Active, ..before.clone() };
    let action = if after.is_active { "academy.resumed" } else { "academy.suspended" };
    let act = Act { caller: &caller, origin: &origin, action };
    act.on(&academies, before, after, |row| store::set_academy_state(row.is_active, None)).await
}

/// Delete an academy
///
/// It answers no more, at once. For 30 days it can be had back as it was; then it is deleted for good.
#[utoipa::path(put, path = "/api/v1/platform/academies/{academy_id}/deletion", tag = "platform",
    params(("academy_id" = TenantId, Path, description = "The academy")),
    responses((status = 200, description = "The academy, with the moment of its end", body = AcademyEntry)))]
pub async fn delete(
    State(academies): State<Academies>,
    academy: Academy,
    caller: Caller,
    origin: Origin,
    PathParam(id): PathParam<TenantId>,
) -> Result<Body<AcademyEntry>, Problem> {
    on_platform(&academy)?;
    let before = find(&academies, id).await?;
    if before.delete_at.is_some() {
        return Ok(Body(before.into()));
    }
    let delete_at = Some(academies.edge.ports.now().plus_seconds(GRACE_DAYS * 24 * 3600));
    let after = AcademyRow { is_active: false, delete_at, ..before.clone() };
    let act = Act { caller: &caller, origin: &origin, action: "academy.deleted" };
    act.on(&academies, before, after, |row| store::set_academy_state(false, row.delete_at)).await
}

/// Have a deleted academy back
#[utoipa::path(delete, path = "/api/v1/platform/academies/{academy_id}/deletion", tag = "platform",
    params(("academy_id" = TenantId, Path, description = "The academy")),
    responses((status = 200, description = "The academy answers again", body = AcademyEntry)))]
pub async fn restore(
    State(academies): State<Academies>,
    academy: Academy,
    caller: Caller,
    origin: Origin,
    PathParam(id): PathParam<TenantId>,
) -> Result<Body<AcademyEntry>, Problem> {
    on_platform(&academy)?;
    let before = find(&academies, id).await?;
    // Past that moment part of it may be gone.
    if before.delete_at.is_none_or(|end| end <= academies.edge.ports.now()) {
        return Err(Problem::not_found());
    }
    let after = AcademyRow { is_active: true, delete_at: None, ..before.clone() };
    let act = Act { caller: &caller, origin: &origin, action: "academy.restored" };
    act.on(&academies, before, after, |_| store::set_academy_state(true, None)).await
}

/// What an administrator does to an academy.
struct Act<'a> {
    caller: &'a Caller,
    origin: &'a Origin,
    action: &'static str,
}

impl Act<'_> {
    /// Turns `before` into `after` by one statement, unless somebody else was quicker.
    async fn on(
        self,
        academies: &Academies,
        before: AcademyRow,
        after: AcademyRow,
        statement: impl Fn(&AcademyRow) -> akademi_edge_store::TenantStatement,
    ) -> Result<Body<AcademyEntry>, Problem> {
        if before == after {
            return Ok(Body(after.into()));
        }
        let id = before.id;
        let (was, is) = before.differences(&after);
        let target = format!("academy:{id}");
        let change = json!({ "before": was, "after": is });
        let audited = academies.audited(self.caller, self.origin, self.action, target, change).await?;
        let mut batch: Vec<Statement> =
            store::of_academy(id, [store::academy_has_version(before.version), statement(&after)]);
        batch.extend(store::of_academy(id, store::tell_academy(academies.edge.ports.now())));
        batch.extend(store::of_academy(self.caller.tenant, audited));
        batch.push(Platform::clear_guard());
        match Platform::new(academies.edge.database.as_ref()).batch(batch).await {
            Ok(_) => Ok(Body(after.into())),
            Err(StoreError::Guard) => Err(Problem::conflict()),
            Err(error) => Err(error.into()),
        }
    }
}

/// An academy other than the platform itself.
async fn find(academies: &Academies, id: TenantId) -> Result<AcademyRow, Problem> {
    let row = store::find_academy(&academies.edge.tenant(id)).await?;
    row.filter(|row| row.slug != PLATFORM).ok_or_else(Problem::not_found)
}

/// A new academy as its first letter names it.
fn made(new: &NewAcademy<'_>) -> Academy {
    Academy {
        id: new.id,
        generation: 1,
        profile: Arc::new(AcademyProfile {
            slug: new.slug.to_owned(),
            name: new.name.to_owned(),
            locale: new.locale.to_owned(),
            brand_colour: new.brand_colour.to_owned(),
            origins: Vec::new(),
            features_off: Features::default(),
            watch_rate_percent: 200,
        }),
    }
}
