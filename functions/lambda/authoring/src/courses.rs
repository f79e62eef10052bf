//! Drafts of courses: made, listed, read, renamed.

use akademi_api::{
    Body, Caller, PathParam, Ports, Problem, QueryParams,
    paging::{Cursor, Page, PageParams},
    problem::ProblemDocument,
    signed::CallContext,
};
use akademi_domain::{
    course::{Language, Percent, Slug, Title},
    ids::{CourseId, UserId},
    text::{InvalidText, line},
    time::Timestamp,
};
use akademi_lambda_store::{
    audit::{Action, Actor, Write},
    postgres::TenantTransaction,
};
use axum::{
    Extension,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{
    Authoring, AuthoringError,
    assets::{transcoding::DraftVideo, videos_that_do_not_play},
    audit,
    content::DraftModule,
    store,
};

/// How many numbered slugs are tried before a random one.
const NUMBERED_SLUGS: usize = 100;
/// A race for a slug has a winner each time, so this many lost ones are more than authors can make.
const SLUG_ATTEMPTS: usize = 32;

/// What a course is about, in a sentence or two: one line in NFC of at most [`Summary::MAX`] characters; may be
/// empty.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, max_length = 1000)]
pub struct Summary(String);

impl Summary {
    /// The longest summary, in characters (Unicode scalar values of the NFC form).
    pub const MAX: usize = 1_000;

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Summary {
    type Error = InvalidText;

    fn try_from(text: String) -> Result<Self, InvalidText> {
        match line(&text, Self::MAX) {
            Ok(text) => Ok(Self(text)),
            Err(InvalidText::Empty) => Ok(Self::default()),
            Err(error) => Err(error),
        }
    }
}

impl From<Summary> for String {
    fn from(summary: Summary) -> String {
        summary.0
    }
}

#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCourse {
    pub title: Title,
    #[serde(default)]
    pub summary: Summary,
    pub language: Option<Language>,
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CourseChange {
    /// The revision that the change was made from.
    revision: i64,
    title: Option<Title>,
    /// Slugs that the course had before stay its own, so that old links lead nowhere else.
    slug: Option<Slug>,
    summary: Option<Summary>,
    /// `null` takes the language away.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Language>)]
    language: Option<Option<Language>>,
    /// The least mean share of the required quizzes' points that completes the course; `null` takes it away.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Percent>)]
    minimum_score: Option<Option<Percent>>,
}

/// Tells `null` from a field that is not there.
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// A draft without its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = CourseDraftHead)]
pub struct CourseHead {
    pub id: CourseId,
    pub slug: Slug,
    pub title: Title,
    pub summary: Summary,
    pub language: Option<Language>,
    /// The least mean share of the required quizzes' points that completes the course.
    pub minimum_score: Option<Percent>,
    /// Counts the changes of the draft; a change names the one that it was made from.
    pub revision: i64,
    /// The version that learners see; 0 before the first publication.
    pub version: i64,
    pub published_at: Option<Timestamp>,
    pub owner: UserId,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A draft with all that authors see: bodies and answer keys.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct CourseDraft {
    #[serde(flatten)]
    pub head: CourseHead,
    pub modules: Vec<DraftModule>,
    /// Those of the course that do not play yet, or never will; the newest 100, newest first.
    pub videos: Vec<DraftVideo>,
}

/// Makes an empty draft; its slug comes from the title, with a number behind it where that one is taken.
///
/// # Errors
/// [`AuthoringError::SlugTaken`] if no slug could be had; [`AuthoringError::Store`].
pub async fn create_course(
    tx: &mut TenantTransaction,
    new: NewCourse,
    owner: UserId,
    ports: &Ports,
) -> Result<CourseHead, AuthoringError> {
    let now = ports.now();
    let id = CourseId::new(now, ports.random());
    let slugs = slug_candidates(&new.title, ports.random());
    for _ in 0..SLUG_ATTEMPTS {
        if let Some(head) = store::insert_course(tx, id, &slugs, &new, owner, now).await? {
            return Ok(head);
        }
    }
    Err(AuthoringError::SlugTaken)
}

/// The slugs of a title in the order of preference: `isik`, `isik-2`, `isik-3` …, at last one that nobody has.
fn slug_candidates(title: &Title, random: [u8; 4]) -> Vec<String> {
    let base = Slug::of(title).map_or_else(|| "course".to_owned(), String::from);
    let numbered = |suffix: String| {
        let room = Slug::MAX.saturating_sub(suffix.len() + 1);
        let base = base.get(..room.min(base.len())).unwrap_or_default().trim_end_matches('-');
        format!("{base}-{suffix}")
    };
    let mut slugs = vec![base.clone()];
    slugs.extend((2..=NUMBERED_SLUGS).map(|number| numbered(number.to_string())));
    slugs.push(numbered(format!("{:08x}", u32::from_be_bytes(random))));
    slugs
}

/// Make a course
///
/// An empty draft, which learners do not see before it is published. Its slug is made from the title.
#[utoipa::path(post, path = "/api/v1/authoring/courses", tag = "authoring", request_body = NewCourse,
    responses((status = 201, description = "The draft", body = CourseDraft),
              (status = 409, description = "No address could be had for this title", body = ProblemDocument, content_type = "application/problem+json")))]
pub async fn create(
    State(authoring): State<Authoring>,
    caller: Caller,
    Extension(call): Extension<CallContext>,
    Body(new): Body<NewCourse>,
) -> Result<Response, AuthoringError> {
    let mut tx = authoring.postgres.tenant(caller.tenant).await?;
    let head = create_course(&mut tx, new, caller.user, &authoring.ports).await?;
    let created = Write {
        action: Action::CourseCreated,
        target: audit::target(head.id),
        before: Value::Null,
        after: audit::head(&head),
    };
    authoring.auditor.record(&mut tx, Actor::new(&caller, &call), created).await?;
    tx.commit().await?;
    let location = format!("/api/v1/authoring/courses/{}", head.id);
    let draft = CourseDraft { head, modules: Vec::new(), videos: Vec::new() };
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Body(draft)).into_response())
}

