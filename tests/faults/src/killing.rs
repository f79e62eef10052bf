//! Learners buy from real processes, at PayTR or at iyzico, and staff gives back; the processes are killed with `kill -9` and
//! their connections to PostgreSQL are cut, at random moments; then the books are looked at.

mod buying;
mod finish;

use akademi_lambda_store::postgres::Postgres;
use anyhow::ensure;
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::State,
};
use http::{Request, Response};
use std::{
    collections::BTreeMap,
    ffi::OsString,
    net::{Ipv4Addr, SocketAddr},
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    net::{TcpListener, UnixListener, UnixStream},
    sync::watch,
};

use crate::{
    academy::tenant,
    ground::Ground,
    invariants::{self, Outcomes},
    processes::process_ports,
    providers::{Provider, Providers},
    random::Random,
};
use buying::{Market, buy, notify};
use finish::finish;

const PEOPLE: u8 = 120;
/// So many learners buy at once, one after the other.
const AT_ONCE: u8 = 6;
/// So many times as many kills at the most, until money has moved.
const MOST_TIMES: usize = 4;
/// After so many kills staff has the other provider take orders.
const ROUNDS_AT_ONE: usize = 5;
/// The port in the name of the socket that the processes take for PostgreSQL's.
const CUT_PORT: u16 = 7;
/// No request to a provider is larger.
const MOST_BYTES: usize = 64 * 1024;

/// What was left when it was over.
#[derive(Debug, Default)]
pub struct Survived {
    pub killed: usize,
    pub cut: usize,
    pub outcomes: Outcomes,
    /// How many payments each provider took.
    pub paid: BTreeMap<Provider, usize>,
    pub violations: Vec<String>,
}

/// A process that comes back after each death, and finds whoever asked for it in the meantime.
struct Immortal {
    program: PathBuf,
    arguments: Vec<OsString>,
    /// Outlives each of them, so that nobody else gets its port.
    socket: std::net::TcpListener,
    child: Child,
}

impl Immortal {
    fn start(
        program: &Path,
        arguments: Vec<OsString>,
        socket: std::net::TcpListener,
    ) -> anyhow::Result<Self> {
        let child = spawn(program, &arguments, &socket)?;
        Ok(Self { program: program.into(), arguments, socket, child })
    }

    /// SIGKILL, and another one.
    fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        self.child = spawn(&self.program, &self.arguments, &self.socket)?;
        Ok(())
    }
}

impl Drop for Immortal {
    fn drop(&mut self) {
        // It may be dead already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(program: &Path, arguments: &[OsString], socket: &std::net::TcpListener) -> anyhow::Result<Child> {
    let socket = OwnedFd::from(socket.try_clone()?);
    Ok(Command::new(program).args(arguments).stdin(Stdio::from(socket)).spawn()?)
}

/// Kills one of the processes so many times or, where little was bought until then, some more, and cuts the connections to
/// PostgreSQL as often; `program` is `akademi-faults`.
///
/// # Errors
/// When a process cannot be started, or nothing comes to its end.
pub fn kill_at_random(program: &Path, rounds: usize, seed: u64) -> anyhow::Result<Survived> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(live_through(program, rounds, Random::new(seed)))
}

