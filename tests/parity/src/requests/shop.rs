//! Bundles, sales, and what somebody has used up.

use akademi_domain::{
    ids::CouponId,
    money::{Currency, Money},
    pricing::{BasisPoints, Sale},
    time::Timestamp,
};
use akademi_feed::LambdaEvent;
use akademi_local::api_client::JsonExt;
use http::Method;
use serde_json::json;

use super::{
    COURSE, NOTHING, OTHER_COURSE,
    commerce::{AMOUNT, QUOTE},
};
use crate::{ask::Ask, recorder::Recorder};

const NEW_BUNDLE: &str = "POST /api/v1/commerce/bundles";
const BUNDLES: &str = "GET /api/v1/commerce/bundles";
const CHANGE_BUNDLE: &str = "PUT /api/v1/commerce/bundles/{bundle_id}";
const WITH_COUPON: &str = "GET /api/v1/catalog/with-coupon";
const ON_SALE: &str = "GET /api/v1/catalog/on-sale";
/// In the year 2100.
const LONG_FROM_NOW: Timestamp = Timestamp::from_millis(4_102_444_800_000);

/// Of both courses, each of which has a price; the id of one of them.
pub async fn bundles(r: &mut Recorder<'_>) -> anyhow::Result<String> {
    let staff = r.staff.clone();
    let bundles = "/api/v1/commerce/bundles";
    let bundle = |method: Method, path: &str, title: &str, courses: &[&str]| {
        let price = json!({ "amount": AMOUNT, "currency": "TRY" });
        Ask::json(method, path, &json!({ "title": title, "courses": courses, "price": price }))
    };
    let both = &[COURSE, OTHER_COURSE];
    let made =
        r.good((NEW_BUNDLE, "bundle"), &staff, bundle(Method::POST, bundles, "Two in one", both)).await?;
    let turkish = bundle(Method::POST, bundles, "İkisi bir arada: şık ve ılık", both);
    r.turkish((NEW_BUNDLE, "Turkish letters"), &staff, turkish).await?;
    r.bad((NEW_BUNDLE, "the same title"), &staff, bundle(Method::POST, bundles, "Two in one", both)).await?;
    let alone = bundle(Method::POST, bundles, "One", &[COURSE]);
    r.bad((NEW_BUNDLE, "of one course"), &staff, alone).await?;
    r.good((BUNDLES, "bundles"), &staff, Ask::get(bundles)).await?;
    r.paged(BUNDLES, &staff, bundles, "").await?;
    let id = made.json()?.text("id")?;
    let path = format!("{bundles}/{id}");
    r.good((CHANGE_BUNDLE, "changed"), &staff, bundle(Method::PUT, &path, "Two", both)).await?;
    r.turkish((CHANGE_BUNDLE, "Turkish letters"), &staff, bundle(Method::PUT, &path, "Çift", both)).await?;
    let unknown = bundle(Method::PUT, &format!("{bundles}/{NOTHING}"), "None", both);
    r.bad((CHANGE_BUNDLE, "unknown"), &staff, unknown).await?;
    Ok(id)
}

/// Tells the edge of a sale of both courses, of the bundle, and of a coupon that somebody has used up.
pub async fn sales(r: &mut Recorder<'_>, bundle: &str) -> anyhow::Result<()> {
    let (umraniye, learner) = (r.umraniye.clone(), r.learner()?);
    let at = Timestamp::from_millis(0);
    let price = Money { amount: AMOUNT, currency: Currency::TRY };
    let reduced = Money { amount: AMOUNT - 1, ..price };
    let sale = Some(Sale { price: reduced, starts_at: at, ends_at: LONG_FROM_NOW });
    for (name, course) in [("a sale", COURSE), ("another sale", OTHER_COURSE)] {
        let set = LambdaEvent::PriceSet {
            course: course.parse()?,
            price,
            vat_rate: BasisPoints::try_from(2000)?,
            sale,
            categories: vec!["yazilim".parse()?],
            at,
        };
        r.bring(name, &set).await?;
    }
    let on_sale = "/api/v1/catalog/on-sale";
    r.good((ON_SALE, "sales"), &umraniye, Ask::get(on_sale)).await?;
    r.paged(ON_SALE, &umraniye, on_sale, "").await?;
    r.bad((ON_SALE, "unknown parameter"), &umraniye, Ask::get(format!("{on_sale}?page=2"))).await?;

    let saved = LambdaEvent::BundleSaved {
        id: bundle.parse()?,
        title: "Çift".parse()?,
        courses: vec![COURSE.parse()?, OTHER_COURSE.parse()?],
        price,
        sale: None,
        for_sale: true,
        at,
    };
    r.bring("a bundle", &saved).await?;
    let id: CouponId = NOTHING.parse()?;
    let terms = json!({ "discount": { "kind": "free" }, "scope": { "kind": "all" }, "first_purchase_only": true,
                "public": true });
    let welcome = LambdaEvent::CouponSaved {
        id,
        code: "hosgeldin".parse()?,
        terms: serde_json::from_value(terms)?,
        available: true,
        at,
    };
    r.bring("a coupon for a first purchase", &welcome).await?;
    let with_coupon = "/api/v1/catalog/with-coupon";
    r.good((WITH_COUPON, "cheaper"), &umraniye, Ask::get(with_coupon)).await?;
    r.paged(WITH_COUPON, &umraniye, with_coupon, "").await?;
    r.bad((WITH_COUPON, "unknown parameter"), &umraniye, Ask::get(format!("{with_coupon}?page=2"))).await?;
    for (name, spent) in [("a coupon is used up", true), ("a use came back", false)] {
        r.bring(name, &LambdaEvent::CouponSpent { coupon: id, person: NOTHING.parse()?, spent, at }).await?;
    }
    let basket = |bundle: &str, codes: &[&str]| {
        Ask::post("/api/v1/coupons/quote", &json!({ "bundles": [bundle], "coupons": codes }))
    };
    r.good((QUOTE, "with a bundle"), &learner, basket(bundle, &["HOŞGELDİN"])).await?;
    r.bad((QUOTE, "an unknown bundle"), &learner, basket(NOTHING, &[])).await?;
    Ok(())
}
