//! The end, hours later: nothing is killed any more, and all that was begun comes to its end.

use akademi_api::{
    Ports,
    config::Config,
    ports::{Clock, HttpClient, Unreachable},
};
use akademi_domain::time::Timestamp;
use akademi_lambda_store::postgres::Postgres;
use akademi_payments::Payments;
use akademi_sync::{Carried, Sync, Trigger};
use anyhow::ensure;
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicI64, Ordering},
};

use crate::{
    academy::{lookup, planes},
    edge::Direct,
    ground::Ground,
    ports::Wakes,
    processes::process_ports,
    providers::Providers,
};

/// Longer than an order waits for its money, and longer than a refund waits before it is looked at again, in seconds.
const UNTIL_ALL_IS_DUE: i64 = 61 * 60;
const MOST_RUNS: usize = 6;

/// The machine's clock, so many seconds ahead.
struct Ahead {
    clock: Arc<dyn Clock>,
    seconds: AtomicI64,
}

impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        self.clock.now().plus_seconds(self.seconds.load(Ordering::SeqCst))
    }
}

/// The providers without a network between.
struct AtProviders(Arc<Mutex<Providers>>);

impl HttpClient for AtProviders {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, Unreachable>> {
        Box::pin(async move { Ok(self.0.lock().unwrap().answer(&request)) })
    }
}

/// The function that nobody kills.
pub fn payments(
    ports: Ports,
    postgres: &Postgres,
    providers: &Arc<Mutex<Providers>>,
) -> anyhow::Result<Payments> {
    let (http, wakes) = (Arc::new(AtProviders(providers.clone())), Arc::new(Wakes::default()));
    Ok(Payments::new(ports, planes(), postgres.clone(), http, wakes, &Config::new(&lookup))?)
}

/// Ends the orders that nobody pays, asks what nobody told of payments and refunds, and carries the feed to its end.
pub async fn finish(
    ground: &Ground,
    postgres: Postgres,
    providers: &Arc<Mutex<Providers>>,
) -> anyhow::Result<()> {
    let ports = process_ports();
    let ahead = Arc::new(Ahead { clock: ports.clock.clone(), seconds: AtomicI64::new(0) });
    let later = Ports { clock: ahead.clone(), ..ports.clone() };
    let payments = payments(later.clone(), &postgres, providers)?;
    let mut resolved = None;
    for _ in 0..MOST_RUNS {
        ahead.seconds.fetch_add(UNTIL_ALL_IS_DUE, Ordering::SeqCst);
        payments.expire_orders(later.now()).await?;
        payments.ask_about_attempts(later.now()).await?;
        resolved = Some(payments.resolve_refunds(later.now()).await?);
        if resolved == Some(0) {
            break;
        }
    }
    ensure!(resolved == Some(0), "refunds do not come to rest");
    let edge = Arc::new(Direct(ground.edge.router.clone()));
    let sync = Sync::new(ports, planes(), postgres.clone(), edge, &Config::new(&lookup))?;
    while sync.handle(Trigger::Wake).await? != Carried::default() {}
    postgres.close().await;
    Ok(())
}
