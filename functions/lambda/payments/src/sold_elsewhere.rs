//! Courses that another shop sells.

use akademi_api::{Body, Caller, PathParam, Problem, signed::CallContext};
use akademi_domain::{academy::HostName, ids::CourseId, text, time::Timestamp};
use akademi_feed::LambdaEvent;
use akademi_lambda_store::{
    audit::{Action, Actor, Write},
    feed,
};
use axum::{Extension, extract::State};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;

use crate::{Payments, PaymentsError, store};

const MAX_LABEL: usize = 60;
const MAX_URL: usize = 2000;

/// The shop that sells a course.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OtherShop {
    /// The shop's name, as visitors read it.
    #[schema(min_length = 1, max_length = 60)]
    label: String,
    /// Where it sells the course: an https address of a host with a name, without a user.
    #[schema(max_length = 2000)]
    url: String,
}

/// A course that another shop sells.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SoldElsewhere {
    pub course: CourseId,
    pub label: String,
    /// As the URL Standard writes it.
    pub url: String,
    pub updated_at: Timestamp,
}

impl SoldElsewhere {
    fn audited(&self) -> Value {
        json!({ "label": self.label, "url": self.url })
    }
}

/// Have another shop sell a course
///
/// The catalog sends there whoever wants it, and counts them. It is not for sale here from now on; orders that were made stay,
/// and so does the price, for when it is sold here again.
#[utoipa::path(put, path = "/api/v1/commerce/courses/{course_id}/sold-elsewhere", tag = "commerce",
    params(("course_id" = CourseId, Path, description = "The course")), request_body = OtherShop,
    responses((status = 200, description = "The shop as it is now", body = SoldElsewhere)))]
pub async fn set(
    State(payments): State<Payments>,
    caller: Caller,
    Extension(call): Extension<CallContext>,
    PathParam(course): PathParam<CourseId>,
    Body(new): Body<OtherShop>,
) -> Result<Body<SoldElsewhere>, PaymentsError> {
    let label = text::line(&new.label, MAX_LABEL).map_err(|error| Problem::field("label", error))?;
    let url = shop_url(&new.url).map_err(|error| Problem::field("url", error))?;
    let after = SoldElsewhere { course, label, url, updated_at: payments.ports.now() };
    change(&payments, (&caller, &call), course, Some(&after)).await?;
    Ok(Body(after))
}

/// Sell a course here again
///
/// At its price, if it has one. A second time it changes nothing.
#[utoipa::path(delete, path = "/api/v1/commerce/courses/{course_id}/sold-elsewhere", tag = "commerce",
    params(("course_id" = CourseId, Path, description = "The course")),
    responses((status = 204, description = "No other shop sells it")))]
pub async fn remove(
    State(payments): State<Payments>,
    caller: Caller,
    Extension(call): Extension<CallContext>,
    PathParam(course): PathParam<CourseId>,
) -> Result<StatusCode, PaymentsError> {
    change(&payments, (&caller, &call), course, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The shop that sells a course
#[utoipa::path(get, path = "/api/v1/commerce/courses/{course_id}/sold-elsewhere", tag = "commerce",
    params(("course_id" = CourseId, Path, description = "The course")),
    responses((status = 200, description = "The shop", body = SoldElsewhere)))]
pub async fn show(
    State(payments): State<Payments>,
    caller: Caller,
    PathParam(course): PathParam<CourseId>,
) -> Result<Body<SoldElsewhere>, PaymentsError> {
    let mut tx = payments.postgres.tenant(caller.tenant).await?;
    if !store::may_price(&mut tx, course, caller.courses_of()).await? {
        return Err(Problem::not_found().into());
    }
    let found = store::find_sold_elsewhere(&mut tx, course).await?;
    tx.commit().await?;
    Ok(Body(found.ok_or_else(Problem::not_found)?))
}

