//! What people leave at a course: reviews, likes, shares.

use akademi_local::api_client::{ApiClient, JsonExt};
use anyhow::Context;
use http::Method;
use serde_json::{Value, json};

use super::{COURSE, NOTHING, learning::ENROLMENTS};
use crate::{ask::Ask, kind::Kind, recorder::Recorder};

const LIST: &str = "GET /api/v1/catalog/courses/{slug}/reviews";
const MINE: &str = "GET /api/v1/catalog/courses/{slug}/reviews/mine";
const WRITE: &str = "PUT /api/v1/catalog/courses/{slug}/reviews/mine";
const DELETE: &str = "DELETE /api/v1/catalog/courses/{slug}/reviews/mine";
const REPORT: &str = "POST /api/v1/reviews/{review_id}/reports";
const FOR_STAFF: &str = "GET /api/v1/reviews";
const APPROVE: &str = "POST /api/v1/reviews/approvals";
const DECIDE: &str = "PUT /api/v1/reviews/{review_id}/state";
const CHANGE_SETTINGS: &str = "PATCH /api/v1/academy/settings";
const SETTINGS: &str = "/api/v1/academy/settings";
const LIKE: &str = "PUT /api/v1/catalog/courses/{slug}/like";
const UNLIKE: &str = "DELETE /api/v1/catalog/courses/{slug}/like";
const LIKES: &str = "GET /api/v1/users/me/likes";
const SHARE: &str = "POST /api/v1/catalog/courses/{slug}/shares";
const VISIT: &str = "POST /api/v1/catalog/courses/{slug}/visits";
const VISITS: &str = "GET /api/v1/shares/courses/{course_id}";

const ISIK: &str = "/api/v1/catalog/courses/isigin-yolculugu";
const EMPTY: &str = "/api/v1/catalog/courses/bos-ders";
const UNKNOWN: &str = "/api/v1/catalog/courses/yok";

pub async fn reviews(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let learner = r.learner()?;
    let (own, staffs) = written(r, &learner).await?;
    read(r).await?;
    moderated(r, &learner, (&own, &staffs)).await?;
    approved(r, &learner).await?;
    liked(r, &learner).await?;
    shared(r).await
}

fn write(course: &str, stars: i64, text: Option<&str>) -> Ask {
    Ask::json(Method::PUT, format!("{course}/reviews/mine"), &json!({ "stars": stars, "text": text }))
}

/// The ids of the learner's review and of the staff's.
async fn written(r: &mut Recorder<'_>, learner: &ApiClient) -> anyhow::Result<(String, String)> {
    let (academy, staff) = (r.umraniye.clone(), r.staff.clone());
    let mine = |course: &str| Ask::get(format!("{course}/reviews/mine"));
    r.bad((MINE, "before there is one"), learner, mine(ISIK)).await?;
    r.good((WRITE, "stars alone"), learner, write(ISIK, 4, None)).await?;
    let text = "Beyaz ışığın yolculuğu: İYİ anlatılmış 🎓";
    let own = r.turkish((WRITE, "with words"), learner, write(ISIK, 4, Some(text))).await?.json()?;
    r.bad((WRITE, "six stars"), learner, write(ISIK, 6, None)).await?;
    r.bad((WRITE, "no words"), learner, write(ISIK, 3, Some(" "))).await?;
    r.bad((WRITE, "an unknown course"), learner, write(UNKNOWN, 3, None)).await?;
    r.bad((WRITE, "not enrolled"), learner, write(EMPTY, 3, None)).await?;
    r.good((MINE, "mine"), learner, mine(ISIK)).await?;
    r.turkish((MINE, "in Turkish"), learner, mine(ISIK)).await?;
    r.bad((MINE, "made-up token"), &academy.signed_in("abc"), mine(ISIK)).await?;
    let enrol = Ask::post("/api/v1/enrolments", &json!({ "person": r.deployment.staff, "course": COURSE }));
    r.send(Kind::Good, (ENROLMENTS, "the staff itself"), &staff, &enrol).await?;
    let staffs = write(ISIK, 2, Some("Kısa"));
    let staffs = r.send(Kind::Good, (WRITE, "by staff"), &staff, &staffs).await?.json()?;
    Ok((own.text("id")?, staffs.text("id")?))
}

