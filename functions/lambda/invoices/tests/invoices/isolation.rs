//! Nothing of one academy's invoices in another's, and nothing of an issued one is ever changed.

use akademi_lambda_store::error::StoreError;

use crate::academy::{World, tenant};

async fn two_academies() -> World {
    let world = World::set_up().await;
    for (academy, n) in [(1, 1), (1, 2), (2, 3)] {
        world.buy(academy, n).await;
    }
    world.run().await;
    world
}

/// How many invoices a statement without a condition sees, by academy.
async fn seen(world: &World) -> [i64; 2] {
    let mut seen = [0; 2];
    for (n, seen) in (1..).zip(&mut seen) {
        let mut tx = world.database.postgres().tenant(tenant(n)).await.unwrap();
        *seen = sqlx::query_scalar("SELECT count(*) FROM invoice").fetch_one(tx.connection()).await.unwrap();
    }
    seen
}

#[tokio::test]
async fn an_academy_sees_its_own_invoices_whatever_a_statement_asks() {
    let world = two_academies().await;
    assert_eq!(seen(&world).await, [2, 1]);
    assert_eq!(world.listed(2, "").await.len(), 1);
}

#[tokio::test]
async fn without_row_level_security_it_would_see_all() {
    let world = two_academies().await;
    world.execute("ALTER TABLE invoice DISABLE ROW LEVEL SECURITY").await;
    assert_eq!(seen(&world).await, [3, 3]);
}

/// What the database says to a change of academy 1's issued invoices.
async fn change(world: &World, statement: &'static str) -> Result<u64, StoreError> {
    let mut tx = world.database.postgres().tenant(tenant(1)).await.unwrap();
    let changed = sqlx::query(statement).execute(tx.connection()).await.map_err(StoreError::from)?;
    tx.commit().await?;
    Ok(changed.rows_affected())
}

const CHANGES: [&str; 3] = [
    "UPDATE invoice SET number = 'EAR2026000000077' WHERE number = 'EAR2026000000001'",
    "UPDATE invoice SET sealed_document = ''",
    "UPDATE invoice SET number = NULL, year = NULL, profile = NULL, total = NULL, vat = NULL, issued_at = NULL,
                        sealed_document = NULL, state = 'failed', reason = '', delivered_at = NULL",
];

#[tokio::test]
async fn an_issued_invoice_stays_as_it_is() {
    let world = two_academies().await;
    for statement in CHANGES {
        let refused = change(&world, statement).await.map_err(|error| error.constraint().map(str::to_owned));
        assert_eq!(refused, Err(Some("invoice_is_issued".into())), "{statement}");
    }
    for statement in ["DELETE FROM invoice", "UPDATE invoice SET order_id = id", "DELETE FROM invoice_key"] {
        let refused = change(&world, statement).await;
        assert!(matches!(refused, Err(StoreError::Forbidden(_))), "{statement}: {refused:?}");
    }
}

#[tokio::test]
async fn without_its_trigger_it_would_not() {
    let world = two_academies().await;
    world.execute("ALTER TABLE invoice DISABLE TRIGGER invoice_is_issued").await;
    for (statement, changed) in CHANGES.into_iter().zip([1, 2, 2]) {
        assert_eq!(change(&world, statement).await.unwrap(), changed, "{statement}");
    }
}