/// The courses that one writes, newest first
///
/// One's own; everybody's for those who may see all.
#[utoipa::path(get, path = "/api/v1/authoring/courses", tag = "authoring", params(PageParams),
    responses((status = 200, description = "A page of drafts without their content", body = Page<CourseHead>)))]
pub async fn list(
    State(authoring): State<Authoring>,
    caller: Caller,
    QueryParams(page): QueryParams<PageParams>,
) -> Result<Body<Page<CourseHead>>, AuthoringError> {
    let after = page.cursor.as_deref().map(Cursor::decode_at).transpose()?;
    let mut tx = authoring.postgres.tenant(caller.tenant).await?;
    let found = store::list_courses(&mut tx, caller.courses_of(), after, page.limit.and_one()).await?;
    tx.commit().await?;
    let position = |head: &CourseHead| Cursor::at(head.created_at, head.id);
    Ok(Body(Page::of(found, page.limit, position)))
}

/// A draft, with bodies and answer keys
///
/// The `ETag` moves with each change of the draft, each publication, and whatever is told of its videos.
#[utoipa::path(get, path = "/api/v1/authoring/courses/{course_id}", tag = "authoring",
    params(("course_id" = CourseId, Path, description = "The course")),
    responses((status = 200, description = "The draft", body = CourseDraft, headers(("ETag" = String)))))]
