//! Nothing of one academy's mail in another's.

use akademi_lambda_store::error::StoreError;

use crate::academy::{World, mail_id, staff, tenant, wanted};

/// How many mails a statement without a condition sees, by academy.
async fn seen(world: &World) -> [i64; 2] {
    let mut seen = [0; 2];
    for (n, seen) in (1..).zip(&mut seen) {
        let mut tx = world.database.postgres().tenant(tenant(n)).await.unwrap();
        *seen = sqlx::query_scalar("SELECT count(*) FROM mail").fetch_one(tx.connection()).await.unwrap();
    }
    seen
}

async fn two_academies() -> World {
    let world = World::new().await;
    for (of, n) in [(1, 1), (1, 2), (2, 3)] {
        world.want(of, &wanted(n)).await;
    }
    world
}

#[tokio::test]
async fn an_academy_sees_its_own_mail_whatever_a_statement_asks() {
    let world = two_academies().await;
    assert_eq!(seen(&world).await, [2, 1]);
    let listed = world.listed(2, "").await;
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0]["id"], mail_id(3).to_string());
    world.execute("DELETE FROM person_key").await;
    world.deliver().await;
    assert_eq!(world.retry(staff(2), 1).await.0, 404, "another academy's");
}

#[tokio::test]
async fn without_row_level_security_it_would_see_all() {
    let world = two_academies().await;
    world.execute("ALTER TABLE mail DISABLE ROW LEVEL SECURITY").await;
    assert_eq!(seen(&world).await, [3, 3]);
}

#[tokio::test]
async fn whom_a_mail_is_for_never_changes() {
    let world = two_academies().await;
    for statement in [
        "UPDATE mail SET sealed_recipient = ''",
        "UPDATE mail SET person_id = id",
        "UPDATE mail SET host = 'evil.example'",
        "DELETE FROM mail",
    ] {
        let mut tx = world.database.postgres().tenant(tenant(1)).await.unwrap();
        let refused = sqlx::query(statement).execute(tx.connection()).await.map_err(StoreError::from);
        assert!(matches!(refused, Err(StoreError::Forbidden(_))), "{statement}: {refused:?}");
    }
}
