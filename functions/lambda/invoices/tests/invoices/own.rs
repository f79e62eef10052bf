//! What a buyer sees.

use serde_json::Value;

use crate::academy::{World, learner, order, read};

#[tokio::test]
async fn a_buyer_sees_the_invoices_of_an_own_order_and_nobody_elses() {
    let world = World::set_up().await;
    world.buy(1, 1).await;
    let path = format!("/api/v1/orders/{}/invoices", order(1));
    let waiting = world.get(learner(1), &path).await.expect(200);
    assert_eq!(
        (&waiting["data"][0]["state"], &waiting["data"][0]["number"]),
        (&"queued".into(), &Value::Null)
    );
    let id = waiting["data"][0]["id"].as_str().unwrap().to_owned();
    let xml = format!("{path}/{id}/xml");
    assert_eq!(world.get(learner(1), &xml).await.status, 409);
    world.run().await;
    world.give_back(1, 1, &[(2, 10_000, 1_667)]).await;
    world.run().await;
    let issued = world.get(learner(1), &path).await.expect(200);
    let numbers: Vec<_> = issued["data"].as_array().unwrap().iter().map(|it| it["number"].clone()).collect();
    assert_eq!(numbers, ["EAR2026000000001", "EAR2026000000002"]);
    assert!(issued["data"][0].get("reason").is_none() && issued["data"][0].get("attempts").is_none());
    let document = world.get(learner(1), &xml).await;
    assert_eq!((document.status, read(&document.text(), "ID").unwrap()), (200, "EAR2026000000001".into()));

    for stranger in [&path, &xml] {
        assert_eq!(world.get(learner(2), stranger).await.status, 404, "{stranger}");
    }
    world.insert_order(1, 2, 2).await;
    let under_own_order = format!("/api/v1/orders/{}/invoices/{id}/xml", order(2));
    assert_eq!(world.get(learner(2), &under_own_order).await.status, 404);
}
