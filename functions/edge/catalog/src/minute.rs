//! What moves without the academy's generation: it stays as it is for a minute.

use akademi_api::{
    Academy, Problem,
    answers::Answer,
    conditional::public_json,
    paging::{Cursor, Page, PageParams},
};
use akademi_domain::time::Timestamp;
use axum::response::Response;
use http::HeaderMap;
use serde::Serialize;
use std::hash::{DefaultHasher, Hasher};

use crate::Catalog;

const SECONDS: i64 = 60;

/// The minute that has begun, counted from 1970 on.
pub fn minute(catalog: &Catalog) -> i64 {
    catalog.edge.ports.now().as_millis().div_euclid(SECONDS * 1000)
}

/// A page as of the minute that has begun, kept until the next. `kind` tells lists apart; `make` reads what stands after
/// the cursor at that moment, and says whether the page may be kept: there is no end of cursors behind the last entry.
///
/// # Errors
/// Those of `make`; `invalid-request` for a cursor that is none.
pub async fn page<T: Serialize, M: Future<Output = Result<(Page<T>, bool), Problem>>>(
    catalog: &Catalog,
    academy: &Academy,
    headers: &HeaderMap,
    kind: char,
    page: &PageParams,
    make: impl FnOnce(Timestamp, Option<Cursor>) -> M,
) -> Result<Response, Problem> {
    let after = page.cursor.as_deref().map(Cursor::decode).transpose()?;
    let (minute, limit) = (minute(catalog), page.limit.get());
    let cursor = page.cursor.as_deref().unwrap_or_default();
    let question = (academy.id, format!("{kind}{}.{minute}.{limit}.{cursor}", academy.generation));
    let made = make(Timestamp::from_millis(minute * SECONDS * 1000), after);
    let make = async {
        let (page, may_be_kept) = made.await?;
        let body = serde_json::to_vec(&page).map_err(Problem::broken)?;
        // Of what is shown: from one minute to the next it is mostly the same.
        let mut hash = DefaultHasher::new();
        hash.write(&body);
        Ok((Answer { etag: format!("{kind}{:x}", hash.finish()), body: body.into() }, may_be_kept))
    };
    let answer = catalog.answer(question, make).await?;
    public_json(headers, &answer.etag, answer.body)
}
