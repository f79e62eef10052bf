//! What anybody may see of an academy.

use crate::{ask::Ask, kind::Kind, recorder::Recorder};

const ACADEMY: &str = "GET /api/v1/academy";
const LIST: &str = "GET /api/v1/catalog/courses";
const COURSE_PAGE: &str = "GET /api/v1/catalog/courses/{slug}";
const SEARCH: &str = "GET /api/v1/catalog/search";

pub async fn catalog(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let (umraniye, kadikoy, nobody) = (r.umraniye.clone(), r.kadikoy.clone(), r.nobody.clone());
    r.good((ACADEMY, "academy"), &umraniye, Ask::get("/api/v1/academy")).await?;
    r.good((ACADEMY, "another academy"), &kadikoy, Ask::get("/api/v1/academy")).await?;
    r.bad((ACADEMY, "unknown host"), &nobody, Ask::get("/api/v1/academy")).await?;

    let courses = "/api/v1/catalog/courses";
    r.good((LIST, "courses"), &umraniye, Ask::get(courses)).await?;
    r.paged(LIST, &umraniye, courses, "").await?;
    r.bad((LIST, "unknown parameter"), &umraniye, Ask::get(format!("{courses}?page=2"))).await?;
    r.send(Kind::Good, (LIST, "the best first"), &umraniye, &Ask::get(format!("{courses}?sort=rating")))
        .await?;
    r.bad((LIST, "the cheapest first"), &umraniye, Ask::get(format!("{courses}?sort=price"))).await?;
    r.send(Kind::Good, (LIST, "no courses"), &kadikoy, &Ask::get(courses)).await?;

    r.good((COURSE_PAGE, "course"), &umraniye, Ask::get(format!("{courses}/isigin-yolculugu"))).await?;
    r.bad(
        (COURSE_PAGE, "another academy's course"),
        &kadikoy,
        Ask::get(format!("{courses}/isigin-yolculugu")),
    )
    .await?;
    r.bad((COURSE_PAGE, "unknown course"), &umraniye, Ask::get(format!("{courses}/yok"))).await?;
    let turkish = Ask::get(format!("{courses}/i%C5%9F%C4%B1%C4%9F%C4%B1n-yolculu%C4%9Fu"));
    r.turkish((COURSE_PAGE, "in Turkish letters"), &umraniye, turkish).await?;

    let search = |query: &str| Ask::get(format!("/api/v1/catalog/search?q={query}"));
    r.good((SEARCH, "without diacritics"), &umraniye, search("isigin")).await?;
    for (name, query) in
        [("in capitals", "I%C5%9EI%C4%9EIN"), ("in small letters", "%C4%B1%C5%9F%C4%B1%C4%9F%C4%B1n")]
    {
        r.turkish((SEARCH, name), &umraniye, search(query)).await?;
    }
    for (name, query) in
        [("in a lesson", "prizma"), ("by a beginning", "priz"), ("for nothing known", "zeplin")]
    {
        r.send(Kind::Good, (SEARCH, name), &umraniye, &search(query)).await?;
    }
    r.send(Kind::Good, (SEARCH, "elsewhere"), &kadikoy, &search("prizma")).await?;
    r.bad((SEARCH, "for no word"), &umraniye, search("")).await?;
    r.bad((SEARCH, "for signs"), &umraniye, search("%22*%27")).await?;
    r.bad((SEARCH, "limit of nothing"), &umraniye, search("prizma&limit=0")).await?;
    Ok(())
}
