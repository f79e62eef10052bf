//! A course that another shop sells, and who goes there.

use akademi_feed::LambdaEvent;
use http::Method;
use serde_json::json;

use super::{COURSE, NOTHING, commerce::QUOTE};
use crate::{ask::Ask, kind::Kind, recorder::Recorder};

const SET: &str = "PUT /api/v1/commerce/courses/{course_id}/sold-elsewhere";
const SHOW: &str = "GET /api/v1/commerce/courses/{course_id}/sold-elsewhere";
const REMOVE: &str = "DELETE /api/v1/commerce/courses/{course_id}/sold-elsewhere";
const GO: &str = "GET /api/v1/catalog/courses/{slug}/go";
const CLICKS: &str = "GET /api/v1/clicks/courses/{course_id}";
const COURSES: &str = "GET /api/v1/catalog/courses";
const PAGE: &str = "GET /api/v1/catalog/courses/{slug}";
const PUT_COURSE: &str = "PUT /api/v1/cart/courses/{course_id}";

const SHOP: &str = "https://shop.example/isik?dil=tr";
const CATALOG: &str = "/api/v1/catalog/courses";

pub async fn elsewhere(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    decided(r).await?;
    told(r, "another shop", ("Işık Kitabevi", SHOP)).await?;
    visited(r).await?;
    told(r, "sold here again", ("", "")).await
}

/// What staff says to the Lambda plane.
async fn decided(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let staff = r.staff.clone();
    let path = |course: &str| format!("/api/v1/commerce/courses/{course}/sold-elsewhere");
    let set = |course: &str, label: &str, url: &str| {
        Ask::json(Method::PUT, path(course), &json!({ "label": label, "url": url }))
    };
    r.bad((SHOW, "before there is one"), &staff, Ask::get(path(COURSE))).await?;
    r.good((SET, "set"), &staff, set(COURSE, "Shop", SHOP)).await?;
    let turkish = set(COURSE, "Işık Kitabevi", "https://dükkân.example/ışık");
    r.turkish((SET, "Turkish letters"), &staff, turkish).await?;
    for (name, url) in [
        ("without TLS", "http://shop.example/"),
        ("a script", "javascript:alert(1)"),
        ("somebody's", "https://a:b@shop.example/"),
    ] {
        r.bad((SET, name), &staff, set(COURSE, "Shop", url)).await?;
    }
    r.bad((SET, "of an unknown course"), &staff, set(NOTHING, "Shop", SHOP)).await?;
    r.good((SHOW, "shop"), &staff, Ask::get(path(COURSE))).await?;
    r.turkish((SHOW, "shop"), &staff, Ask::get(path(COURSE))).await?;
    let remove = |course: &str| Ask::new(Method::DELETE, path(course));
    r.good((REMOVE, "no more"), &staff, remove(COURSE)).await?;
    r.bad((REMOVE, "of an unknown course"), &staff, remove(NOTHING)).await?;
    Ok(())
}

/// Tells the edge which shop sells the course.
async fn told(r: &mut Recorder<'_>, name: &str, (label, url): (&str, &str)) -> anyhow::Result<()> {
    let (course, label, url) = (COURSE.parse()?, label.to_owned(), url.to_owned());
    r.bring(name, &LambdaEvent::SoldElsewhereSet { course, label, url }).await
}

async fn visited(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let (academy, kadikoy, staff, learner) =
        (r.umraniye.clone(), r.kadikoy.clone(), r.staff.clone(), r.learner()?);
    let page = format!("{CATALOG}/isigin-yolculugu");
    r.send(Kind::Good, (COURSES, "one sold elsewhere"), &academy, &Ask::get(CATALOG)).await?;
    r.send(Kind::Good, (PAGE, "sold elsewhere"), &academy, &Ask::get(page.as_str())).await?;
    let basket = Ask::post("/api/v1/coupons/quote", &json!({ "courses": [COURSE] }));
    r.bad((QUOTE, "sold elsewhere"), &learner, basket).await?;
    let put = Ask::new(Method::PUT, format!("/api/v1/cart/courses/{COURSE}"));
    r.bad((PUT_COURSE, "sold elsewhere"), &learner, put).await?;
    let go = Ask::get(format!("{page}/go"));
    r.good((GO, "to the shop"), &academy, go.clone()).await?;
    r.bad((GO, "of another academy"), &kadikoy, go).await?;
    r.bad((GO, "sold here"), &academy, Ask::get(format!("{CATALOG}/bos-ders/go"))).await?;
    let clicks = |course: &str, query: &str| Ask::get(format!("/api/v1/clicks/courses/{course}{query}"));
    r.good((CLICKS, "clicks"), &staff, clicks(COURSE, "")).await?;
    r.bad((CLICKS, "of an unknown course"), &staff, clicks(NOTHING, "")).await?;
    r.bad((CLICKS, "backwards"), &staff, clicks(COURSE, "?from=2026-02-01&to=2026-01-01")).await?;
    Ok(())
}
