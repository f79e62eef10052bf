//! Published courses.

use akademi_api::{
    Academy, PathParam, Problem, QueryParams,
    answers::Answer,
    conditional::{public_json, unchanged},
    paging::{Cursor, Limit, Page, PageParams},
};
use akademi_domain::{
    course::CourseOutline, ids::CourseId, money::Money, picture::PictureFile, pricing::Sale,
    review::StarCounts, time::Timestamp,
};
use axum::{extract::State, response::Response};
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{
    Catalog,
    minute::{self, minute},
    store,
};

/// A course in a list.
#[derive(Serialize, utoipa::ToSchema)]
pub struct CourseCard {
    pub id: CourseId,
    pub slug: String,
    pub title: String,
    pub summary: String,
    pub lesson_count: i64,
    /// The length of all videos together, in seconds.
    pub duration_seconds: i64,
    pub published_at: Timestamp,
    /// VAT inside, while there is no sale; `null` while the course cannot be bought here.
    pub price: Option<Money>,
    /// A lower price from one moment on until before another, perhaps not yet or no longer.
    pub sale: Option<Sale>,
    /// Whether it has so many seats and none is left.
    pub full: bool,
    /// The shop that sells it instead of the academy.
    pub sold_elsewhere: Option<SoldElsewhere>,
    pub rating: CourseRating,
    /// The files of its card, the smallest size first; `null` if it has none.
    #[schema(value_type = Option<Vec<PictureFile>>)]
    pub picture: Option<Box<RawValue>>,
}

/// The shop that sells a course.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = ShopOfCourse)]
pub struct SoldElsewhere {
    /// The shop's name.
    pub label: String,
    /// A path of this host that leads to the shop, and counts who goes there.
    pub url: String,
}

/// What its reviews say of a course.
#[derive(Serialize, utoipa::ToSchema)]
pub struct CourseRating {
    /// Of 1 to 5 stars, to two decimals; `null` without a review.
    average: Option<f64>,
    count: i64,
}

impl From<StarCounts> for CourseRating {
    fn from(counts: StarCounts) -> Self {
        Self { average: counts.average(), count: counts.total() }
    }
}

/// A course's public page. It holds no lesson body and no answer.
#[derive(Serialize, utoipa::ToSchema)]
pub struct CoursePage {
    #[serde(flatten)]
    pub card: CourseCard,
    /// Moves with every publication.
    pub version: i64,
    /// How many people like it, as of the minute that has begun or later.
    pub likes: i64,
    /// Modules, sections and lessons in order, and all pictures.
    #[schema(value_type = CourseOutline)]
    pub outline: Box<RawValue>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CourseSort {
    #[default]
    Newest,
    /// The best first, and of the same mean those with more reviews.
    Rating,
}

/// The query of the list.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CourseListParams {
    /// What stands first: `newest` (unless said otherwise) or the best by `rating`.
    #[serde(default)]
    #[param(value_type = Option<CourseSort>, inline)]
    sort: CourseSort,
    /// How many entries to answer at most: 1 to 100.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Limit,
    /// Where the page before ended: its `next_cursor`.
    #[serde(default)]
    cursor: Option<String>,
}

/// A course, and what it is sorted by before its id.
pub struct ListedCourse {
    pub key: i64,
    pub card: CourseCard,
}

/// Published courses, newest or best first
#[utoipa::path(get, path = "/api/v1/catalog/courses", tag = "catalog", params(CourseListParams),
    responses((status = 200, description = "A page of courses", body = Page<CourseCard>), (status = 304, description = "Unchanged")))]
pub async fn list(
    State(catalog): State<Catalog>,
    academy: Academy,
    headers: HeaderMap,
    QueryParams(params): QueryParams<CourseListParams>,
) -> Result<Response, Problem> {
    let CourseListParams { sort, limit, cursor } = params;
    let after = cursor.as_deref().map(Cursor::decode).transpose()?;
    let kind = match sort {
        CourseSort::Newest => 'l',
        CourseSort::Rating => 't',
    };
    // A publication and a review move the academy's generation, so the list is the same as long as that is.
    let cursor = cursor.as_deref().unwrap_or_default();
    let etag = format!("{kind}{}.{}.{cursor}", academy.generation, limit.get());
    if let Some(unchanged) = unchanged(&headers, &etag) {
        return unchanged;
    }
    let make = async {
        let database = catalog.edge.tenant(academy.id);
        let found = match sort {
            CourseSort::Newest => store::list_courses(&database, after, limit.and_one()).await?,
            CourseSort::Rating => store::list_courses_by_rating(&database, after, limit.and_one()).await?,
        };
        // There is no end of cursors behind the last course.
        let may_be_kept = !found.is_empty();
        let position = |last: &ListedCourse| Cursor { key: last.key, id: last.card.id.to_string() };
        let page = Page::of(found, limit, position).map(|listed| listed.card);
        let body = serde_json::to_vec(&page).map_err(Problem::broken)?;
        Ok((Answer { etag: etag.clone(), body: body.into() }, may_be_kept))
    };
    let answer = catalog.answer((academy.id, etag.clone()), make).await?;
    public_json(&headers, &answer.etag, answer.body)
}

/// Published courses that are on sale, those first that are so for the shortest time
///
/// As of the minute that has begun.
#[utoipa::path(get, path = "/api/v1/catalog/on-sale", tag = "catalog", params(PageParams),
    responses((status = 200, description = "A page of courses", body = Page<CourseCard>), (status = 304, description = "Unchanged")))]
pub async fn on_sale(
    State(catalog): State<Catalog>,
    academy: Academy,
    headers: HeaderMap,
    QueryParams(page): QueryParams<PageParams>,
) -> Result<Response, Problem> {
    minute::page(&catalog, &academy, &headers, 's', &page, async |at, after| {
        let database = catalog.edge.tenant(academy.id);
        let found = store::list_courses_on_sale(&database, at, after, page.limit.and_one()).await?;
        let may_be_kept = !found.is_empty();
        let position = |last: &CourseCard| Cursor {
            key: last.sale.map_or(0, |sale| sale.ends_at.as_millis()),
            id: last.id.to_string(),
        };
        Ok((Page::of(found, page.limit, position), may_be_kept))
    })
    .await
}

/// A course's public page
#[utoipa::path(get, path = "/api/v1/catalog/courses/{slug}", tag = "catalog",
    params(("slug" = String, Path, description = "The course's slug")),
    responses((status = 200, description = "The course", body = CoursePage), (status = 304, description = "Unchanged")))]
pub async fn show(
    State(catalog): State<Catalog>,
    academy: Academy,
    headers: HeaderMap,
    PathParam(slug): PathParam<String>,
) -> Result<Response, Problem> {
    let question = (academy.id, format!("c{}.{}.{slug}", academy.generation, minute(&catalog)));
    let make = async {
        let page = store::find_course(&catalog.edge.tenant(academy.id), &slug).await?;
        let page = page.ok_or_else(Problem::not_found)?;
        let body = serde_json::to_vec(&page).map_err(Problem::broken)?;
        let etag = format!("c{}.{}.{}", academy.generation, page.version, page.likes);
        Ok((Answer { etag, body: body.into() }, true))
    };
    let answer = catalog.answer(question, make).await?;
    public_json(&headers, &answer.etag, answer.body)
}
