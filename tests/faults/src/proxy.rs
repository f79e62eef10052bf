//! Stands between an instance's driver and PostgreSQL, message by message: here statements wait, connections are cut
//! and, for a negative control, protections are taken out of the SQL.
//!
//! A cut ends what its connection stood for: the transaction is rolled back, and all that a session has is discarded. The
//! server's process itself serves the instance's next connection, since one that has just begun knows no table and takes
//! milliseconds for the first statement on each; what it has read and planned it need not read again ([`crate::prepared`]).
//! Real processes lose real connections in [`crate::kill_at_random`].

use bytes::{Buf as _, Bytes, BytesMut};
use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicI32, Ordering},
    },
};
use tokio::{
    io::AsyncWriteExt as _,
    net::{
        UnixListener, UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::oneshot,
};

use crate::{
    gate::{Busy, Done, Gate, Owner, Passage, Work},
    prepared::{Prepared, Session, What},
    processor,
    protection::{Part, Protection},
    wire::{Messages, message, query},
};

/// The server's process behind an instance's newest connection.
#[derive(Default)]
pub struct Backend {
    pid: AtomicI32,
    in_transaction: AtomicBool,
    /// Without a session, for the next connection.
    spare: Mutex<Option<Server>>,
}

impl Backend {
    pub fn pid(&self) -> i32 {
        self.pid.load(Ordering::SeqCst)
    }

    pub fn in_transaction(&self) -> bool {
        self.in_transaction.load(Ordering::SeqCst)
    }
}

#[derive(Clone)]
pub struct Proxy {
    pub instance: usize,
    /// The server's own socket.
    pub server: PathBuf,
    pub gate: Gate,
    pub backend: Arc<Backend>,
    pub without: Option<Protection>,
    /// The parts of protections that no statement has had so far.
    pub unmet: Arc<Mutex<BTreeSet<Part>>>,
}

impl Proxy {
    /// The port that is this instance's socket in the folder, as PostgreSQL names them.
    pub const fn port(instance: usize) -> u16 {
        instance as u16 + 1
    }

    /// Accepts connections for as long as the runtime lives.
    pub fn listen(self, folder: &Path) -> io::Result<()> {
        let listener = UnixListener::bind(folder.join(format!(".s.PGSQL.{}", Self::port(self.instance))))?;
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let busy = self.gate.busy();
                let proxy = self.clone();
                tokio::spawn(async move {
                    // Whoever was cut off learns it by the end of the connection.
                    let _ = proxy.relay(client, busy).await;
                    proxy.gate.stir();
                });
            }
        });
        Ok(())
    }

    async fn relay(&self, client: UnixStream, busy: Busy) -> io::Result<()> {
        let (read, mut client) = client.into_split();
        let mut requests = Messages::new(read);
        let Some(startup) = requests.startup().await? else { return Ok(()) };
        let spare = self.backend.spare.lock().unwrap().take();
        let mut server = match spare {
            Some(server) => server,
            None => Server::connect(&self.server, &startup).await?,
        };
        self.backend.pid.store(server.pid, Ordering::SeqCst);
        self.backend.in_transaction.store(false, Ordering::SeqCst);
        client.write_all(&server.greeting).await?;
        drop(busy);

        let ended = self.carry(&mut requests, &mut server, &mut client).await;
        let _busy = self.gate.busy();
        let pid = server.pid;
        // One that does not answer any more is gone by itself.
        if server.end_session().await.is_ok() {
            *self.backend.spare.lock().unwrap() = Some(server);
        }
        if self.backend.pid() == pid {
            self.backend.in_transaction.store(false, Ordering::SeqCst);
        }
        drop((client, requests));
        if let Some(done) = ended? {
            done.tell();
        }
        Ok(())
    }

    /// Carries units and their answers until the connection is cut, for whom that is told then, or its client has gone.
    async fn carry(
        &self,
        requests: &mut Messages<OwnedReadHalf>,
        server: &mut Server,
        client: &mut OwnedWriteHalf,
    ) -> io::Result<Option<Arc<Done>>> {
        let rewrite = |sql: &str| {
            self.unmet.lock().unwrap().retain(|part| part.taken_from(sql).is_none());
            self.without.map_or_else(|| sql.to_owned(), |without| without.rewrite(sql))
        };
        let mut session = Session::default();
        loop {
            let unit = session.unit(requests, &mut server.prepared, &rewrite).await?;
            let Some(unit) = unit else { return Ok(None) };
            let busy = self.gate.busy();
            let sql = match unit.what {
                What::Execute(sql) => sql,
                What::Prepare(text) => {
                    client.write_all(&server.prepare(&text, &unit.bytes).await?).await?;
                    continue;
                }
                What::Other => {
                    client.write_all(&server.ask(&unit.bytes).await?).await?;
                    continue;
                }
            };
            let (go, decided) = oneshot::channel();
            let is_commit = sql == "COMMIT";
            self.gate.park(Owner::Lambda(self.instance), Work::Statement { sql, go });
            drop(busy);
            // Whoever asked is gone: nobody decides any more.
            let Ok((passage, done)) = decided.await else { return Ok(None) };
            if passage == Passage::CutBefore {
                return Ok(Some(done));
            }
            let lost = self.without.filter(|_| is_commit && passage == Passage::CutAfter);
            let bytes = lost.and_then(Protection::instead_of_commit).map_or(unit.bytes, query);
            let answer = server.ask(&bytes).await?;
            self.backend.in_transaction.store(server.status != IDLE, Ordering::SeqCst);
            if passage == Passage::CutAfter {
                return Ok(Some(done));
            }
            client.write_all(&answer).await?;
            done.tell();
        }
    }
}

