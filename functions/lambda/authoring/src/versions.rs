//! The versions of a course that were published: listed, read, put back into the draft.

use akademi_api::{
    Body, Caller, PathParam, QueryParams,
    paging::{Cursor, Page, PageParams},
    problem::ProblemDocument,
    signed::CallContext,
};
use akademi_domain::{
    course::{CourseOutline, Language, Percent, Slug, Title},
    ids::{CourseId, UserId},
    time::Timestamp,
};
use akademi_lambda_store::{
    audit::{Action, Actor, Write},
    postgres::TenantTransaction,
};
use axum::{Extension, extract::State};
use serde::{Deserialize, Serialize};
use serde_json::json;

pub mod store;

use crate::{
    Authoring, AuthoringError,
    assets::videos_that_do_not_play,
    audit,
    check::Checked,
    content::{DraftModule, Lessons, save},
    courses::{CourseDraft, CourseHead, Summary, expect_revision},
    store::{draft_lessons, find_course, lock_course, see_one_moment, update_course},
};

/// So many versions of a course are kept, the newest among them.
pub const KEPT_VERSIONS: i64 = 50;

/// A version without its content.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct CourseVersionHead {
    pub version: i64,
    pub title: Title,
    pub published_at: Timestamp,
    /// Who published it.
    pub published_by: UserId,
}

/// A version as it was published, with all that authors see: bodies and answer keys.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct CourseVersion {
    #[serde(flatten)]
    head: CourseVersionHead,
    slug: Slug,
    summary: Summary,
    language: Option<Language>,
    minimum_score: Option<Percent>,
    modules: Vec<DraftModule>,
}

/// What is kept of a version.
#[derive(Debug)]
pub struct KeptVersion {
    pub head: CourseVersionHead,
    pub summary: Summary,
    pub outline: CourseOutline,
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Restoration {
    /// The revision of the draft that the version takes the place of.
    revision: i64,
}

/// A course's draft, if it is the caller's or they see to everybody's.
async fn own_course(
    tx: &mut TenantTransaction,
    course: CourseId,
    caller: &Caller,
) -> Result<CourseHead, AuthoringError> {
    let found = find_course(tx, course, caller.courses_of()).await?;
    found.map(|(head, _)| head).ok_or(AuthoringError::NotFound)
}

async fn kept_version(
    tx: &mut TenantTransaction,
    course: CourseId,
    version: i64,
) -> Result<(KeptVersion, Lessons), AuthoringError> {
    let kept = store::find_version(tx, course, version).await?.ok_or(AuthoringError::NotFound)?;
    let lessons = store::lessons_of_version(tx, course, version).await?;
    Ok((kept, lessons))
}

/// The versions of a course, newest first
///
/// The newest 50 are kept.
#[utoipa::path(get, path = "/api/v1/authoring/courses/{course_id}/versions", tag = "authoring",
    params(("course_id" = CourseId, Path, description = "The course"), PageParams),
    responses((status = 200, description = "A page of versions without their content", body = Page<CourseVersionHead>)))]
pub async fn list(
    State(authoring): State<Authoring>,
    caller: Caller,
    PathParam(course): PathParam<CourseId>,
    QueryParams(page): QueryParams<PageParams>,
) -> Result<Body<Page<CourseVersionHead>>, AuthoringError> {
    let before = page.cursor.as_deref().map(Cursor::decode).transpose()?;
    let before = before.map_or(i64::MAX, |cursor| cursor.key);
    let mut tx = authoring.postgres.tenant(caller.tenant).await?;
    own_course(&mut tx, course, &caller).await?;
    let found = store::list_versions(&mut tx, course, before, page.limit.and_one()).await?;
    tx.commit().await?;
    Ok(Body(Page::of(found, page.limit, |head| Cursor { key: head.version, id: String::new() })))
}

/// A version as it was published, with bodies and answer keys
#[utoipa::path(get, path = "/api/v1/authoring/courses/{course_id}/versions/{version}", tag = "authoring",
    params(("course_id" = CourseId, Path, description = "The course"), ("version" = i64, Path, description = "The version")),
    responses((status = 200, description = "The version", body = CourseVersion)))]
pub async fn show(
    State(authoring): State<Authoring>,
    caller: Caller,
    PathParam((course, version)): PathParam<(CourseId, i64)>,
) -> Result<Body<CourseVersion>, AuthoringError> {
    let mut tx = authoring.postgres.tenant(caller.tenant).await?;
    see_one_moment(&mut tx).await?;
    own_course(&mut tx, course, &caller).await?;
    let (KeptVersion { head, summary, outline }, lessons) = kept_version(&mut tx, course, version).await?;
    tx.commit().await?;
    Ok(Body(CourseVersion {
        head,
        slug: outline.slug,
        summary,
        language: outline.language,
        minimum_score: outline.minimum_score,
        modules: DraftModule::joined(outline.modules, lessons),
    }))
}

/// Put a version back into the draft
///
/// The draft gets its title, summary, language, least score and content; its slug stays. Lessons are the same ones as in that
/// version, so that what learners did in them counts. Learners see it once it is published, as a new version.
#[utoipa::path(post, path = "/api/v1/authoring/courses/{course_id}/versions/{version}/restore", tag = "authoring",
    params(("course_id" = CourseId, Path, description = "The course"), ("version" = i64, Path, description = "The version")),
    request_body = Restoration,
    responses((status = 200, description = "The draft as it is now", body = CourseDraft),
              (status = 409, description = "The draft has moved on", body = ProblemDocument, content_type = "application/problem+json")))]
pub async fn restore(
    State(authoring): State<Authoring>,
    caller: Caller,
    Extension(call): Extension<CallContext>,
    PathParam((course, version)): PathParam<(CourseId, i64)>,
    Body(Restoration { revision }): Body<Restoration>,
) -> Result<Body<CourseDraft>, AuthoringError> {
    let mut tx = authoring.postgres.tenant(caller.tenant).await?;
    let found = lock_course(&mut tx, course, caller.courses_of()).await?;
    let (mut head, structure) = found.ok_or(AuthoringError::NotFound)?;
    expect_revision(&head, revision)?;
    let (KeptVersion { head: _, summary, outline }, lessons) = kept_version(&mut tx, course, version).await?;
    let before = json!({ "head": audit::head(&head), "content": audit::content(head.revision, &structure) });
    let stored = draft_lessons(&mut tx, course).await?;
    let checked = Checked { structure: outline.modules, lessons };
    head.revision = save(&mut tx, course, &checked, &stored, &authoring.ports).await?;
    head.title = outline.title;
    head.summary = summary;
    head.language = outline.language;
    head.minimum_score = outline.minimum_score;
    head.updated_at = authoring.ports.now();
    head.revision = update_course(&mut tx, &head).await?;
    let after = json!({
        "version": version, "head": audit::head(&head), "content": audit::content(head.revision, &checked.structure),
    });
    let restored = Write { action: Action::CourseRestored, target: audit::target(course), before, after };
    authoring.auditor.record(&mut tx, Actor::new(&caller, &call), restored).await?;
    let videos = videos_that_do_not_play(&mut tx, course).await?;
    tx.commit().await?;
    Ok(Body(CourseDraft { head, modules: DraftModule::joined(checked.structure, checked.lessons), videos }))
}
