//! A component ready to be instantiated, and what each instance of it holds.

use std::{
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use wasmtime::{
    Engine, Store, StoreContextMut,
    component::{Component, GuestTaskId, Linker, ResourceTable},
};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::{
    WasiHttpCtx, WasiHttpCtxView, WasiHttpView,
    handler::{HandlerState, Instance, Proxy, ShouldAccept, WorkerExpiration, WorkerState, WorkerStatus},
    p3::bindings::ServicePre,
};

use crate::{
    bindings::spin::{sqlite::sqlite, variables::variables},
    host::Limits,
    log::{ComponentLog, Source, one_line},
    outbound::{AllowedHost, Outbound},
    sqlite::{Databases, Sqlite, SqliteView},
    variables::{Variables, VariablesView, Visible},
};

/// What a store holds for the host functions.
pub(crate) struct State {
    table: ResourceTable,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    outbound: Outbound,
    databases: Databases,
    open_connections: usize,
    variables: Visible,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.outbound, table: &mut self.table, ctx: &mut self.http }
    }
}

/// All that the host offers. Sockets and files are linked, since the standard library imports them, but an
/// instance gets no directory and may reach no address.
pub(crate) fn linker(engine: &Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi::p3::add_to_linker(&mut linker)?;
    wasmtime_wasi_http::p3::add_to_linker(&mut linker)?;
    sqlite::add_to_linker::<State, Sqlite>(&mut linker, |state| SqliteView {
        table: &mut state.table,
        databases: &state.databases,
        open_connections: &mut state.open_connections,
    })?;
    variables::add_to_linker::<State, Variables>(&mut linker, |state| {
        VariablesView(state.variables.clone())
    })?;
    Ok(linker)
}

/// What a component may have and see, all of it taken from the manifest.
pub(crate) struct Grants {
    pub(crate) allowed_hosts: Arc<[AllowedHost]>,
    pub(crate) block_private_networks: bool,
    pub(crate) databases: Databases,
    pub(crate) variables: Visible,
    pub(crate) environment: BTreeMap<String, String>,
}

/// Why no instance was made: there are as many as there may be.
#[derive(Debug, thiserror::Error)]
#[error("all instances are there already")]
pub(crate) struct Full;

/// How often a component was instantiated, and how it ended.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) started: AtomicU64,
    pub(crate) failed: AtomicU64,
}

/// A compiled and linked component: makes instances for wasmtime's handler, which shares requests out to them.
pub(crate) struct Template {
    pub(crate) pre: ServicePre<State>,
    grants: Grants,
    limits: Limits,
    pub(crate) log: ComponentLog,
    pub(crate) counts: Arc<Counts>,
    /// How many more instances there may be, where their number is limited.
    places: Option<Arc<Semaphore>>,
    closing: watch::Receiver<bool>,
    alive: mpsc::WeakSender<()>,
}

impl Template {
    pub(crate) fn new(
        linker: &Linker<State>,
        component: &Component,
        grants: Grants,
        limits: Limits,
        log: ComponentLog,
        closing: watch::Receiver<bool>,
        alive: mpsc::WeakSender<()>,
    ) -> wasmtime::Result<Self> {
        let pre = ServicePre::new(linker.instantiate_pre(component)?)?;
        let places = limits.instances.map(|number| Arc::new(Semaphore::new(number)));
        Ok(Self { pre, grants, limits, log, counts: Arc::default(), places, closing, alive })
    }

    pub(crate) fn store(&self) -> Store<State> {
        let mut wasi = WasiCtxBuilder::new();
        wasi.stdout(self.log.stream(Source::Stdout)).stderr(self.log.stream(Source::Stderr));
        for (name, value) in &self.grants.environment {
            wasi.env(name, value);
        }
        let state = State {
            table: ResourceTable::new(),
            wasi: wasi.build(),
            http: WasiHttpCtx::new(),
            outbound: Outbound {
                allowed: self.grants.allowed_hosts.clone(),
                block_private_networks: self.grants.block_private_networks,
                log: self.log.clone(),
            },
            databases: self.grants.databases.clone(),
            open_connections: 0,
            variables: self.grants.variables.clone(),
        };
        Store::new(self.pre.engine(), state)
    }
}

impl HandlerState for Template {
    type StoreData = State;
    type WorkerExpiration = Expiration;
    type WorkerState = Worker;

    async fn instantiate(&self) -> wasmtime::Result<Instance<State, Expiration, Worker>> {
        let place = match &self.places {
            Some(places) => Some(places.clone().try_acquire_owned().map_err(|_| wasmtime::Error::new(Full))?),
            None => None,
        };
        let mut store = self.store();
        let proxy = Proxy::P3(self.pre.instantiate_async(&mut store).await?);
        self.counts.started.fetch_add(1, Ordering::Relaxed);
        let mut closing = self.closing.clone();
        Ok(Instance {
            store,
            proxy,
            view: State::http,
            expiration: Expiration {
                idle: self.limits.idle_instance,
                request: self.limits.request_timeout,
                sleep: Box::pin(tokio::time::sleep(Duration::MAX)),
                closing: Box::pin(async move { drop(closing.wait_for(|closing| *closing).await) }),
            },
            state: Worker {
                limits: self.limits,
                log: self.log.clone(),
                counts: self.counts.clone(),
                _place: place,
                _alive: self.alive.upgrade(),
            },
        })
    }
}

/// Ends an instance that was idle or busy for too long, or whose host closes.
pub(crate) struct Expiration {
    idle: Duration,
    request: Option<Duration>,
    sleep: Pin<Box<tokio::time::Sleep>>,
    closing: Pin<Box<dyn Future<Output = ()> + Send + Sync>>,
}

impl WorkerExpiration for Expiration {
    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        status: WorkerStatus,
        start: Instant,
    ) -> Poll<()> {
        if self.closing.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        let allowed = match status {
            WorkerStatus::Idle => Some(self.idle),
            WorkerStatus::Requests | WorkerStatus::PostReturn => self.request,
        };
        let Some(deadline) = allowed.and_then(|allowed| start.checked_add(allowed)) else {
            return Poll::Pending;
        };
        if self.sleep.deadline() != deadline.into() {
            self.sleep.as_mut().reset(deadline.into());
        }
        self.sleep.as_mut().poll(cx)
    }
}

/// Decides which requests one instance takes, and reports how it ended.
pub(crate) struct Worker {
    limits: Limits,
    log: ComponentLog,
    counts: Arc<Counts>,
    _place: Option<OwnedSemaphorePermit>,
    /// The host's shutdown waits until all of these are gone.
    _alive: Option<mpsc::Sender<()>>,
}

impl WorkerState for Worker {
    type StoreData = State;
    type RequestData = ();

    fn should_accept_request(&self, concurrent: usize, total: usize) -> ShouldAccept {
        if total >= self.limits.requests_per_instance {
            ShouldAccept::Never
        } else if concurrent >= self.limits.concurrent_requests {
            ShouldAccept::No
        } else {
            ShouldAccept::Yes
        }
    }

    fn on_request_start(
        &self,
        _: StoreContextMut<'_, State>,
        (): (),
        _: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + Sync>> {
        match self.limits.request_timeout {
            Some(timeout) => Box::pin(tokio::time::sleep(timeout)),
            None => Box::pin(std::future::pending()),
        }
    }

    fn drop(&self, store: Store<State>, result: wasmtime::Result<()>) {
        if let Err(error) = result {
            self.counts.failed.fetch_add(1, Ordering::Relaxed);
            self.log.host_line(&format!("instance failed: {}", one_line(&error)));
        }
        drop(store);
    }
}
