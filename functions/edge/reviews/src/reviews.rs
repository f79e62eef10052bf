//! What everybody may read: a course's reviews and their figures.

use akademi_api::{
    Academy, PathParam, Problem, QueryParams,
    answers::Answer,
    conditional::{fingerprint, public_json},
    paging::{Cursor, Limit, Page},
};
use akademi_domain::{
    ids::{ReviewId, TenantId, UserId},
    review::{StarCounts, Stars},
    time::Timestamp,
};
use akademi_identity::Profile;
use axum::{extract::State, response::Response};
use http::HeaderMap;
use serde::{Deserialize, Serialize};

use crate::{
    Reviews,
    store::{self, Author, Order},
};

/// How long a list may stay as it is though an author has another name by now, in milliseconds.
const KEPT_MILLIS: i64 = 60_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReviewSort {
    #[default]
    Newest,
    /// Of as many stars the newest first.
    Highest,
    /// Of as many stars the oldest first.
    Lowest,
}

/// The query of the list.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Filter {
    /// What stands first: `newest` (unless said otherwise), `highest` or `lowest`.
    #[serde(default)]
    #[param(value_type = Option<ReviewSort>, inline)]
    sort: ReviewSort,
    /// Only reviews that give so many stars.
    #[serde(default)]
    #[param(value_type = Option<i32>, minimum = 1, maximum = 5)]
    stars: Option<Stars>,
    /// How many entries to answer at most: 1 to 100.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Limit,
    /// Where the page before ended: its `next_cursor`.
    #[serde(default)]
    cursor: Option<String>,
}

/// A review as everybody sees it.
#[derive(Serialize, utoipa::ToSchema)]
pub struct PublicReview {
    pub id: ReviewId,
    pub stars: Stars,
    /// Plain text with line breaks; `null` for stars alone.
    pub text: Option<String>,
    /// The first name and the initial of the last one.
    author: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// All reviews of a course together.
#[derive(Serialize, utoipa::ToSchema)]
pub struct ReviewFigures {
    /// To two decimals; `null` without a review.
    average: Option<f64>,
    count: i64,
    /// How many reviews give 1, 2, 3, 4 and 5 stars.
    #[schema(value_type = Vec<i64>, min_items = 5, max_items = 5)]
    stars: [i64; 5],
}

impl From<StarCounts> for ReviewFigures {
    fn from(counts: StarCounts) -> Self {
        Self { average: counts.average(), count: counts.total(), stars: counts.0 }
    }
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct ReviewPage {
    rating: ReviewFigures,
    data: Vec<PublicReview>,
    /// What to send as `cursor` for the next page; `null` at the end.
    next_cursor: Option<String>,
}

impl Reviews {
    /// What strangers see of an author's name; nothing of somebody who has no key.
    pub fn display_name(
        &self,
        tenant: TenantId,
        person: UserId,
        author: &Author,
    ) -> Result<Option<String>, Problem> {
        let Some(wrapped) = &author.wrapped_key else { return Ok(None) };
        let key = self.vault.unwrap_key(tenant, person, wrapped).map_err(Problem::broken)?;
        Ok(Some(Profile::open(&key, person, &author.profile)?.name.discreet()))
    }
}

/// A course's reviews
///
/// With the figures of all of them. An author's new name is seen within a minute.
#[utoipa::path(get, path = "/api/v1/catalog/courses/{slug}/reviews", tag = "reviews",
    params(("slug" = String, Path, description = "The course's slug"), Filter),
    responses((status = 200, description = "A page of reviews", body = ReviewPage), (status = 304, description = "Unchanged")))]
pub async fn list(
    State(reviews): State<Reviews>,
    academy: Academy,
    headers: HeaderMap,
    PathParam(slug): PathParam<String>,
    QueryParams(filter): QueryParams<Filter>,
) -> Result<Response, Problem> {
    let after = filter.cursor.as_deref().map(Cursor::decode).transpose()?;
    let Filter { sort, stars, limit, cursor } = filter;
    let minute = reviews.edge.ports.now().as_millis().div_euclid(KEPT_MILLIS);
    let asked = format!(
        "r{}.{minute}.{}.{}.{}.{}.{slug}",
        academy.generation,
        sort as u8,
        stars.map_or(0, Stars::get),
        limit.get(),
        cursor.as_deref().unwrap_or_default()
    );
    let make = async {
        let database = reviews.edge.tenant(academy.id);
        let rated = store::find_rated_course(&database, &slug).await?.ok_or_else(Problem::not_found)?;
        let order = match (sort, stars) {
            (ReviewSort::Newest, None) => Order::Newest,
            (ReviewSort::Newest | ReviewSort::Highest, _) => Order::Highest,
            (ReviewSort::Lowest, _) => Order::Lowest,
        };
        let found =
            store::list_reviews(&database, rated.course, (order, stars), after, limit.and_one()).await?;
        let position = |last: &store::ShownReview| Cursor { key: last.stars.into(), id: last.id.to_string() };
        let page = Page::of(found, limit, position).try_map(|found| {
            Ok::<_, Problem>(PublicReview {
                author: reviews.display_name(academy.id, found.person, &found.author)?,
                id: found.id,
                stars: found.stars,
                text: found.text,
                created_at: found.created_at,
                updated_at: found.updated_at,
            })
        })?;
        // There is no end of cursors behind the last review.
        let may_be_kept = !page.data.is_empty();
        let (data, next_cursor) = (page.data, page.next_cursor);
        // A review moves the academy's generation; an author's name does not.
        let names: Vec<_> = data.iter().filter_map(|review| review.author.as_deref()).collect();
        let etag = format!("r{}.{}", academy.generation, fingerprint(&names.join("\n")));
        let body = serde_json::to_vec(&ReviewPage { rating: rated.stars.into(), data, next_cursor });
        Ok((Answer { etag, body: body.map_err(Problem::broken)?.into() }, may_be_kept))
    };
    let cache = reviews.edge.ports.cache.as_deref();
    let answer = reviews.answers.find_or_make(cache, (academy.id, asked), make).await?;
    public_json(&headers, &answer.etag, answer.body)
}
