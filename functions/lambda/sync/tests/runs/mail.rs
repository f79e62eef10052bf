//! Mail that the edge wants.

use akademi_api::ports::Wake;
use akademi_domain::{
    ids::{LinkId, MailId},
    mail::MailKind,
};
use akademi_feed::EdgeEvent;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use crate::{NAME, NOW, World, key, person, tenant};

#[derive(Default)]
struct Rings(AtomicUsize);

impl Wake for Rings {
    fn wake(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

async fn world() -> (World, Arc<Rings>) {
    let mut world = World::new().await;
    let rings = Arc::new(Rings::default());
    world.sync = world.sync.waking_mail(rings.clone());
    (world, rings)
}

fn wanted(n: u8, recipient: String) -> EdgeEvent {
    EdgeEvent::MailWanted {
        mail: MailId::new(NOW, [n; 10]),
        person: person(n),
        kind: MailKind::ConfirmAddress,
        recipient,
        link: Some(LinkId::new(NOW, [n; 10])),
        host: "akademi.example".into(),
        locale: "tr".into(),
        at: NOW,
    }
}

fn sealed(n: u8) -> String {
    let recipient = serde_json::json!({ "name": NAME, "email": "ogrenci@example.com" }).to_string();
    hex::encode(key(person(n)).seal(person(n), "mail", recipient.as_bytes(), [6; 24]))
}

#[tokio::test]
async fn a_mail_to_somebody_without_an_account_waits_with_its_key_and_is_sent_soon() {
    let (world, rings) = world().await;
    world.edge.tell(tenant(1), &wanted(1, sealed(1)));
    world.run().await.unwrap();
    let queued = "mail JOIN person_key ON user_id = person_id
                  WHERE state = 'queued' AND kind = 'confirm_address' AND created_at = 1790000000000";
    assert_eq!((world.count(queued).await, world.count("person").await), (1, 0));
    assert_eq!(
        world
            .count("job WHERE kind = 'mail_delivery' AND payload ->> 'mail' = (SELECT id::text FROM mail)")
            .await,
        1
    );
    assert_eq!(rings.0.load(Ordering::SeqCst), 1);
    assert_eq!(world.count("mail WHERE mail::text LIKE '%example.com%'").await, 0);
}

#[tokio::test]
async fn a_mail_that_is_told_again_waits_once() {
    let (world, _) = world().await;
    world.edge.tell(tenant(1), &wanted(1, sealed(1)));
    world.run().await.unwrap();
    world.execute("UPDATE mail SET state = 'failed', reason = ''").await;
    world.forget_cursor().await;
    world.edge.tell(tenant(1), &wanted(1, sealed(1)));
    world.run().await.unwrap();
    assert_eq!(world.count("mail WHERE state = 'failed'").await, 1);
    assert_eq!(world.count("job").await, 1);
    // The twin: a mail that is not known is queued.
    world.execute("DELETE FROM mail").await;
    world.edge.tell(tenant(1), &wanted(1, sealed(1)));
    world.run().await.unwrap();
    assert_eq!(world.count("job").await, 2);
}

#[tokio::test]
async fn what_brings_no_mail_wakes_nobody_and_a_broken_one_stops_none() {
    let (world, rings) = world().await;
    world.enrol(1, 1);
    world.run().await.unwrap();
    assert_eq!(rings.0.load(Ordering::SeqCst), 0);
    world.edge.tell(tenant(1), &wanted(2, "x".into()));
    world.edge.tell(tenant(1), &wanted(3, sealed(3)));
    world.run().await.unwrap();
    assert_eq!((world.count("mail").await, world.count("feed_quarantine").await), (1, 1));
}
