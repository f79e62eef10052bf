//! The page that plays a lesson's video.

use akademi_api::{Academy, PathParam, Problem, problem::ProblemDocument};
use akademi_domain::{
    colour::Colour,
    ids::{CourseId, LessonId},
};
use askama::Template;
use axum::{
    extract::State,
    response::{Html, IntoResponse, Response},
};
use http::{HeaderValue, header};

use crate::{
    Site,
    assets::{Asset, FOLDER, PLAYER, STYLE},
    store::find_title,
};

#[derive(Template)]
#[template(path = "lesson.html")]
struct Page<'a> {
    words: Words,
    academy: &'a str,
    title: &'a str,
    course: CourseId,
    lesson: LessonId,
    /// The folder of the pages' files.
    files: &'a str,
    style: Asset,
    player: Asset,
    brand: Colour,
}

/// What the page says without its script.
struct Words {
    /// BCP 47.
    language: &'static str,
    counted: &'static str,
    without_script: &'static str,
}

const TURKISH: Words = Words {
    language: "tr",
    counted: "İzlenen süre",
    without_script: "Videoyu oynatmak için tarayıcınızda JavaScript açık olmalıdır.",
};
const ENGLISH: Words = Words {
    language: "en",
    counted: "Watched",
    without_script: "Your browser needs JavaScript to play the video.",
};

/// Watch a lesson
///
/// A page in the academy's language, the same for everybody; its script asks whether this person may watch.
#[utoipa::path(get, path = "/courses/{course_id}/lessons/{lesson_id}", tag = "pages",
    params(("course_id" = CourseId, Path, description = "The course"), ("lesson_id" = LessonId, Path, description = "The lesson")),
    responses((status = 200, description = "The page", body = String, content_type = "text/html"),
              (status = 404, description = "No academy answers on this host, or it has no such lesson", body = ProblemDocument, content_type = "application/problem+json")))]
pub async fn show(
    State(site): State<Site>,
    academy: Academy,
    PathParam((course, lesson)): PathParam<(CourseId, LessonId)>,
) -> Result<Response, Problem> {
    let title = find_title(&site.edge.tenant(academy.id), course, lesson).await?;
    let title = title.ok_or_else(Problem::not_found)?;
    let brand: Colour = academy.profile.brand_colour.parse().unwrap_or(Colour::BLACK);
    let page = Page {
        words: if academy.profile.locale.starts_with("tr") { TURKISH } else { ENGLISH },
        academy: &academy.profile.name,
        title: &title,
        course,
        lesson,
        files: &format!("{}/{FOLDER}", site.media_url),
        style: STYLE,
        player: PLAYER,
        brand,
    };
    let page = page.render().map_err(Problem::broken)?;
    let media = &site.media_origin;
    // Content Security Policy Level 3. Players feed a video by blobs (Media Source Extensions).
    let policy = format!(
        "default-src 'none'; script-src {media}; style-src {media}; connect-src 'self' {media}; \
         media-src 'self' blob: {media}; img-src 'self' {media}; frame-src https://www.youtube-nocookie.com; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    let policy = HeaderValue::try_from(policy).map_err(Problem::broken)?;
    Ok(([(header::CONTENT_SECURITY_POLICY, policy)], Html(page)).into_response())
}