async fn read(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let (academy, kadikoy) = (r.umraniye.clone(), r.kadikoy.clone());
    let list = format!("{ISIK}/reviews");
    r.good((LIST, "reviews"), &academy, Ask::get(list.as_str())).await?;
    r.turkish((LIST, "in Turkish"), &academy, Ask::get(list.as_str())).await?;
    r.paged(LIST, &academy, &list, "").await?;
    for (name, query) in
        [("the best first", "sort=highest"), ("the worst first", "sort=lowest"), ("of four stars", "stars=4")]
    {
        r.send(Kind::Good, (LIST, name), &academy, &Ask::get(format!("{list}?{query}"))).await?;
    }
    r.send(Kind::Good, (LIST, "none"), &academy, &Ask::get(format!("{EMPTY}/reviews"))).await?;
    r.bad((LIST, "the longest first"), &academy, Ask::get(format!("{list}?sort=longest"))).await?;
    r.bad((LIST, "of nine stars"), &academy, Ask::get(format!("{list}?stars=9"))).await?;
    r.bad((LIST, "another academy's course"), &kadikoy, Ask::get(list)).await?;
    Ok(())
}

async fn moderated(
    r: &mut Recorder<'_>,
    learner: &ApiClient,
    (own, staffs): (&str, &str),
) -> anyhow::Result<()> {
    let staff = r.staff.clone();
    let report = |review: &str, reason: &str| {
        Ask::post(format!("/api/v1/reviews/{review}/reports"), &json!({ "reason": reason }))
    };
    r.good((REPORT, "the staff's"), learner, report(staffs, "off_topic")).await?;
    r.bad((REPORT, "one's own"), learner, report(own, "other")).await?;
    r.bad((REPORT, "for no reason"), learner, report(staffs, "rude")).await?;
    r.bad((REPORT, "nothing"), learner, report(NOTHING, "other")).await?;
    let list = "/api/v1/reviews";
    r.good((FOR_STAFF, "reported"), &staff, Ask::get(list)).await?;
    let shown = Ask::get(format!("{list}?state=shown"));
    let shown = r.turkish((FOR_STAFF, "in Turkish"), &staff, shown).await?.json()?;
    r.paged(FOR_STAFF, &staff, list, "?state=shown").await?;
    r.bad((FOR_STAFF, "in no state"), &staff, Ask::get(format!("{list}?state=gone"))).await?;

    let decide = |review: &str, decision: Value| {
        Ask::json(Method::PUT, format!("/api/v1/reviews/{review}/state"), &decision)
    };
    let seen = version_of(&shown, own)?;
    let hide = json!({ "state": "hidden", "reason": "insult", "version": seen });
    let hidden = r.good((DECIDE, "hide"), &staff, decide(own, hide.clone())).await?.json()?;
    r.bad((DECIDE, "hide as it was before"), &staff, decide(own, hide.clone())).await?;
    let told = json!({ "state": "hidden", "reason": "other", "note": "Işığı değil, öğretmeni anlatıyor.",
                       "version": hidden.get("version") });
    r.turkish((DECIDE, "hide with a note"), &staff, decide(own, told)).await?;
    let told_nothing = json!({ "state": "hidden", "version": seen });
    r.bad((DECIDE, "hide for no reason"), &staff, decide(own, told_nothing)).await?;
    r.bad((DECIDE, "nothing"), &staff, decide(NOTHING, hide)).await?;

    let delete = |course: &str| Ask::new(Method::DELETE, format!("{course}/reviews/mine"));
    r.good((DELETE, "a hidden one"), learner, delete(ISIK)).await?;
    r.bad((DELETE, "of an unknown course"), learner, delete(UNKNOWN)).await?;
    let hidden = Ask::get(format!("{list}?state=hidden"));
    let hidden = r.send(Kind::Good, (FOR_STAFF, "hidden"), &staff, &hidden).await?.json()?;
    let show = json!({ "state": "shown", "version": version_of(&hidden, own)? });
    r.send(Kind::Good, (DECIDE, "show again"), &staff, &decide(own, show)).await?;
    r.send(Kind::Good, (DELETE, "a shown one"), learner, &delete(ISIK)).await?;
    // It stays until the learner is erased.
    r.send(Kind::Good, (WRITE, "anew"), learner, &write(ISIK, 5, None)).await?;
    Ok(())
}

/// The version of a review in a list for staff.
fn version_of(list: &Value, review: &str) -> anyhow::Result<Value> {
    let entries = list.get("data").and_then(Value::as_array).context("the list has no entries")?;
    let entry = entries.iter().find(|entry| entry.get("id") == Some(&json!(review)));
    entry.and_then(|entry| entry.get("version")).cloned().context("the review is not listed")
}