/// Orders of the course that are being made end first, and later ones see what it is then.
async fn change(
    payments: &Payments,
    (caller, call): (&Caller, &CallContext),
    course: CourseId,
    after: Option<&SoldElsewhere>,
) -> Result<(), PaymentsError> {
    let now = payments.ports.now();
    let mut tx = payments.postgres.tenant(caller.tenant).await?;
    if !store::may_price(&mut tx, course, caller.courses_of()).await? {
        return Err(Problem::not_found().into());
    }
    store::lock_price(&mut tx, course).await?;
    let before = store::find_sold_elsewhere(&mut tx, course).await?;
    match after {
        Some(after) => store::set_sold_elsewhere(&mut tx, after).await?,
        None if before.is_none() => return Ok(()),
        None => store::delete_sold_elsewhere(&mut tx, course).await?,
    }
    let (label, url) = after.map(|after| (after.label.clone(), after.url.clone())).unwrap_or_default();
    let told = LambdaEvent::SoldElsewhereSet { course, label, url };
    feed::append(&mut tx, &told, now).await?;
    let write = Write {
        action: if after.is_some() { Action::SoldElsewhereSet } else { Action::SoldElsewhereRemoved },
        target: format!("course:{course}"),
        before: before.map_or(Value::Null, |before| before.audited()),
        after: after.map_or(Value::Null, SoldElsewhere::audited),
    };
    payments.auditor.record(&mut tx, Actor::new(caller, call), write).await?;
    tx.commit().await?;
    payments.wake.wake();
    Ok(())
}

/// The address as browsers read it (URL Standard), which is what they are sent to; in ASCII.
fn shop_url(typed: &str) -> Result<String, &'static str> {
    const INVALID: &str = "is not an https address such as https://shop.example/course";
    const TOO_LONG: &str = "is longer than 2000 characters";
    if typed.len() > MAX_URL {
        return Err(TOO_LONG);
    }
    // Browsers drop some of them, and take a backslash for a slash.
    let is_plain = |letter: char| !letter.is_control() && !letter.is_whitespace() && letter != '\\';
    if !typed.starts_with("https://") || !typed.chars().all(is_plain) {
        return Err(INVALID);
    }
    let url = Url::parse(typed).map_err(|_| INVALID)?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("names a user");
    }
    if url.domain().is_none_or(|host| host.parse::<HostName>().is_err()) {
        return Err(INVALID);
    }
    // What is no ASCII has become longer.
    if url.as_str().len() > MAX_URL { Err(TOO_LONG) } else { Ok(url.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_what_browsers_make_of_it() {
        for (typed, url) in [
            ("https://shop.example", "https://shop.example/"),
            ("https://shop.example:8443/a?b=c#d", "https://shop.example:8443/a?b=c#d"),
            ("https://DÜKKAN.example/ışık", "https://xn--dkkan-kva.example/%C4%B1%C5%9F%C4%B1k"),
            (
                "https://shop.example/?to=https://a@b.example/",
                "https://shop.example/?to=https://a@b.example/",
            ),
        ] {
            assert_eq!(shop_url(typed).as_deref(), Ok(url), "{typed}");
        }
    }

    #[test]
    fn what_is_no_https_address_of_a_named_host_is_refused() {
        let long = format!("https://shop.example/{}", "a".repeat(10_240));
        let grows = format!("https://shop.example/{}", "ş".repeat(900));
        for typed in [
            "",
            "shop.example",
            "/courses/isik",
            "//shop.example/",
            "http://shop.example/",
            "javascript:alert(1)",
            "data:text/html,a",
            "ftp://shop.example/",
            "HTTPS:shop.example",
            "https:shop.example",
            "https:/\\shop.example",
            "https://",
            "https://user@shop.example/",
            "https://user:secret@shop.example/",
            "https://:secret@shop.example/",
            "https://localhost/",
            "https://192.0.2.7/",
            "https://3221226007/",
            "https://[2001:db8::1]/",
            "https://shop.example:99999/",
            "https://shop .example/",
            " https://shop.example/",
            "https://shop.example/\r\nset-cookie:a=b",
            "https://shop.example/\u{85}",
            "https://shop\\.example/",
            &long,
            &grows,
        ] {
            assert!(shop_url(typed).is_err(), "{typed}");
        }
    }
}
