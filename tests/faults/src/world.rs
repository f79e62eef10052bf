//! What is durable, and what runs on it: one PostgreSQL database, one SQLite file, and instances that come and go.

use akademi_api::{Ports, config::Config};
use akademi_lambda_store::postgres::Postgres;
use akademi_payments::Payments;
use akademi_sync::Sync;
use axum::Router;
use sqlx::{AssertSqlSafe, PgConnection, Row as _, postgres::PgConnectOptions};
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use crate::{
    academy::{COUPONS, PEOPLE, lookup, planes},
    edge::EdgePlane,
    gate::{Gate, Owner},
    ground::Ground,
    ports::{MovedClock, START, Seeded, SteppedNetwork, Wakes, ports},
    processor,
    protection::{Part, Protection},
    providers::Provider,
    proxy::{Backend, Proxy},
};

/// How many requests and jobs run at once on the Lambda plane.
pub const INSTANCES: usize = 4;

/// Triggers are not heeded where histories are emptied: the audit log's refuse it, and those of foreign keys would look for
/// children that are deleted too.
const WITHOUT_TRIGGERS: &str = "SET session_replication_role = replica";
/// Empties what histories write; what every history begins with stays.
const EMPTY: &str = "
    DELETE FROM reconciliation_difference; DELETE FROM provider_transaction; DELETE FROM reconciliation;
    DELETE FROM ledger_entry; DELETE FROM ledger_transaction; DELETE FROM refund_line; DELETE FROM refund;
    DELETE FROM reservation; DELETE FROM budget WHERE kind NOT IN ('coupon', 'seat'); DELETE FROM invoice; DELETE FROM job;
    DELETE FROM payment_alarm; DELETE FROM payment_callback; DELETE FROM payment; DELETE FROM purchase;
    DELETE FROM order_line; DELETE FROM customer_order;
    DELETE FROM idempotency; DELETE FROM feed_event; DELETE FROM feed_cursor; DELETE FROM feed_quarantine;
    DELETE FROM enrolment; DELETE FROM due_day; DELETE FROM appended;
    DELETE FROM audit_entry; DELETE FROM audit_head; DELETE FROM payment_account;
    UPDATE feed_state SET last_number = 0, acknowledged = 0";
const EMPTY_EDGE: &str = "
    DELETE FROM enrolment; DELETE FROM feed_event; DELETE FROM feed_cursor; DELETE FROM applied;
    UPDATE feed_head SET number = 0, acknowledged = 0;
    UPDATE coupon SET available = 1; UPDATE price SET seats_left = 1 WHERE seats_left IS NOT NULL";
/// Dead rows of this many histories are swept at once: nothing else does it in a server for tests.
const SWEEP_EVERY: u32 = 25;

/// As PostgreSQL does by itself from a prepared statement's sixth time on.
const PLAN_ONCE: [(&str, &str); 1] = [("plan_cache_mode", "force_generic_plan")];

/// What differs between histories from the beginning.
#[derive(Debug)]
pub struct Setting {
    /// How often each coupon can be used.
    pub limits: [i64; COUPONS.len()],
    /// Of the course with few.
    pub seats: i64,
    /// Where the academy has accounts; the first takes its orders.
    pub providers: &'static [Provider],
}

/// An instance of the Lambda functions, with all that it has in memory.
pub struct Lambda {
    pub backend: Arc<Backend>,
    pub router: Router,
    pub payments: Payments,
    pub sync: Sync,
}

pub struct World {
    pub gate: Gate,
    pub ports: Ports,
    pub clock: Arc<MovedClock>,
    pub rng: Arc<Seeded>,
    pub wakes: Arc<Wakes>,
    pub lambdas: Vec<Lambda>,
    pub ground: Ground,
    pub without: Option<Protection>,
    /// The parts of protections that no statement has had so far.
    pub unmet: Arc<Mutex<BTreeSet<Part>>>,
    /// Empties the database: by a connection of its own, since the setting has PostgreSQL forget the plans of the observer's.
    emptier: PgConnection,
    /// Another process on the edge's file.
    edge_observer: rusqlite::Connection,
    histories: u32,
    options: PgConnectOptions,
}

