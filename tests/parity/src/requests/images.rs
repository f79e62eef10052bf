//! Images of an upload, their files for everybody, and where they stand, through `origin`.

use akademi_local::api_client::JsonExt;
use anyhow::Context;
use http::Method;
use serde_json::{Value, json};

use super::NOTHING;
use crate::{
    ask::Ask,
    kind::Kind,
    recorder::Recorder,
    seed::media::{PHOTO, UPLOADED},
};

const MAKE: &str = "POST /api/v1/images";
const LIST: &str = "GET /api/v1/images";
const SHOW: &str = "GET /api/v1/images/{image_id}";
const REMOVE: &str = "DELETE /api/v1/images/{image_id}";
const CREATE: &str = "POST /api/v1/authoring/courses";
const CHOSEN: &str = "GET /api/v1/authoring/courses/{course_id}/pictures";
const CHOOSE: &str = "PUT /api/v1/authoring/courses/{course_id}/pictures";
const LOGO: &str = "GET /api/v1/academy/certificate-logo";
const SET_LOGO: &str = "PUT /api/v1/academy/certificate-logo";
const REMOVE_LOGO: &str = "DELETE /api/v1/academy/certificate-logo";
const PICTURE: &str = "GET /api/v1/pictures/{name}";

pub async fn images(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let (staff, anybody, path) = (r.staff.clone(), r.umraniye.clone(), "/api/v1/images");
    let make = |upload: &str, y: f64| {
        let crop = json!({ "focal_point": { "x": 0.5, "y": y } });
        Ask::post(path, &json!({ "upload": upload, "preset": "course_card", "crop": crop }))
    };
    let photo = PHOTO.to_string();
    let made = r.good((MAKE, "card"), &staff, make(&photo, 0.5)).await?.json()?;
    let again = make(&photo, 0.0);
    let other = r.send(Kind::Good, (MAKE, "cropped again"), &staff, &again).await?.json()?;
    r.send(Kind::Good, (MAKE, "the same again"), &staff, &again).await?;
    r.bad((MAKE, "outside of the picture"), &staff, make(&photo, 1.5)).await?;
    r.bad((MAKE, "of a document"), &staff, make(&UPLOADED.to_string(), 0.5)).await?;
    r.bad((MAKE, "of nothing"), &staff, make(NOTHING, 0.5)).await?;

    let of = |image: &str| format!("{path}/{image}");
    r.good((LIST, "two"), &staff, Ask::get(path)).await?;
    r.paged(LIST, &staff, path, "").await?;
    r.good((SHOW, "card"), &staff, Ask::get(of(&made.text("id")?))).await?;
    r.bad((SHOW, "unknown"), &staff, Ask::get(of(NOTHING))).await?;

    let url = made.pointer("/variants/0/url").and_then(Value::as_str).context("it has no file")?;
    r.good((PICTURE, "card"), &anybody, Ask::get(url)).await?;
    r.bad((PICTURE, "of another academy"), &r.kadikoy.clone(), Ask::get(url)).await?;
    let unknown = format!("/api/v1/pictures/{}.webp", "0".repeat(64));
    r.bad((PICTURE, "unknown"), &anybody, Ask::get(unknown)).await?;
    r.bad((PICTURE, "no name"), &anybody, Ask::get("/api/v1/pictures/card.png")).await?;

    course(r, &made.text("id")?).await?;
    let logo = json!({ "upload": photo, "preset": "certificate_logo" });
    let logo = r.send(Kind::Good, (MAKE, "logo"), &staff, &Ask::post(path, &logo)).await?.json()?;
    certificates(r, &logo.text("id")?, &made.text("id")?).await?;

    let remove = |image: &str| Ask::new(Method::DELETE, of(image));
    r.bad((REMOVE, "of a draft"), &staff, remove(&made.text("id")?)).await?;
    r.good((REMOVE, "cropped again"), &staff, remove(&other.text("id")?)).await?;
    r.bad((REMOVE, "unknown"), &staff, remove(NOTHING)).await?;
    Ok(())
}

async fn course(r: &mut Recorder<'_>, card: &str) -> anyhow::Result<()> {
    let (staff, courses) = (r.staff.clone(), "/api/v1/authoring/courses");
    let create = Ask::post(courses, &json!({ "title": "With pictures" }));
    let draft = r.send(Kind::Good, (CREATE, "with pictures"), &staff, &create).await?.json()?;
    let path = format!("{courses}/{}/pictures", draft.text("id")?);
    let nowhere = format!("{courses}/{NOTHING}/pictures");
    let choose = |path: &str, revision: i64, card: &str| {
        let video = json!({ "from": "youtube", "id": "dQw4w9WgXcQ" });
        Ask::json(Method::PUT, path, &json!({ "revision": revision, "card": card, "video": video }))
    };
    r.good((CHOOSE, "card"), &staff, choose(&path, 1, card)).await?;
    r.bad((CHOOSE, "an old revision"), &staff, choose(&path, 1, card)).await?;
    r.bad((CHOOSE, "an unknown image"), &staff, choose(&path, 2, NOTHING)).await?;
    r.bad((CHOOSE, "unknown draft"), &staff, choose(&nowhere, 1, card)).await?;
    r.good((CHOSEN, "card"), &staff, Ask::get(&path)).await?;
    r.bad((CHOSEN, "unknown draft"), &staff, Ask::get(&nowhere)).await?;
    Ok(())
}

async fn certificates(r: &mut Recorder<'_>, logo: &str, card: &str) -> anyhow::Result<()> {
    let (staff, path) = (r.staff.clone(), "/api/v1/academy/certificate-logo");
    let stranger = r.umraniye.signed_in("abc");
    let set = |image: &str| Ask::json(Method::PUT, path, &json!({ "image": image }));
    r.good((SET_LOGO, "logo"), &staff, set(logo)).await?;
    r.bad((SET_LOGO, "a card"), &staff, set(card)).await?;
    r.bad((SET_LOGO, "an unknown image"), &staff, set(NOTHING)).await?;
    r.good((LOGO, "set"), &staff, Ask::get(path)).await?;
    r.bad((LOGO, "made-up token"), &stranger, Ask::get(path)).await?;
    r.good((REMOVE_LOGO, "set"), &staff, Ask::new(Method::DELETE, path)).await?;
    r.bad((REMOVE_LOGO, "made-up token"), &stranger, Ask::new(Method::DELETE, path)).await?;
    Ok(())
}
