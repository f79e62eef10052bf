//! Courses with so many seats, under orders, refunds and late money.

use akademi_feed::LambdaEvent;
use futures::future::join_all;
use http::Method;
use serde_json::{Value, json};

use crate::academy::{Academy, Who, course, learner, person, staff};
use crate::answer::Answer;

impl Academy {
    async fn seats(&self, n: u8, capacity: Option<i64>) -> Answer {
        let body = json!({ "capacity": capacity });
        let target = format!("/api/v1/commerce/courses/{}/seats", course(n));
        self.call(staff(), Method::PUT, &target, None, Some(&body)).await
    }

    async fn seats_of(&self, n: u8) -> Value {
        let target = format!("/api/v1/commerce/courses/{}/seats", course(n));
        self.call(staff(), Method::GET, &target, None, None).await.json()
    }

    /// What the edge was told: whether they are limited, and whether one is left.
    async fn told_of_seats(&self) -> Vec<(bool, bool)> {
        let told = self.events().await.into_iter().filter_map(|event| match event {
            LambdaEvent::SeatsSet { limited, available, .. } => Some((limited, available)),
            _ => None,
        });
        told.collect()
    }
}

fn standing(capacity: Option<i64>, held: i64, taken: i64) -> Value {
    json!({ "course": course(1), "capacity": capacity, "held": held, "taken": taken })
}

#[tokio::test(flavor = "multi_thread")]
async fn of_32_orders_at_once_on_a_course_of_5_seats_5_are_made() {
    let academy = Academy::new().await;
    let mut superuser = academy.superuser().await;
    let people: Vec<Who> = (100..132).map(learner).collect();
    for who in &people {
        academy.add_person(&mut superuser, who.user).await;
    }
    assert_eq!(academy.seats(1, Some(5)).await.json(), standing(Some(5), 0, 0));
    let quotes: Vec<String> = people.iter().map(|who| academy.quote(*who, &[(1, 14990)], None)).collect();
    let answers =
        join_all(people.iter().zip(&quotes).map(|(who, quote)| academy.order(*who, "k", quote))).await;
    let made = answers.iter().filter(|answer| answer.status == 201).count();
    let full = answers.iter().filter(|answer| answer.problem() == (409, "course-full".into())).count();
    assert_eq!((made, full), (5, 27));
    assert_eq!(academy.seats_of(1).await, standing(Some(5), 5, 0));
    assert_eq!(academy.told_of_seats().await, [(true, true), (true, false)]);
    academy.clock.advance_seconds(31 * 60);
    assert_eq!(academy.payments.expire_orders(academy.now()).await.unwrap(), 5);
    assert_eq!(academy.seats_of(1).await, standing(Some(5), 0, 0));
    assert_eq!(academy.told_of_seats().await, [(true, true), (true, false), (true, true)]);
    let other = academy.order(learner(1), "k", &academy.quote(learner(1), &[(2, 10000)], None)).await;
    assert_eq!(other.status, 201, "a course without a limit");
}

#[tokio::test(flavor = "multi_thread")]
async fn seats_that_were_bought_before_count_and_no_limit_is_set_below_them() {
    let academy = Academy::new().await;
    let (_, oid) = academy.order_one(1, None).await;
    assert_eq!(academy.pay(&oid, 14990).await.body, "OK");
    academy.order_one(2, None).await;
    let (_, ended) = academy.order_one(3, None).await;
    academy.callback(Academy::callback_body(&ended, "failed", 14990, 14990)).await;
    assert_eq!(academy.seats_of(1).await, standing(None, 0, 0));
    assert_eq!(academy.seats(1, Some(1)).await.problem(), (409, "more-in-use".into()));
    assert_eq!(academy.seats_of(1).await, standing(None, 0, 0), "nothing is written");
    assert_eq!(academy.seats(1, Some(2)).await.json(), standing(Some(2), 1, 1));
    let quote = academy.quote(learner(4), &[(1, 14990)], None);
    assert_eq!(academy.order(learner(4), "k", &quote).await.problem(), (409, "course-full".into()));
    // Money for the order that had ended comes after all, and there is no seat for it.
    assert_eq!(academy.pay(&ended, 14990).await.body, "OK");
    assert_eq!(academy.texts("SELECT kind FROM payment_alarm").await, ["late_capture"]);
    assert_eq!(academy.granted(person(3)).await, []);

    assert_eq!(academy.seats(1, None).await.json(), standing(None, 1, 1));
    assert_eq!(academy.order(learner(4), "k", &quote).await.status, 201, "as many as want");
    assert_eq!(academy.seats_of(1).await, standing(None, 2, 1), "and they are counted on");
    for refused in [json!({ "capacity": -1 }), json!({}), json!({ "capacity": 1.5 })] {
        let target = format!("/api/v1/commerce/courses/{}/seats", course(1));
        assert_eq!(academy.call(staff(), Method::PUT, &target, None, Some(&refused)).await.status, 422);
    }
    assert_eq!(academy.seats(4, Some(1)).await.problem(), (409, "course-without-price".into()));
    assert_eq!(academy.seats(9, Some(1)).await.status, 404);
    assert_eq!(
        academy.texts("SELECT target FROM audit_entry WHERE action = 'seats.set'").await.len(),
        2,
        "each change, and nothing that was refused"
    );
}