impl World {
    /// A world of its own, with a protection taken away or with all. Within a runtime of one thread.
    pub async fn new(without: Option<Protection>) -> anyhow::Result<Self> {
        let (ports, clock, rng) = ports();
        let mut ground = Ground::new(PEOPLE, &ports).await?;
        if let Some(change) = without.and_then(Protection::schema_change) {
            sqlx::raw_sql(change).execute(&mut ground.observer).await?;
        }
        let mut emptier = ground.database.superuser().await?;
        sqlx::raw_sql(WITHOUT_TRIGGERS).execute(&mut emptier).await?;
        for connection in [&mut ground.observer, &mut emptier] {
            processor::share(sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(connection).await?);
        }
        let edge_observer = rusqlite::Connection::open(ground.edge_file())?;
        edge_observer.pragma_update(None, "synchronous", "off")?;
        let server = ground.server_socket()?;
        let mut world = Self {
            gate: ground.gate.clone(),
            ports,
            clock,
            rng,
            wakes: Arc::default(),
            lambdas: Vec::new(),
            emptier,
            edge_observer,
            without,
            unmet: Arc::new(Mutex::new(Protection::all_parts())),
            histories: 0,
            options: ground.database.options().socket(ground.folder.path()).options(PLAN_ONCE),
            ground,
        };
        for instance in 0..INSTANCES {
            let lambda = world.lambda(instance, Arc::default())?;
            let (gate, backend, server) = (world.gate.clone(), lambda.backend.clone(), server.clone());
            let unmet = world.unmet.clone();
            Proxy { instance, server, gate, backend, without, unmet }.listen(world.ground.folder.path())?;
            world.lambdas.push(lambda);
        }
        Ok(world)
    }

    fn lambda(&self, instance: usize, backend: Arc<Backend>) -> anyhow::Result<Lambda> {
        let postgres = Postgres::new(self.options.clone().port(Proxy::port(instance)), 1);
        let http = Arc::new(SteppedNetwork { owner: Owner::Lambda(instance), gate: self.gate.clone() });
        let config = Config::new(&lookup);
        let payments = Payments::new(
            self.ports.clone(),
            planes(),
            postgres.clone(),
            http.clone(),
            self.wakes.clone(),
            &config,
        )?;
        let sync = Sync::new(self.ports.clone(), planes(), postgres, http, &config)?;
        Ok(Lambda { backend, router: akademi_payments::router(payments.clone()), payments, sync })
    }

    /// A new instance in this place, which knows nothing of the one before.
    pub fn replace_lambda(&mut self, instance: usize) {
        let backend = self.lambdas[instance].backend.clone();
        self.lambdas[instance] = self.lambda(instance, backend).unwrap();
    }

    /// The edge's functions anew on what is on disk.
    pub fn replace_edge(&mut self) {
        self.ground.edge = EdgePlane::start(&self.ground.edge_file(), &self.gate, &self.ports).unwrap();
    }

    /// As it was before any history, but for what differs between them: nothing that runs remembers another one.
    pub async fn reset(&mut self, seed: u64, setting: &Setting) -> anyhow::Result<()> {
        let Setting { limits, seats, providers } = setting;
        (0..INSTANCES).for_each(|instance| self.replace_lambda(instance));
        self.replace_edge();
        self.gate.settle().await;
        self.clock.reset();
        self.rng.reset(seed);
        self.wakes.take();
        let mut statements =
            format!("{EMPTY}; UPDATE budget SET held = 0, used = 0, ceiling = {seats} WHERE kind = 'seat'");
        for (place, provider) in providers.iter().enumerate() {
            let (name, is_first) = (provider.name(), place == 0);
            statements += &format!(
                "; INSERT INTO payment_account SELECT * FROM known_account WHERE provider = '{name}'
                 ; UPDATE payment_account SET takes_orders = {is_first} WHERE provider = '{name}'"
            );
        }
        for ((code, _), limit) in COUPONS.iter().zip(limits) {
            statements += &format!(
                "; UPDATE budget SET held = 0, used = 0, ceiling = {limit} FROM coupon WHERE id = subject_id AND code = '{code}'"
            );
        }
        if let Some(reset) = self.without.and_then(Protection::reset) {
            statements = format!("{statements}; {reset}");
        }
        sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut self.emptier).await?;
        self.histories += 1;
        if self.histories.is_multiple_of(SWEEP_EVERY) {
            sqlx::raw_sql("VACUUM").execute(&mut self.emptier).await?;
        }
        self.edge_observer.execute_batch(&format!("BEGIN; {EMPTY_EDGE}; COMMIT"))?;
        Ok(())
    }

    /// Of these server processes, whom each waits for.
    pub async fn blockers(&mut self, pids: &[i32]) -> anyhow::Result<Vec<Vec<i32>>> {
        let rows = sqlx::query("SELECT pg_blocking_pids(pid) AS blockers FROM UNNEST($1::int[]) WITH ORDINALITY AS asked (pid, place) ORDER BY place")
            .bind(pids)
            .fetch_all(&mut self.ground.observer)
            .await?;
        rows.iter().map(|row| Ok(row.try_get("blockers")?)).collect()
    }

    /// The start of time, for what is told of it.
    pub fn millis(&self) -> i64 {
        self.ports.now().as_millis() - START.as_millis()
    }
}
