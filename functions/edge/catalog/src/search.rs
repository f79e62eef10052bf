//! Search over published courses and their lessons, in text folded for Turkish.

use akademi_api::{
    Academy, Problem, QueryParams,
    answers::Answer,
    conditional::{fingerprint, public_json},
    paging::Limit,
};
use akademi_domain::{
    ids::{CourseId, LessonId},
    text::fold,
};
use axum::{extract::State, response::Response};
use http::HeaderMap;
use serde::{Deserialize, Serialize};

use crate::{Catalog, store};

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SearchParams {
    /// Words to find; each may be the beginning of one. Case, diacritics and the Turkish i's do not matter.
    #[param(min_length = 1, max_length = 200)]
    q: String,
    /// How many hits to answer at most: 1 to 100.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Limit,
}

/// A course, or a lesson of one, that holds all the words.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Hit {
    pub course: CourseId,
    pub slug: String,
    pub course_title: String,
    /// The lesson that the words stand in; absent when it is the course itself.
    pub lesson: Option<LessonId>,
    pub lesson_title: Option<String>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct Hits {
    /// The best first.
    data: Vec<Hit>,
}

/// Search courses and lessons
#[utoipa::path(get, path = "/api/v1/catalog/search", tag = "catalog", params(SearchParams),
    responses((status = 200, description = "What holds all the words", body = Hits), (status = 304, description = "Unchanged")))]
pub async fn search(
    State(catalog): State<Catalog>,
    academy: Academy,
    headers: HeaderMap,
    QueryParams(params): QueryParams<SearchParams>,
) -> Result<Response, Problem> {
    if params.q.chars().count() > 200 {
        return Err(Problem::field("q", "is longer than 200 characters"));
    }
    let words = query_words(&params.q);
    if words.is_empty() {
        return Err(Problem::field("q", "holds no word"));
    }
    let limit = params.limit.get();
    let words = store::match_expression(academy.id, &words);
    // A publication moves the academy's generation, so what is found is the same as long as that is.
    let etag = format!("s{}.{limit}.{}", academy.generation, fingerprint(&words));
    let make = async {
        let data = store::search(&catalog.edge.tenant(academy.id), &words, limit).await?;
        // There is no end of words that nothing holds.
        let may_be_kept = !data.is_empty();
        let body = serde_json::to_vec(&Hits { data }).map_err(Problem::broken)?;
        Ok((Answer { etag: etag.clone(), body: body.into() }, may_be_kept))
    };
    let question = (academy.id, format!("s{}.{limit}.{words}", academy.generation));
    let answer = catalog.answer(question, make).await?;
    public_json(&headers, &answer.etag, answer.body)
}

/// The words of a query as FTS5's `unicode61` splits them: letters and digits of folded text, at most eight.
fn query_words(query: &str) -> Vec<String> {
    fold(query)
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .take(8)
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_words_and_nothing_else() {
        assert_eq!(query_words("  IŞIK, \"iklim\" OR NEAR(x*)"), ["isik", "iklim", "or", "near", "x"]);
        assert!(query_words("\"'*^ -").is_empty());
        assert_eq!(query_words(&"a ".repeat(50)).len(), 8);
    }
}
