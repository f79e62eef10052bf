//! Sales, and bundles of courses.

use akademi_domain::{
    ids::{BundleId, OrderId},
    permission::{Permission, Permissions},
    pricing::{BasisPoints, Bundle, Line, Product},
};
use akademi_feed::LambdaEvent;
use http::Method;
use serde_json::{Value, json};

use crate::academy::{Academy, Who, course, learner, line, lira, person, staff, tenant};
use crate::ports::NOW;

const BUNDLES: &str = "/api/v1/commerce/bundles";

async fn make(academy: &Academy, who: Who, body: &Value) -> (u16, Value) {
    let answer = academy.call(who, Method::POST, BUNDLES, None, Some(body)).await;
    (answer.status, answer.json())
}

fn body(title: &str, courses: &[u8], amount: i64) -> Value {
    let courses: Vec<_> = courses.iter().map(|n| course(*n)).collect();
    json!({ "title": title, "courses": courses, "price": lira(amount) })
}

/// Courses 1 and 2 for 200.00, as the edge prices them.
fn lines(id: BundleId) -> Vec<Line> {
    let product = |n, amount| Product {
        course: course(n),
        price: lira(amount),
        sale: None,
        vat_rate: BasisPoints::new(2000).unwrap(),
        categories: vec![],
    };
    let courses = vec![product(1, 14990), product(2, 10000)];
    Bundle { id, price: lira(20000), sale: None, courses }.lines(&[], NOW).unwrap()
}

