//! Every host gives the same answers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod edges;
mod isolation;
mod lambda_plane;
mod local;

use akademi_parity::{
    Exchange,
    comparison::{Comparison, compare},
    differences::DIFFERENCES,
};
use futures::future::join;
use std::collections::BTreeSet;
use tokio::sync::OnceCell;

/// What the local host answers; asked once in a process.
async fn reference() -> &'static [Exchange] {
    static REFERENCE: OnceCell<Vec<Exchange>> = OnceCell::const_new();
    REFERENCE.get_or_init(edges::local).await
}

/// Compares request by request, so that a difference names its request, and tells what was compared.
fn assert_same(host: &str, expected: &[Exchange], found: &[Exchange]) {
    let Comparison { complaints, allowed } = compare(host, expected, found, DIFFERENCES);
    assert!(complaints.is_empty(), "{} differences\n{}", complaints.len(), complaints.join("\n\n"));
    let routes: BTreeSet<_> =
        found.iter().map(|exchange| &exchange.route).filter(|route| !route.is_empty()).collect();
    let kinds: BTreeSet<_> = found.iter().map(|exchange| exchange.kind).collect();
    println!("{host}: {} requests, {} routes, {} kinds compared", found.len(), routes.len(), kinds.len());
    for (difference, times) in allowed {
        println!("  allowed, {times} times: {difference}");
    }
}

mod spin {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn components_answer_as_the_local_host_does() {
        let (local, spin) = join(reference(), edges::spin()).await;
        assert_same("spin", local, &spin);
    }
}

mod worker {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn the_worker_on_workerd_answers_as_the_local_host_does() {
        let (local, worker) = join(reference(), edges::workerd()).await;
        assert_same("worker", local, &worker);
    }
}

mod lambda {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn binaries_behind_api_gateway_answer_as_the_local_host_does() {
        let (local, lambda) = join(reference(), edges::lambda()).await;
        assert_same("lambda", local, &lambda);
    }
}