/// While the academy has reviews wait.
async fn approved(r: &mut Recorder<'_>, learner: &ApiClient) -> anyhow::Result<()> {
    let staff = r.staff.clone();
    let need = |needed: bool| Ask::json(Method::PATCH, SETTINGS, &json!({ "reviews_need_approval": needed }));
    r.send(Kind::Good, (CHANGE_SETTINGS, "reviews wait"), &staff, &need(true)).await?;
    let written = r.send(Kind::Good, (WRITE, "to wait"), learner, &write(ISIK, 3, Some("Bekliyor"))).await?;
    let id = written.json()?.text("id")?;
    let waiting = Ask::get("/api/v1/reviews?state=waiting");
    let listed = r.send(Kind::Good, (FOR_STAFF, "waiting"), &staff, &waiting).await?.json()?;
    let version = listed.pointer("/data/0/version").cloned().context("no review waits")?;
    let approve = |reviews: Value| Ask::post("/api/v1/reviews/approvals", &json!({ "reviews": reviews }));
    r.bad((APPROVE, "none"), &staff, approve(json!([]))).await?;
    let twice = json!([{ "id": id, "version": version }, { "id": id, "version": 1 }]);
    r.bad((APPROVE, "one twice"), &staff, approve(twice)).await?;
    let both = json!([{ "id": id, "version": version }, { "id": NOTHING, "version": 1 }]);
    r.good((APPROVE, "one of two"), &staff, approve(both)).await?;
    r.send(Kind::Good, (CHANGE_SETTINGS, "reviews are shown at once"), &staff, &need(false)).await?;
    Ok(())
}

async fn liked(r: &mut Recorder<'_>, learner: &ApiClient) -> anyhow::Result<()> {
    let academy = r.umraniye.clone();
    let like = |course: &str| Ask::new(Method::PUT, format!("{course}/like"));
    r.good((LIKE, "like"), learner, like(ISIK)).await?;
    r.send(Kind::Good, (LIKE, "another one"), learner, &like(EMPTY)).await?;
    r.bad((LIKE, "an unknown course"), learner, like(UNKNOWN)).await?;
    let path = "/api/v1/users/me/likes";
    r.good((LIKES, "likes"), learner, Ask::get(path)).await?;
    r.turkish((LIKES, "in Turkish"), learner, Ask::get(path)).await?;
    r.paged(LIKES, learner, path, "").await?;
    r.bad((LIKES, "made-up token"), &academy.signed_in("abc"), Ask::get(path)).await?;
    let unlike = |course: &str| Ask::new(Method::DELETE, format!("{course}/like"));
    r.good((UNLIKE, "no longer"), learner, unlike(EMPTY)).await?;
    r.bad((UNLIKE, "an unknown course"), learner, unlike(UNKNOWN)).await?;
    Ok(())
}

async fn shared(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let (academy, staff) = (r.umraniye.clone(), r.staff.clone());
    let share = |course: &str, via: &str| Ask::post(format!("{course}/shares"), &json!({ "via": via }));
    r.good((SHARE, "to copy"), &academy, share(ISIK, "copy")).await?;
    for via in ["whatsapp", "x", "facebook", "linkedin", "telegram", "email"] {
        r.turkish((SHARE, via), &academy, share(ISIK, via)).await?;
    }
    r.bad((SHARE, "nowhere"), &academy, share(ISIK, "myspace")).await?;
    r.bad((SHARE, "an unknown course"), &academy, share(UNKNOWN, "copy")).await?;
    let visit = |course: &str, via: &str| Ask::post(format!("{course}/visits"), &json!({ "via": via }));
    r.good((VISIT, "by a link"), &academy, visit(ISIK, "copy")).await?;
    r.send(Kind::Good, (VISIT, "by a mark that nobody made"), &academy, &visit(EMPTY, "copy")).await?;
    r.bad((VISIT, "an unknown course"), &academy, visit(UNKNOWN, "copy")).await?;
    let counts = |course: &str, query: &str| Ask::get(format!("/api/v1/shares/courses/{course}{query}"));
    r.good((VISITS, "counts"), &staff, counts(COURSE, "")).await?;
    r.bad((VISITS, "an unknown course"), &staff, counts(NOTHING, "")).await?;
    let backwards = counts(COURSE, "?from=2026-02-01&to=2026-01-01");
    r.bad((VISITS, "backwards"), &staff, backwards).await?;
    Ok(())
}
