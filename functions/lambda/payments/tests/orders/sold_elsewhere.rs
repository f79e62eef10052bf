//! Courses that another shop sells: set by staff, told to the edge, and ordered by nobody here.

use akademi_domain::permission::{Permission, Permissions};
use akademi_feed::LambdaEvent;
use http::Method;
use serde_json::{Value, json};
use sqlx::PgConnection;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::academy::{Academy, Who, course, learner, line, person, staff, tenant};
use crate::answer::Answer;

const URL: &str = "https://shop.example/isik?dil=tr";

impl Academy {
    async fn sell_elsewhere(&self, who: Who, n: u8, method: Method, body: Option<&Value>) -> Answer {
        let target = format!("/api/v1/commerce/courses/{}/sold-elsewhere", course(n));
        self.call(who, method, &target, None, body).await
    }

    async fn set_shop(&self, n: u8, url: &str) -> Answer {
        let body = json!({ "label": " Işık Kitabevi ", "url": url });
        self.sell_elsewhere(staff(), n, Method::PUT, Some(&body)).await
    }

    /// Labels and addresses that the edge was told of.
    async fn told_of_shops(&self) -> Vec<(String, String)> {
        let told = self.events().await.into_iter().filter_map(|event| match event {
            LambdaEvent::SoldElsewhereSet { course: of, label, url } => {
                assert_eq!(of, course(1));
                Some((label, url))
            }
            _ => None,
        });
        told.collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_is_set_changed_and_removed_and_told_to_the_edge() {
    let academy = Academy::new().await;
    let show = async || academy.sell_elsewhere(staff(), 1, Method::GET, None).await;
    assert_eq!(show().await.status, 404);
    let set = academy.set_shop(1, URL).await;
    assert_eq!(
        (set.status, &set.json()["label"], &set.json()["url"]),
        (200, &json!("Işık Kitabevi"), &json!(URL))
    );
    assert_eq!(show().await.json(), set.json());
    let other = academy.set_shop(1, "https://dükkân.example").await.json();
    assert_eq!(other["url"], "https://xn--dkkn-doa7m.example/", "as browsers write it");
    for _ in 0..2 {
        assert_eq!(academy.sell_elsewhere(staff(), 1, Method::DELETE, None).await.status, 204);
    }
    assert_eq!(show().await.status, 404);
    let shop = |url: &str| ("Işık Kitabevi".to_owned(), url.to_owned());
    let other = other["url"].as_str().unwrap();
    let told = [shop(URL), shop(other), (String::new(), String::new())];
    assert_eq!(academy.told_of_shops().await, told, "a second removal is none");
    let actions = "SELECT action FROM audit_entry WHERE action LIKE 'sold%' ORDER BY number";
    let (set, removed) = ("sold_elsewhere.set", "sold_elsewhere.removed");
    assert_eq!(academy.texts(actions).await, [set, set, removed]);
    let change = "SELECT change #>> '{after,url}' FROM audit_entry WHERE action = 'sold_elsewhere.set' ORDER BY number";
    assert_eq!(academy.texts(change).await, [URL, other]);
    // A course without a price has another shop, too.
    assert_eq!(academy.set_shop(4, URL).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_none_and_a_course_of_others_are_refused_and_nothing_is_written() {
    let academy = Academy::new().await;
    let before = academy.number("SELECT count(*) FROM feed_event").await;
    let long = format!("https://shop.example/{}", "a".repeat(10_240));
    for url in [
        "javascript:alert(1)",
        "http://shop.example/",
        "ftp://shop.example/",
        "//shop.example/",
        "https://user:secret@shop.example/",
        "https://192.0.2.7/",
        "https://shop.example/\r\nset-cookie: a=b",
        "",
        &long,
    ] {
        let refused = academy.set_shop(1, url).await;
        assert_eq!((refused.status, &refused.json()["errors"][0]["field"]), (422, &json!("url")), "{url}");
    }
    for (body, field) in [
        (json!({ "label": " ", "url": URL }), "label"),
        (json!({ "label": "ş".repeat(61), "url": URL }), "label"),
        (json!({ "label": "a\nb", "url": URL }), "label"),
        (json!({ "label": "Shop" }), "url"),
        (json!({ "label": "Shop", "url": null }), "url"),
        (json!({ "label": "Shop", "url": URL, "price": 1 }), "price"),
    ] {
        let refused = academy.sell_elsewhere(staff(), 1, Method::PUT, Some(&body)).await;
        assert_eq!((refused.status, &refused.json()["errors"][0]["field"]), (422, &json!(field)), "{body}");
    }
    let body = json!({ "label": "Shop", "url": URL });
    let instructor =
        Who { user: person(201), permissions: Permissions::NONE.with(Permission::CommerceWrite), ..staff() };
    for (who, n, status) in [
        (staff(), 9, 404),
        (Who { tenant: tenant(2), ..staff() }, 1, 404),
        (instructor, 1, 404),
        (learner(1), 1, 403),
    ] {
        let call = async |method, body| academy.sell_elsewhere(who, n, method, body).await.status;
        assert_eq!(call(Method::PUT, Some(&body)).await, status);
        assert_eq!(call(Method::DELETE, None).await, status);
        assert_eq!(call(Method::GET, None).await, status);
    }
    assert_eq!(academy.number("SELECT count(*) FROM sold_elsewhere").await, 0);
    assert_eq!(academy.number("SELECT count(*) FROM feed_event").await, before);
    assert_eq!(academy.number("SELECT count(*) FROM audit_entry WHERE action LIKE 'sold%'").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_shop_sells_is_not_ordered_and_what_was_ordered_before_is_paid() {
    let academy = Academy::new().await;
    let (order, oid) = academy.order_one(1, None).await;
    let quote = academy.quote_lines(learner(2), &[line(2, 10000), line(1, 14990)], &[]);
    let alone = academy.quote(learner(2), &[(2, 10000)], None);
    assert_eq!(academy.set_shop(1, URL).await.status, 200);
    let refused = academy.order(learner(2), "k", &quote).await;
    assert_eq!(refused.problem(), (409, "sold-elsewhere".into()));
    assert_eq!(academy.number("SELECT count(*) FROM customer_order").await, 1, "nothing is written");
    assert_eq!(academy.order(learner(2), "a", &alone).await.status, 201, "another course");
    assert_eq!(academy.pay(&oid, 14990).await.body, "OK");
    assert_eq!(
        (academy.state(1, &order).await, academy.granted(person(1)).await),
        ("paid".into(), vec![course(1)])
    );
    assert_eq!(academy.sell_elsewhere(staff(), 1, Method::DELETE, None).await.status, 204);
    let again = academy.quote(learner(3), &[(1, 14990)], None);
    assert_eq!(academy.order(learner(3), "k", &again).await.status, 201, "at its price");
}

/// Does `first` while `second` goes on, once that waits for a lock or has ended; whether it waited.
pub async fn beside<T>(
    academy: &Academy,
    first: &mut PgConnection,
    second: impl Future<Output = T>,
) -> (bool, T) {
    let has_ended = AtomicBool::new(false);
    let mut watcher = academy.superuser().await;
    let second = async {
        let answer = second.await;
        has_ended.store(true, Ordering::SeqCst);
        answer
    };
    let first = async {
        loop {
            let is_waiting: bool = sqlx::query_scalar(
                "SELECT EXISTS (SELECT FROM pg_stat_activity
                                WHERE datname = current_database() AND wait_event_type = 'Lock')",
            )
            .fetch_one(&mut watcher)
            .await
            .unwrap();
            if is_waiting || has_ended.load(Ordering::SeqCst) {
                sqlx::raw_sql("COMMIT").execute(&mut *first).await.unwrap();
                return is_waiting;
            }
        }
    };
    tokio::join!(first, second)
}

/// Orders course 1 while another shop is set for it, with the lock that staff's request takes or without it; whether the
/// order waited, and its status.
async fn ordered_meanwhile(is_locked: bool) -> (bool, u16) {
    let academy = Academy::new().await;
    let mut setting = academy.superuser().await;
    sqlx::raw_sql("BEGIN").execute(&mut setting).await.unwrap();
    if is_locked {
        sqlx::raw_sql("SELECT FROM price FOR UPDATE").execute(&mut setting).await.unwrap();
    }
    sqlx::query("INSERT INTO sold_elsewhere VALUES ($1, $2, 'Shop', 'https://shop.example/', 0)")
        .bind(tenant(1).as_uuid())
        .bind(course(1).as_uuid())
        .execute(&mut setting)
        .await
        .unwrap();
    let quote = academy.quote(learner(1), &[(1, 14990)], None);
    let (has_waited, answer) = beside(&academy, &mut setting, academy.order(learner(1), "k", &quote)).await;
    (has_waited, answer.status)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_waits_for_a_shop_that_is_being_set_and_sees_it() {
    assert_eq!(ordered_meanwhile(true).await, (true, 409));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_lock_an_order_is_made_beside_it() {
    assert_eq!(ordered_meanwhile(false).await, (false, 201));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_is_set_once_orders_that_are_being_made_have_ended() {
    let academy = Academy::new().await;
    let mut ordering = academy.superuser().await;
    sqlx::raw_sql("BEGIN; SELECT FROM price FOR SHARE").execute(&mut ordering).await.unwrap();
    let (has_waited, answer) = beside(&academy, &mut ordering, academy.set_shop(1, URL)).await;
    assert_eq!((has_waited, answer.status), (true, 200));
}
