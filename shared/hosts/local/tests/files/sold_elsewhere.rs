//! A course that another shop sells, in both planes.

use akademi_local::api_client::JsonExt;
use akademi_sync::Trigger;
use http::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::deployment::{Deployment, INSTRUCTOR, LEARNER};

const ADMINISTRATOR: &str = "yonetici@umraniye.example";
const URL: &str = "https://shop.example/isik?dil=tr";

#[tokio::test(flavor = "multi_thread")]
async fn staff_says_who_sells_a_course_visitors_go_there_and_staff_sees_how_many() {
    let deployment = Deployment::start().await;
    let (instructor, learner) = (deployment.sign_in(INSTRUCTOR).await, deployment.sign_in(LEARNER).await);
    let administrator = deployment.sign_in(ADMINISTRATOR).await;

    let drafts = "/api/v1/authoring/courses";
    let draft = instructor.post(drafts, &json!({ "title": "Işık ve Gölge" })).await.unwrap();
    let draft = draft.expect(StatusCode::CREATED).unwrap();
    let (id, slug) = (draft.text("id").unwrap(), draft.text("slug").unwrap());
    let lesson = json!({ "title": "Ders", "body": { "kind": "html", "html": "<p>Işık</p>" } });
    let sections = json!([{ "title": "Bölüm", "lessons": [lesson] }]);
    let content =
        json!({ "revision": draft["revision"], "modules": [{ "title": "Modül", "sections": sections }] });
    let content =
        instructor.send_json(Method::PUT, &format!("{drafts}/{id}/content"), &content).await.unwrap();
    content.expect(StatusCode::OK).unwrap();
    let published = instructor.post(&format!("{drafts}/{id}/publish"), &json!({})).await.unwrap();
    published.expect(StatusCode::OK).unwrap();
    let commerce = format!("/api/v1/commerce/courses/{id}");
    let price = json!({ "amount": 14_990, "currency": "TRY", "vat_basis_points": 2000 });
    let price = instructor.send_json(Method::PUT, &format!("{commerce}/price"), &price).await.unwrap();
    price.expect(StatusCode::OK).unwrap();
    let page = format!("/api/v1/catalog/courses/{slug}");
    let shown = async || learner.get(&page).await.unwrap().expect(StatusCode::OK).unwrap();
    // The deployment's own run may be at it, which leaves this one nothing to do.
    let told = async |has_come: fn(&Value) -> bool| {
        for _ in 0..1000 {
            deployment.local.lambda.sync.handle(Trigger::Wake).await.unwrap();
            let answer = learner.get(&page).await.unwrap();
            if answer.status == StatusCode::OK && has_come(&answer.json().unwrap()) {
                return;
            }
        }
        panic!("the edge does not hear of it");
    };
    told(|card| card["price"]["amount"] == 14_990).await;
    assert_eq!(
        (&shown().await["sold_elsewhere"], shown().await["price"]["amount"].as_i64()),
        (&Value::Null, Some(14_990))
    );
    let basket = json!({ "courses": [id] });
    let quoted =
        learner.post("/api/v1/coupons/quote", &basket).await.unwrap().expect(StatusCode::OK).unwrap();

    let path = format!("{commerce}/sold-elsewhere");
    let shop = json!({ "label": "Işık Kitabevi", "url": URL });
    instructor.send_json(Method::PUT, &path, &shop).await.unwrap().expect(StatusCode::OK).unwrap();
    let order =
        json!({ "quote": quoted["quote"], "buyer": { "phone": "05550000000", "address": "Ümraniye" } });
    let key = [
        (header::CONTENT_TYPE, "application/json".parse().unwrap()),
        (http::HeaderName::from_static("idempotency-key"), "k".parse().unwrap()),
    ];
    let order = learner.send(Method::POST, "/api/v1/orders", &key, order.to_string().into()).await.unwrap();
    assert_eq!(order.status, StatusCode::CONFLICT, "though the edge has not heard of it");
    assert_eq!(order.json().unwrap()["type"], "/problems/sold-elsewhere");
    told(|card| !card["sold_elsewhere"].is_null()).await;
    let card = shown().await;
    let url = format!("{page}/go");
    assert_eq!(
        (&card["sold_elsewhere"], &card["price"]),
        (&json!({ "label": "Işık Kitabevi", "url": url }), &Value::Null)
    );
    let refused = learner.post("/api/v1/coupons/quote", &basket).await.unwrap();
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    for _ in 0..3 {
        let sent = learner.get(&url).await.unwrap();
        assert_eq!(
            (sent.status, &sent.headers[header::LOCATION]),
            (StatusCode::SEE_OTHER, &URL.parse::<header::HeaderValue>().unwrap())
        );
    }
    let clicks = administrator.get(&format!("/api/v1/clicks/courses/{id}")).await.unwrap();
    let clicks = clicks.expect(StatusCode::OK).unwrap();
    let counted: i64 =
        clicks["data"].as_array().unwrap().iter().map(|day| day["clicks"].as_i64().unwrap()).sum();
    assert_eq!(counted, 3, "{clicks}");

    let removed = instructor.send(Method::DELETE, &path, &[], bytes::Bytes::new()).await.unwrap();
    assert_eq!(removed.status, StatusCode::NO_CONTENT);
    told(|card| card["sold_elsewhere"].is_null()).await;
    assert_eq!(
        (&shown().await["sold_elsewhere"], shown().await["price"]["amount"].as_i64()),
        (&Value::Null, Some(14_990))
    );
    assert_eq!(learner.get(&url).await.unwrap().status, StatusCode::NOT_FOUND);
}