async fn bundle(academy: &Academy) -> BundleId {
    let (status, made) = make(academy, staff(), &body("İkisi bir arada", &[1, 2], 20000)).await;
    assert_eq!(status, 201, "{made}");
    serde_json::from_value(made["id"].clone()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_is_what_is_paid_until_it_ends() {
    let academy = Academy::new().await;
    let path = format!("/api/v1/commerce/courses/{}/price", course(1));
    let sale =
        |amount: i64| json!({ "price": lira(amount), "starts_at": NOW, "ends_at": NOW.plus_seconds(60) });
    let price = |sale: Value| {
        json!({ "amount": 14990, "currency": "TRY", "vat_basis_points": 2000, "sale": sale,
                "categories": ["yazilim"] })
    };
    let set = academy.call(staff(), Method::PUT, &path, None, Some(&price(sale(9990)))).await;
    assert_eq!((set.status, &set.json()["sale"]["price"]), (200, &json!(lira(9990))));
    let shown = academy.call(staff(), Method::GET, &path, None, None).await.json();
    assert_eq!((&shown["categories"], &shown["sale"]), (&json!(["yazilim"]), &sale(9990)));
    let LambdaEvent::PriceSet { sale: told, categories, .. } = academy.events().await.pop().unwrap() else {
        panic!("no price")
    };
    assert_eq!((json!(told), json!(categories)), (sale(9990), json!(["yazilim"])));

    let regular = academy.quote(learner(1), &[(1, 14990)], None);
    let reduced = academy.quote(learner(1), &[(1, 9990)], None);
    assert_eq!(academy.order(learner(1), "a", &regular).await.problem(), (409, "price-changed".into()));
    let made = academy.order(learner(1), "a", &reduced).await;
    assert_eq!((made.status, &made.json()["total"]), (201, &json!(lira(9990))));
    academy.clock.advance_seconds(60);
    assert_eq!(academy.order(learner(1), "b", &reduced).await.problem(), (409, "price-changed".into()));

    let euros = json!({ "amount": 1, "currency": "EUR" });
    for (bad, field) in [
        (sale(14990), "sale.price.amount"),
        (sale(-1), "sale.price.amount"),
        (json!({ "price": euros, "starts_at": NOW, "ends_at": NOW.plus_seconds(1) }), "sale.price.currency"),
        (json!({ "price": lira(1), "starts_at": NOW, "ends_at": NOW }), "sale.ends_at"),
        (json!({ "price": lira(1), "starts_at": NOW }), "sale.ends_at"),
    ] {
        let refused = academy.call(staff(), Method::PUT, &path, None, Some(&price(bad.clone()))).await;
        assert_eq!((refused.status, &refused.json()["errors"][0]["field"]), (422, &json!(field)), "{bad}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_is_made_once_per_title_changed_listed_and_told_to_the_edge() {
    let academy = Academy::new().await;
    let id = bundle(&academy).await;
    let (status, refused) = make(&academy, staff(), &body("İkisi bir arada", &[1, 3], 1)).await;
    assert_eq!((status, refused["type"].as_str().unwrap().ends_with("bundle-title-taken")), (409, true));
    let path = format!("{BUNDLES}/{id}");
    let mut off = body("İkisi", &[2, 1, 3], 15000);
    off["for_sale"] = json!(false);
    let changed = academy.call(staff(), Method::PUT, &path, None, Some(&off)).await;
    assert_eq!((changed.status, &changed.json()["for_sale"]), (200, &json!(false)));
    let told: Vec<_> = academy
        .events()
        .await
        .into_iter()
        .filter_map(|event| match event {
            LambdaEvent::BundleSaved { id, courses, price, for_sale, .. } => {
                Some((id, courses.len(), price, for_sale))
            }
            _ => None,
        })
        .collect();
    assert_eq!(told, [(id, 2, lira(20000), true), (id, 3, lira(15000), false)]);
    let listed = academy.call(staff(), Method::GET, BUNDLES, None, None).await.json();
    assert_eq!((&listed["data"][0], listed["data"].as_array().unwrap().len()), (&changed.json(), 1));
    let actions = "SELECT action FROM audit_entry WHERE action LIKE 'bundle%' ORDER BY number";
    assert_eq!(academy.texts(actions).await, ["bundle.created", "bundle.changed"]);

    let other = Who { tenant: tenant(2), ..staff() };
    let stranger =
        Who { user: person(201), permissions: Permissions::NONE.with(Permission::CommerceWrite), ..staff() };
    for who in [other, stranger] {
        assert_eq!(academy.call(who, Method::PUT, &path, None, Some(&off)).await.status, 404);
        assert_eq!(academy.call(who, Method::GET, BUNDLES, None, None).await.json()["data"], json!([]));
        assert_eq!(make(&academy, who, &body("Başka", &[1, 2], 1)).await.0, 422, "not their courses");
    }
    let owner = Who { user: person(200), ..stranger };
    assert_eq!(make(&academy, owner, &body("Benim", &[1, 2], 1)).await.0, 201, "their own");
    assert_eq!(make(&academy, learner(1), &body("Öğrenci", &[1, 2], 1)).await.0, 403);
    for (bad, field) in [
        (body("a", &[1], 1), "courses"),
        (body("a", &[1, 1], 1), "courses[1]"),
        (body("a", &[1, 4], 1), "courses"),
        (body("a", &[1, 9], 1), "courses"),
        (body("a", &[1, 2], -1), "price.amount"),
        (body("", &[1, 2], 1), "title"),
    ] {
        let (status, refused) = make(&academy, staff(), &bad).await;
        assert_eq!((status, &refused["errors"][0]["field"]), (422, &json!(field)), "{bad}: {refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_is_bought_as_its_courses() {
    let academy = Academy::new().await;
    let id = bundle(&academy).await;
    let basket = [vec![line(3, 0)], lines(id)].concat();
    let quote = academy.quote_lines(learner(1), &basket, &[]);
    let made = academy.order(learner(1), "k", &quote).await;
    assert_eq!((made.status, &made.json()["total"]), (201, &json!(lira(20000))), "{}", made.json());
    let path = format!("/api/v1/orders/{}", made.json()["id"].as_str().unwrap());
    let order = academy.call(learner(1), Method::GET, &path, None, None).await.json();
    let of = |field: &str| -> Vec<Value> {
        order["lines"].as_array().unwrap().iter().map(|line| line[field].clone()).collect()
    };
    assert_eq!(of("bundle"), [json!(null), json!(id), json!(id)]);
    assert_eq!(of("price"), [json!(lira(0)), json!(lira(11997)), json!(lira(8003))]);
    assert_eq!(academy.pay(&academy.provider.sent("merchant_oid"), 20000).await.body, "OK");
    assert_eq!(academy.granted(person(1)).await, [course(3), course(1), course(2)]);
    assert_eq!(academy.number("SELECT sum(total)::bigint FROM order_line").await, 20000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_that_changed_since_its_quote_is_not_ordered() {
    let academy = Academy::new().await;
    let id = bundle(&academy).await;
    let quote = academy.quote_lines(learner(1), &lines(id), &[]);
    let alone: Vec<Line> = lines(id).into_iter().map(|line| Line { bundle: None, ..line }).collect();
    let unbundled = academy.quote_lines(learner(1), &alone, &[]);
    let half = academy.quote_lines(learner(1), &lines(id)[..1], &[]);
    let unknown = academy.quote_lines(learner(1), &lines(BundleId::new(NOW, [9; 10])), &[]);
    let changed = (409, "price-changed".to_owned());
    for quote in [unbundled, half, unknown] {
        assert_eq!(academy.order(learner(1), "k", &quote).await.problem(), changed);
    }
    let path = format!("{BUNDLES}/{id}");
    let mut off = body("İkisi", &[1, 2], 20000);
    off["for_sale"] = json!(false);
    for (change, is_sold) in [
        (body("İkisi", &[1, 2], 19999), false),
        (body("İkisi", &[2, 1], 20000), false),
        (body("İkisi", &[1, 2, 3], 20000), false),
        (off, false),
        (body("İkisi", &[1, 2], 20000), true),
    ] {
        assert_eq!(academy.call(staff(), Method::PUT, &path, None, Some(&change)).await.status, 200);
        let answer = academy.order(learner(1), "k", &quote).await;
        match is_sold {
            true => assert_eq!(answer.status, 201, "{}", answer.json()),
            false => assert_eq!(answer.problem(), changed, "{change}"),
        }
    }
    let made: Vec<String> = academy.texts("SELECT id::text FROM customer_order").await;
    assert!(made.len() == 1 && made[0].parse::<OrderId>().is_ok());
}
