//! What the database itself lets an academy do with certificates.

use akademi_lambda_store::error::StoreError;

use crate::academy::{World, tenant};

/// How many certificates a statement without a condition sees, by academy.
async fn seen(world: &World) -> [i64; 2] {
    let mut seen = [0; 2];
    for (n, seen) in (1..).zip(&mut seen) {
        let mut tx = world.database.postgres().tenant(tenant(n)).await.unwrap();
        *seen =
            sqlx::query_scalar("SELECT count(*) FROM certificate").fetch_one(tx.connection()).await.unwrap();
    }
    seen
}

async fn two_academies() -> World {
    let world = World::new().await;
    world.complete(1, 1, 1).await;
    world.complete(1, 2, 1).await;
    world.complete(2, 1, 1).await;
    world
}

#[tokio::test]
async fn an_academy_sees_its_own_certificates_whatever_a_statement_asks() {
    assert_eq!(seen(&two_academies().await).await, [2, 1]);
}

#[tokio::test]
async fn without_row_level_security_it_would_see_all() {
    let world = two_academies().await;
    let mut superuser = world.database.superuser().await.unwrap();
    sqlx::raw_sql("ALTER TABLE certificate DISABLE ROW LEVEL SECURITY")
        .execute(&mut superuser)
        .await
        .unwrap();
    assert_eq!(seen(&world).await, [3, 3]);
}

#[tokio::test]
async fn what_a_certificate_says_is_never_changed_or_deleted() {
    let world = two_academies().await;
    for statement in [
        "UPDATE certificate SET course_title = 'x'",
        "UPDATE certificate SET sealed_holder = NULL",
        "UPDATE certificate SET issued_at = 0",
        "DELETE FROM certificate",
    ] {
        let mut tx = world.database.postgres().tenant(tenant(1)).await.unwrap();
        let refused = sqlx::query(statement).execute(tx.connection()).await.map_err(StoreError::from);
        assert!(matches!(refused, Err(StoreError::Forbidden(_))), "{statement}: {refused:?}");
    }
}
