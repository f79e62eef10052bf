//! Two who deliver at once, and one who is ended in the middle.

use akademi_mail::{Mailer, Message, Undelivered};
use futures::future::BoxFuture;
use std::{collections::BTreeMap, sync::Arc};
use tokio::sync::Notify;

use crate::academy::{World, mailer, wanted};

const MAILS: u8 = 50;

/// How often each message arrives when two deliver all of them at once.
async fn arrivals(world: &World) -> Vec<usize> {
    for n in 1..=MAILS {
        world.want(1 + n % 2, &wanted(n)).await;
    }
    let (one, two) = tokio::join!(world.mail.deliver_due(|| true), world.mail.deliver_due(|| true));
    let (one, two) = (one.unwrap(), two.unwrap());
    assert!(one.sent > 0 && two.sent > 0, "both have work: {one:?}, {two:?}");
    assert_eq!(one.sent + two.sent, usize::from(MAILS));
    let mut arrivals = BTreeMap::new();
    for message in world.server.taken(usize::from(MAILS)) {
        *arrivals.entry(message.parsed().message_id().unwrap().to_owned()).or_default() += 1;
    }
    assert_eq!(arrivals.len(), usize::from(MAILS));
    arrivals.into_values().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_deliver_at_once_send_each_mail_once() {
    let world = World::new().await;
    assert!(arrivals(&world).await.iter().all(|times| *times == 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_lease_they_send_mails_twice() {
    let world = World::new().await;
    // Who takes a job leaves it due.
    world
        .execute(
            "CREATE FUNCTION stay_due() RETURNS trigger LANGUAGE plpgsql AS
                 'BEGIN NEW.due_at := OLD.due_at; RETURN NEW; END';
             CREATE TRIGGER no_lease BEFORE UPDATE ON job FOR EACH ROW WHEN (NEW.state = 'running')
                 EXECUTE FUNCTION stay_due()",
        )
        .await;
    assert!(arrivals(&world).await.iter().any(|times| *times > 1));
}

/// Sends, and never comes back to say so.
struct Ended(Arc<dyn Mailer>);

impl Mailer for Ended {
    fn send<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<(), Undelivered>> {
        Box::pin(async move {
            self.0.send(message).await?;
            std::future::pending().await
        })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_whose_sender_was_ended_comes_once_more_under_the_same_id() {
    let world = World::new().await;
    world.want(1, &wanted(1)).await;
    let ended = world.mail_by(Arc::new(Ended(mailer(&world.server.url()))));
    let run = tokio::spawn(async move { ended.deliver_due(|| true).await });
    world.server.taken(1);
    run.abort();
    assert!(run.await.unwrap_err().is_cancelled());
    assert_eq!(world.deliver().await.sent, 0, "the lease holds");
    world.clock.advance_seconds(90);
    assert_eq!(world.deliver().await.sent, 1);
    world.clock.advance_seconds(3600);
    assert_eq!(world.deliver().await.sent, 0);
    let taken = world.server.taken(2);
    let [first, second] = &taken[..] else { panic!("{taken:?}") };
    assert_eq!(first.parsed().message_id(), second.parsed().message_id());
    assert_eq!(world.listed(1, "").await[0]["state"], "sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_too_slow_keeps_nothing_of_its_attempt() {
    struct Slow(Arc<dyn Mailer>, Arc<Notify>);
    impl Mailer for Slow {
        fn send<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<(), Undelivered>> {
            Box::pin(async move {
                self.0.send(message).await?;
                self.1.notified().await;
                Ok(())
            })
        }
    }
    let world = World::new().await;
    world.want(1, &wanted(1)).await;
    let goes_on = Arc::new(Notify::new());
    let slow = world.mail_by(Arc::new(Slow(mailer(&world.server.url()), goes_on.clone())));
    let run = tokio::spawn(async move { slow.deliver_due(|| true).await.unwrap() });
    world.server.taken(1);
    world.clock.advance_seconds(90);
    assert_eq!(world.deliver().await.sent, 1);
    goes_on.notify_one();
    assert_eq!(run.await.unwrap().sent, 0, "the other has sent it");
    assert_eq!(world.listed(1, "").await[0]["attempts"], 1);
}
