//! What a guest and a learner mean to buy, and where bills go.

use akademi_local::api_client::JsonExt;
use anyhow::Context;
use http::{HeaderValue, Method, header};
use serde_json::{Value, json};

use super::{NOTHING, OTHER_COURSE};
use crate::{ask::Ask, kind::Kind, recorder::Recorder};

const CART: &str = "GET /api/v1/cart";
const EMPTY: &str = "DELETE /api/v1/cart";
const PUT_COURSE: &str = "PUT /api/v1/cart/courses/{course_id}";
const REMOVE_COURSE: &str = "DELETE /api/v1/cart/courses/{course_id}";
const PUT_BUNDLE: &str = "PUT /api/v1/cart/bundles/{bundle_id}";
const REMOVE_BUNDLE: &str = "DELETE /api/v1/cart/bundles/{bundle_id}";
const PUT_COUPON: &str = "PUT /api/v1/cart/coupons/{code}";
const REMOVE_COUPON: &str = "DELETE /api/v1/cart/coupons/{code}";
const ADDRESSES: &str = "GET /api/v1/users/me/addresses";
const ADD: &str = "POST /api/v1/users/me/addresses";
const CHANGE: &str = "PUT /api/v1/users/me/addresses/{address_id}";
const REMOVE: &str = "DELETE /api/v1/users/me/addresses/{address_id}";

const OWN: &str = "/api/v1/cart";

fn put(path: &str) -> Ask {
    Ask::new(Method::PUT, format!("{OWN}/{path}"))
}

fn remove(path: &str) -> Ask {
    Ask::new(Method::DELETE, format!("{OWN}/{path}"))
}

/// `bundle` is for sale at the edge, and so is the coupon `hosgeldin`.
pub async fn cart(r: &mut Recorder<'_>, bundle: &str) -> anyhow::Result<()> {
    let (umraniye, learner) = (r.umraniye.clone(), r.learner()?);
    let course = format!("courses/{OTHER_COURSE}");
    let bundle = format!("bundles/{bundle}");
    // `HOŞGELDİN`.
    let (coupon, typed) = ("coupons/hosgeldin", "coupons/HO%C5%9EGELD%C4%B0N");
    r.send(Kind::Good, (CART, "of a guest who has none"), &umraniye, &Ask::get(OWN)).await?;
    let begun = r.good((PUT_COURSE, "of a guest"), &umraniye, put(&course)).await?;
    let cookie = begun.headers.get(header::SET_COOKIE).and_then(|cookie| cookie.to_str().ok());
    let cookie = cookie.and_then(|cookie| cookie.split(';').next()).context("no cookie")?;
    let kept = |ask: Ask| anyhow::Ok(ask.with(header::COOKIE, HeaderValue::from_str(cookie)?));
    r.send(Kind::Good, (CART, "of a guest"), &umraniye, &kept(Ask::get(OWN))?).await?;
    r.bad((PUT_COURSE, "of another site"), &umraniye, kept(put(&course))?).await?;
    r.good((PUT_BUNDLE, "of a learner"), &learner, put(&bundle)).await?;
    r.good((PUT_COUPON, "of a learner"), &learner, put(coupon)).await?;
    r.turkish((PUT_COUPON, "as it is typed"), &learner, put(typed)).await?;
    r.send(Kind::Good, (CART, "both carts in one"), &learner, &kept(Ask::get(OWN))?).await?;
    r.good((CART, "of a learner"), &learner, Ask::get(OWN)).await?;
    r.turkish((CART, "of a learner"), &learner, Ask::get(OWN)).await?;
    for (name, ask) in [
        ((PUT_COURSE, "unknown"), put(&format!("courses/{NOTHING}"))),
        ((PUT_BUNDLE, "unknown"), put(&format!("bundles/{NOTHING}"))),
        ((PUT_COUPON, "unknown"), put("coupons/yok")),
        ((REMOVE_COURSE, "that is not in it"), remove(&format!("courses/{NOTHING}"))),
        ((REMOVE_BUNDLE, "that is not in it"), remove(&format!("bundles/{NOTHING}"))),
        ((REMOVE_COUPON, "that is not in it"), remove("coupons/yok")),
    ] {
        r.bad(name, &learner, ask).await?;
    }
    let made_up = umraniye.signed_in("abc");
    r.bad((CART, "made-up token"), &made_up, Ask::get(OWN)).await?;
    r.bad((EMPTY, "made-up token"), &made_up, Ask::new(Method::DELETE, OWN)).await?;
    r.good((REMOVE_COURSE, "of a learner"), &learner, remove(&course)).await?;
    r.good((REMOVE_BUNDLE, "of a learner"), &learner, remove(&bundle)).await?;
    r.good((REMOVE_COUPON, "of a learner"), &learner, remove(coupon)).await?;
    r.send(Kind::Good, (PUT_COURSE, "once more"), &learner, &put(&course)).await?;
    r.good((EMPTY, "of a learner"), &learner, Ask::new(Method::DELETE, OWN)).await?;
    // What stays is told to its owner.
    r.send(Kind::Good, (PUT_COUPON, "that stays"), &learner, &put(coupon)).await?;
    addresses(r).await
}

async fn addresses(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let (umraniye, learner) = (r.umraniye.clone(), r.learner()?);
    let own = "/api/v1/users/me/addresses";
    let address = |city: &str, is_default: bool| {
        json!({ "kind": "individual", "name": "Sukru C.", "country": "TR", "city": city, "district": "Merkez",
                "lines": ["Sokak 1"], "phone": "+905321112233", "is_default": is_default })
    };
    r.good((ADD, "the first"), &learner, Ask::post(own, &address("Ankara", false))).await?;
    r.turkish((ADD, "in Turkish"), &learner, Ask::post(own, &address("Iğdır", true))).await?;
    r.bad((ADD, "of no city"), &learner, Ask::post(own, &address("", false))).await?;
    let listed = r.good((ADDRESSES, "both"), &learner, Ask::get(own)).await?.json()?;
    r.turkish((ADDRESSES, "both"), &learner, Ask::get(own)).await?;
    r.bad((ADDRESSES, "made-up token"), &umraniye.signed_in("abc"), Ask::get(own)).await?;
    let first =
        listed.pointer("/data/0").map(|first: &Value| first.text("id")).context("there is none")??;
    let path = format!("{own}/{first}");
    let change = |path: &str, city: &str| Ask::json(Method::PUT, path, &address(city, true));
    r.good((CHANGE, "the first"), &learner, change(&path, "Izmir")).await?;
    r.turkish((CHANGE, "in Turkish"), &learner, change(&path, "İzmir")).await?;
    r.bad((CHANGE, "unknown"), &learner, change(&format!("{own}/{NOTHING}"), "Izmir")).await?;
    r.bad((REMOVE, "unknown"), &learner, Ask::new(Method::DELETE, format!("{own}/{NOTHING}"))).await?;
    r.good((REMOVE, "the first"), &learner, Ask::new(Method::DELETE, path)).await?;
    Ok(())
}
