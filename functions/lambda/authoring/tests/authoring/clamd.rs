//! A stand-in for clamd, which speaks `INSTREAM` and nothing else, and holds the other side to it.

use std::{
    io,
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// What it takes for a virus.
pub const VIRUS: &[u8] = b"AKADEMI-TEST-VIRUS";
/// The longest chunk that it takes.
const MAX_CHUNK: u32 = 4 << 20;

/// What it does with those who ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// Looks for [`VIRUS`] in at most so many bytes.
    Looks { limit: usize },
    /// Answers this.
    Says(&'static str),
    /// Hangs up once it has all.
    HangsUp,
}

struct Shared {
    mood: Mood,
    /// All whole files that it was sent.
    seen: Vec<Vec<u8>>,
    /// What was against the protocol.
    broken: Vec<String>,
}

/// A scanner on a port of this machine, until it is dropped with its runtime.
pub struct Clamd {
    pub address: String,
    shared: Arc<Mutex<Shared>>,
}

impl Clamd {
    pub async fn start(mood: Mood) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let shared = Arc::new(Mutex::new(Shared { mood, seen: Vec::new(), broken: Vec::new() }));
        let serving = shared.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = serving.clone();
                tokio::spawn(async move {
                    if let Err(error) = serve(stream, &shared).await {
                        shared.lock().unwrap().broken.push(error.to_string());
                    }
                });
            }
        });
        Self { address, shared }
    }

    pub fn turns(&self, mood: Mood) {
        self.shared.lock().unwrap().mood = mood;
    }

    /// The files that it was sent whole; nobody may have broken the protocol.
    pub fn seen(&self) -> Vec<Vec<u8>> {
        let shared = self.shared.lock().unwrap();
        assert_eq!(shared.broken, Vec::<String>::new());
        shared.seen.clone()
    }
}

async fn serve(mut stream: TcpStream, shared: &Mutex<Shared>) -> io::Result<()> {
    let mut command = [0; 10];
    stream.read_exact(&mut command).await?;
    if &command != b"zINSTREAM\0" {
        stream.write_all(b"UNKNOWN COMMAND\0").await?;
        return Err(io::Error::other(format!("{:?}", String::from_utf8_lossy(&command))));
    }
    let mood = shared.lock().unwrap().mood;
    let mut file = Vec::new();
    loop {
        let length = stream.read_u32().await?;
        if length == 0 {
            break;
        }
        if length > MAX_CHUNK {
            return Err(io::Error::other(format!("a chunk of {length}")));
        }
        let start = file.len();
        file.resize(start + length as usize, 0);
        stream.read_exact(&mut file[start..]).await?;
    }
    let answer = match mood {
        Mood::HangsUp => return Ok(()),
        Mood::Says(text) => text.to_owned(),
        Mood::Looks { limit } if file.len() > limit => "INSTREAM size limit exceeded. ERROR".into(),
        Mood::Looks { .. } if file.windows(VIRUS.len()).any(|part| part == VIRUS) => {
            "stream: Akademi.Test-1 FOUND".into()
        }
        Mood::Looks { .. } => "stream: OK".into(),
    };
    shared.lock().unwrap().seen.push(file);
    stream.write_all(answer.as_bytes()).await?;
    stream.write_all(b"\0").await
}