async fn live_through(program: &Path, rounds: usize, mut random: Random) -> anyhow::Result<Survived> {
    let ports = process_ports();
    let mut ground = Ground::new(PEOPLE, &ports).await?;
    sqlx::raw_sql("UPDATE budget SET ceiling = 15 WHERE kind = 'coupon'")
        .execute(&mut ground.observer)
        .await?;
    let providers = Arc::new(Mutex::new(Providers::default()));
    let (cut, cuts) = watch::channel(0_usize);
    let socket = ground.folder.path().join(format!(".s.PGSQL.{CUT_PORT}"));
    tokio::spawn(relay(UnixListener::bind(socket)?, ground.server_socket()?, cuts));

    let [(edge_socket, edge), (first_socket, first), (second_socket, second)] =
        [socket_of_any_port()?, socket_of_any_port()?, socket_of_any_port()?];
    let database = database_url(&ground)?;
    let listening = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let at_providers = listening.local_addr()?;
    let provider = Router::new().fallback(answer).with_state(providers.clone());
    tokio::spawn(async move { axum::serve(listening, provider).await });

    let file = ground.edge_file().into_os_string();
    let mut processes = vec![Immortal::start(program, words(["edge", "--file"], file), edge_socket)?];
    for socket in [first_socket, second_socket] {
        let (edge, providers) = (edge.to_string(), at_providers.to_string());
        let told = ["lambda", "--edge", &edge, "--providers", &providers, "--database"];
        processes.push(Immortal::start(program, words(told, database.clone().into()), socket)?);
    }

    let market = Arc::new(Market::new(
        providers.clone(),
        edge,
        [first, second],
        ground.callbacks.clone(),
        ports.clone(),
    ));
    let share = PEOPLE / AT_ONCE;
    let buyers = (0..AT_ONCE).map(|n| {
        let people = n * share + 1..=(n + 1) * share;
        tokio::spawn(buy(market.clone(), people, Random::new(random.next())))
    });
    let buyers: Vec<_> = buyers.collect();
    let notifier = tokio::spawn(notify(market.clone(), Random::new(random.next())));

    let postgres = Postgres::new(ground.database.options(), 2);
    let staff = finish::payments(ports, &postgres, &providers)?;
    let mut survived = Survived::default();
    // On a loaded machine few buyers get as far as paying between two kills.
    while survived.killed < rounds || survived.killed < MOST_TIMES * rounds && !has_moved_money(&providers) {
        let is_at_paytr = (survived.killed / ROUNDS_AT_ONE).is_multiple_of(2);
        let provider = if is_at_paytr { Provider::PayTr } else { Provider::Iyzico };
        staff.take_orders_at(tenant(), provider.name()).await?;
        tokio::time::sleep(Duration::from_millis(40 + random.below(160) as u64)).await;
        let victim = random.below(processes.len());
        processes[victim].kill()?;
        survived.killed += 1;
        tokio::time::sleep(Duration::from_millis(random.below(120) as u64)).await;
        cut.send_modify(|count| *count += 1);
        survived.cut += 1;
    }
    market.close();
    for buyer in buyers {
        buyer.await?;
    }
    notifier.await?;
    drop(processes);
    finish(&ground, postgres, &providers).await?;
    let providers = std::mem::take(&mut *providers.lock().unwrap());
    for attempt in providers.attempts.iter().filter(|attempt| attempt.paid().is_some()) {
        *survived.paid.entry(attempt.provider).or_default() += 1;
    }
    survived.violations = market.violations();
    survived.violations.extend(invariants::check(&mut ground, &providers).await?);
    survived.outcomes = invariants::outcomes(&mut ground).await?;
    Ok(survived)
}

/// Whether both providers have taken money, and either has given some back.
fn has_moved_money(providers: &Mutex<Providers>) -> bool {
    let providers = providers.lock().unwrap();
    let has_paid = |provider| {
        providers.attempts.iter().any(|attempt| attempt.provider == provider && attempt.paid().is_some())
    };
    let has_given_back = providers.attempts.iter().any(|attempt| !attempt.returns.is_empty());
    has_paid(Provider::PayTr) && has_paid(Provider::Iyzico) && has_given_back
}

/// The provider's answer.
async fn answer(State(providers): State<Arc<Mutex<Providers>>>, request: Request<Body>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, MOST_BYTES).await.unwrap_or_default();
    let answer = providers.lock().unwrap().answer(&Request::from_parts(parts, body));
    answer.map(Body::from)
}

/// Carries bytes between the processes and PostgreSQL, and drops all connections at each cut, wherever they stand.
async fn relay(listener: UnixListener, server: PathBuf, cuts: watch::Receiver<usize>) {
    while let Ok((mut client, _)) = listener.accept().await {
        let (server, mut cuts) = (server.clone(), cuts.clone());
        cuts.mark_unchanged();
        tokio::spawn(async move {
            let Ok(mut server) = UnixStream::connect(&server).await else { return };
            tokio::select! {
                // Either side may end it.
                _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
                _ = cuts.changed() => {}
            }
        });
    }
}

fn socket_of_any_port() -> anyhow::Result<(std::net::TcpListener, SocketAddr)> {
    let socket = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = socket.local_addr()?;
    Ok((socket, address))
}

/// The address of PostgreSQL by way of [`relay`].
fn database_url(ground: &Ground) -> anyhow::Result<String> {
    let url = ground.database.url();
    let (address, _) = url.split_once("?host=").unwrap_or_default();
    ensure!(!address.is_empty(), "the server has a socket");
    let folder = ground.folder.path().display();
    Ok(format!("{address}?host={folder}&port={CUT_PORT}&sslmode=disable"))
}

fn words<const N: usize>(words: [&str; N], last: OsString) -> Vec<OsString> {
    words.into_iter().map(OsString::from).chain([last]).collect()
}
