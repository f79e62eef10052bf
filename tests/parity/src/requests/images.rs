//! Images of an upload, and their files for everybody, through `origin`.

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

    let remove = |image: &str| Ask::new(Method::DELETE, of(image));
    r.good((REMOVE, "cropped again"), &staff, remove(&other.text("id")?)).await?;
    r.bad((REMOVE, "unknown"), &staff, remove(NOTHING)).await?;
    Ok(())
}