pub async fn show(
    State(authoring): State<Authoring>,
    caller: Caller,
    PathParam(course): PathParam<CourseId>,
) -> Result<Response, AuthoringError> {
    let mut tx = authoring.postgres.tenant(caller.tenant).await?;
    store::see_one_moment(&mut tx).await?;
    let found = store::find_course(&mut tx, course, caller.courses_of()).await?;
    let (head, structure) = found.ok_or(AuthoringError::NotFound)?;
    let lessons = store::draft_lessons(&mut tx, course).await?;
    let videos = videos_that_do_not_play(&mut tx, course).await?;
    tx.commit().await?;
    let draft = CourseDraft { modules: DraftModule::joined(structure, lessons), head, videos };
    let mut etag = format!("{}-{}", draft.head.revision, draft.head.version);
    if !draft.videos.is_empty() {
        let told = Sha256::digest(serde_json::to_vec(&draft.videos)?);
        etag = format!("{etag}-{}", hex::encode(told));
    }
    let etag = format!("\"{etag}\"");
    let etag = HeaderValue::try_from(etag).map_err(Problem::broken)?;
    Ok(([(header::ETAG, etag)], Body(draft)).into_response())
}

/// Change a draft's title, slug, summary, language or least score
///
/// Fields that are not sent stay as they are.
#[utoipa::path(patch, path = "/api/v1/authoring/courses/{course_id}", tag = "authoring",
    params(("course_id" = CourseId, Path, description = "The course")), request_body = CourseChange,
    responses((status = 200, description = "The draft as it is now, without its content", body = CourseHead),
              (status = 409, description = "The draft has moved on, or another course has the slug", body = ProblemDocument, content_type = "application/problem+json")))]
pub async fn change(
    State(authoring): State<Authoring>,
    caller: Caller,
    Extension(call): Extension<CallContext>,
    PathParam(course): PathParam<CourseId>,
    Body(change): Body<CourseChange>,
) -> Result<Body<CourseHead>, AuthoringError> {
    let mut tx = authoring.postgres.tenant(caller.tenant).await?;
    let found = store::lock_course(&mut tx, course, caller.courses_of()).await?;
    let (mut head, _) = found.ok_or(AuthoringError::NotFound)?;
    expect_revision(&head, change.revision)?;
    let before = audit::head(&head);
    head.title = change.title.unwrap_or(head.title);
    head.summary = change.summary.unwrap_or(head.summary);
    head.language = change.language.unwrap_or(head.language);
    head.minimum_score = change.minimum_score.unwrap_or(head.minimum_score);
    if let Some(slug) = change.slug {
        if !store::reserve_slug(&mut tx, course, &slug).await? {
            return Err(AuthoringError::SlugTaken);
        }
        head.slug = slug;
    }
    head.updated_at = authoring.ports.now();
    head.revision = store::update_course(&mut tx, &head).await?;
    let changed = Write {
        action: Action::CourseChanged,
        target: audit::target(course),
        before,
        after: audit::head(&head),
    };
    authoring.auditor.record(&mut tx, Actor::new(&caller, &call), changed).await?;
    tx.commit().await?;
    Ok(Body(head))
}

/// # Errors
/// [`AuthoringError::Stale`] unless the draft is at `revision`.
pub fn expect_revision(head: &CourseHead, revision: i64) -> Result<(), AuthoringError> {
    if head.revision == revision { Ok(()) } else { Err(AuthoringError::Stale { current: head.revision }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_numbered_slug_is_a_slug_however_long_the_title_is() {
        for title in ["Işık", &"uzun-".repeat(40), &"x".repeat(200), "Ελληνικά"] {
            let slugs = slug_candidates(&title.parse().unwrap(), [0xab; 4]);
            assert_eq!(slugs.len(), 101);
            for slug in &slugs {
                assert!(slug.parse::<Slug>().is_ok(), "{slug}");
            }
            let distinct: std::collections::BTreeSet<_> = slugs.iter().collect();
            assert_eq!(distinct.len(), slugs.len(), "{title}");
        }
        let slugs = slug_candidates(&"Işık".parse().unwrap(), [0xab; 4]);
        assert_eq!(slugs[..3], ["isik", "isik-2", "isik-3"]);
        assert_eq!(slugs[100], "isik-abababab");
    }
}
