//! Stands between an instance's driver and PostgreSQL, message by message: here statements wait, connections are cut
//! and, for a negative control, protections are taken out of the SQL.

use bytes::{Buf as _, BytesMut};
use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc,
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
    gate::{Busy, Gate, Owner, Passage, Work},
    protection::Protection,
    wire::{Messages, Prepared, TERMINATE, query},
};

/// The server's process behind an instance's newest connection.
#[derive(Default)]
pub struct Backend {
    pid: AtomicI32,
    in_transaction: AtomicBool,
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
        let mut server = Server::connect(&self.server).await?;
        let Some(startup) = requests.startup().await? else { return Ok(()) };
        let greeting = server.ask(&startup).await?;
        self.backend.pid.store(server.pid, Ordering::SeqCst);
        self.backend.in_transaction.store(false, Ordering::SeqCst);
        client.write_all(&greeting).await?;
        drop(busy);

        let without = self.without;
        let rewrite = move |sql: &str| without.map_or_else(|| sql.to_owned(), |without| without.rewrite(sql));
        let mut prepared = Prepared::default();
        let ended = loop {
            let Some(unit) = prepared.unit(&mut requests, &rewrite).await? else { break None };
            let busy = self.gate.busy();
            let Some(sql) = unit.sql else {
                let answer = server.ask(&unit.bytes).await?;
                client.write_all(&answer).await?;
                continue;
            };
            let (go, decided) = oneshot::channel();
            let is_commit = sql == "COMMIT";
            self.gate.park(Owner::Lambda(self.instance), Work::Statement { sql, go });
            drop(busy);
            // Whoever asked is gone: nobody decides any more.
            let Ok((passage, done)) = decided.await else { break None };
            if passage == Passage::CutBefore {
                break Some(done);
            }
            let lost = self.without.filter(|_| is_commit && passage == Passage::CutAfter);
            let bytes = lost.and_then(Protection::instead_of_commit).map_or(unit.bytes, query);
            let answer = server.ask(&bytes).await?;
            self.backend.in_transaction.store(server.in_transaction, Ordering::SeqCst);
            if passage == Passage::CutAfter {
                break Some(done);
            }
            client.write_all(&answer).await?;
            done.tell();
        };
        let _busy = self.gate.busy();
        server.end().await;
        if self.backend.pid() == server.pid {
            self.backend.in_transaction.store(false, Ordering::SeqCst);
        }
        drop((client, requests));
        if let Some(done) = ended {
            done.tell();
        }
        Ok(())
    }
}

struct Server {
    answers: Messages<OwnedReadHalf>,
    requests: OwnedWriteHalf,
    pid: i32,
    in_transaction: bool,
}

impl Server {
    async fn connect(socket: &Path) -> io::Result<Self> {
        let (answers, requests) = UnixStream::connect(socket).await?.into_split();
        Ok(Self { answers: Messages::new(answers), requests, pid: 0, in_transaction: false })
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
                    self.in_transaction = message[5] != b'I';
                    return Ok(answer);
                }
                _ => {}
            }
        }
    }

    /// Returns when the server's process has given up its locks: it closes its socket after that.
    async fn end(&mut self) {
        let _ = self.requests.write_all(TERMINATE).await;
        while let Ok(Some(_)) = self.answers.next().await {}
    }
}