/// What the server is ready for, as ReadyForQuery says it: no transaction is open, or the open one has failed.
const IDLE: u8 = b'I';
const FAILED: u8 = b'E';
/// All that a session may have, but for what is prepared (PostgreSQL documentation, "DISCARD").
const END_SESSION: &str = "CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; UNLISTEN *;
    SELECT pg_advisory_unlock_all(); DISCARD TEMP; DISCARD SEQUENCES";

/// A process of the server, and the way to it.
struct Server {
    answers: Messages<OwnedReadHalf>,
    requests: OwnedWriteHalf,
    pid: i32,
    status: u8,
    prepared: Prepared,
    /// What it said when its connection began.
    greeting: BytesMut,
}

impl Server {
    async fn connect(socket: &Path, startup: &[u8]) -> io::Result<Self> {
        let (answers, requests) = UnixStream::connect(socket).await?.into_split();
        let answers = Messages::new(answers);
        let (prepared, greeting) = (Prepared::default(), BytesMut::new());
        let mut server = Self { answers, requests, pid: 0, status: IDLE, prepared, greeting };
        server.greeting = server.ask(startup).await?;
        processor::share(server.pid);
        Ok(server)
    }

    /// Sends a unit and returns all that is answered until the server is ready for the next.
    async fn ask(&mut self, unit: &[u8]) -> io::Result<BytesMut> {
        self.requests.write_all(unit).await?;
        let mut answer = BytesMut::new();
        loop {
            let message = self.answers.next().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
            answer.extend_from_slice(&message);
            match message[0] {
                // BackendKeyData
                b'K' => self.pid = (&message[5..9]).get_i32(),
                // ReadyForQuery
                b'Z' => {
                    self.status = message[5];
                    return Ok(answer);
                }
                _ => {}
            }
        }
    }

    /// Has a text prepared and described, as `unit` asks for it, unless it is already.
    async fn prepare(&mut self, text: &Bytes, unit: &[u8]) -> io::Result<BytesMut> {
        if self.status == FAILED {
            return self.ask(unit).await;
        }
        let ready = message(b'Z', &[&[self.status]]);
        if let Some(known) = self.prepared.answer(text) {
            return Ok([&known[..], &ready].concat().as_slice().into());
        }
        let answer = self.ask(unit).await?;
        // ParseComplete, and no error after it.
        if let Some(known) = answer.strip_suffix(&ready[..]).filter(|known| known.starts_with(b"1")) {
            self.prepared.learn(text, known);
        }
        Ok(answer)
    }

    /// Returns when the server's process has given up its locks and its roles.
    async fn end_session(&mut self) -> io::Result<()> {
        if self.status != IDLE {
            self.ask(&query("ROLLBACK")).await?;
        }
        self.ask(&query(END_SESSION)).await?;
        Ok(())
    }
}
