//! Buyers are told of their invoices.

use akademi_domain::mail::MailKind;
use serde_json::json;

use crate::{
    academy::{HOST, NAME, World, order, staff},
    integrator::Mood,
};

const INVOICE: MailKind = MailKind::InvoiceIssued;
const CREDIT_NOTE: MailKind = MailKind::CreditNoteIssued;

#[tokio::test]
async fn a_buyer_is_told_once_of_an_invoice_and_once_of_what_is_given_back() {
    let world = World::set_up().await;
    world.buy(1, 1).await;
    assert_eq!(world.mails().await, []);
    world.integrator.moods.lock().unwrap().extend([Mood::Busy; 2]);
    world.run().await;
    let told = world.mails().await;
    assert_eq!(told.len(), 1, "though it is not handed over yet");
    assert_eq!((told[0].kind, told[0].order), (INVOICE, order(1)));
    assert_eq!((told[0].host.as_str(), told[0].locale.as_str()), (HOST, "tr"));
    assert_eq!(told[0].recipient, json!({ "name": NAME, "email": "ogrenci1@example.com" }));
    for _ in 0..3 {
        world.clock.advance_seconds(3600);
        world.run().await;
    }
    assert_eq!(world.integrator.numbers().len(), 1);
    assert_eq!(world.mails().await.len(), 1);
    world.give_back(1, 1, &[(2, 10_000, 1_667)]).await;
    world.run().await;
    let kinds: Vec<_> = world.mails().await.into_iter().map(|mail| (mail.kind, mail.order)).collect();
    assert_eq!(kinds, [(INVOICE, order(1)), (CREDIT_NOTE, order(1))]);
    assert_eq!(world.count("job WHERE kind = 'mail_delivery' AND state = 'queued'").await, 2);
    let readable = format!("mail AS row WHERE row::text LIKE '%{NAME}%' OR row::text LIKE '%@%'");
    assert_eq!(world.count(&readable).await, 0);
}

#[tokio::test]
async fn nobody_is_told_of_an_invoice_whose_commit_fails_and_once_when_it_does_not() {
    let world = World::set_up().await;
    world.buy(1, 1).await;
    world
        .execute(
            "CREATE FUNCTION refuse_commit() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN RAISE EXCEPTION 'the machine went down'; END $$;
             CREATE CONSTRAINT TRIGGER refuse_commit AFTER UPDATE ON invoice DEFERRABLE INITIALLY DEFERRED
                 FOR EACH ROW WHEN (NEW.number IS NOT NULL) EXECUTE FUNCTION refuse_commit()",
        )
        .await;
    world.run().await;
    assert_eq!(world.integrator.numbers(), Vec::<String>::new());
    assert_eq!(world.mails().await, []);
    world.execute("DROP TRIGGER refuse_commit ON invoice").await;
    world.clock.advance_seconds(3600);
    assert_eq!(world.run().await.delivered, 1);
    assert_eq!(world.mails().await.len(), 1);
}

#[tokio::test]
async fn whoever_ends_after_issuing_has_told_the_buyer_and_the_next_does_not_tell_again() {
    let world = World::set_up().await;
    world.buy(1, 1).await;
    world.integrator.moods.lock().unwrap().push_back(Mood::Hangs);
    let reached = async {
        while !world.integrator.moods.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        _ = world.run() => panic!("the integrator answers"),
        () = reached => {}
    }
    assert_eq!(world.mails().await.len(), 1);
    world.clock.advance_seconds(151);
    assert_eq!(world.run().await.delivered, 1);
    assert_eq!(world.mails().await.len(), 1);
}

/// The one who issues ends before a transaction of the mail's own.
#[tokio::test]
async fn without_the_issuings_transaction_the_mail_would_be_lost() {
    let world = World::set_up().await;
    world.buy(1, 1).await;
    world
        .execute(
            "CREATE FUNCTION leave_for_later() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
             CREATE TRIGGER leave_for_later BEFORE INSERT ON mail FOR EACH ROW EXECUTE FUNCTION leave_for_later()",
        )
        .await;
    world.integrator.moods.lock().unwrap().push_back(Mood::Busy);
    world.run().await;
    assert_eq!(world.listed(1, "").await[0]["number"], "EAR2026000000001", "it is issued");
    world.execute("DROP TRIGGER leave_for_later ON mail").await;
    world.clock.advance_seconds(3600);
    assert_eq!(world.run().await.delivered, 1);
    assert_eq!(world.mails().await, [], "the next one does not tell of what was issued before");
}

#[tokio::test]
async fn nobody_is_told_who_was_erased_and_no_invoice_waits_for_a_host() {
    let world = World::set_up().await;
    world.buy(1, 1).await;
    world.execute("DELETE FROM person_key; UPDATE person SET sealed_profile = NULL").await;
    assert_eq!(world.run().await.delivered, 1);
    assert_eq!(world.mails().await, []);

    let world = World::set_up().await;
    world.buy(1, 1).await;
    world.execute("UPDATE tenant SET domains = '{}'").await;
    assert_eq!(world.run().await.delivered, 1);
    assert_eq!(world.mails().await, []);
    assert_eq!(world.listed(1, "").await[0]["state"], "delivered");
    assert_eq!(world.retry(staff(1), &world.listed(1, "").await[0]["id"]).await.status, 409);
}
