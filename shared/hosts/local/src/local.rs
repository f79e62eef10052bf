//! A whole deployment on this machine.

use akademi_api::{
    Ports,
    config::Config,
    keys::{derive, parse_keys},
    ports::Log,
    rate_limit::{PASSWORDS, Policy},
};
use akademi_edge_store::{Edge, rusqlite::SqliteFile};
use akademi_lambda_store::{objects::Objects, postgres::Postgres};
use akademi_mail::{Mailer, SmtpMailer};
use akademi_playback::signed_policy::PolicyVerifier;
use akademi_transcode::{Limits, job::Transcode, parts::PART_MS};
use anyhow::Context;
use axum::{Router, middleware::from_fn_with_state};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{
    http_client::{InProcess, LAMBDA_HOST, Network, Outbound},
    lambda_plane::LambdaPlane,
    mailbox::{self, Mailbox},
    ports::ports,
    rate_limit::{self, Attempts},
    secrets::{self, Variables},
    server::Server,
    storage::{self, Served},
    workers::Workers,
};

/// The key of links to videos is derived from the planes' root under this label (RFC 5869).
const MEDIA_LABEL: &str = "akademi/media/1";

/// What a deployment needs to be told.
pub struct Options {
    /// Where the edge store, files and the secrets are kept.
    pub data: PathBuf,
    pub listen: SocketAddr,
    /// PostgreSQL, migrated.
    pub postgres: Postgres,
    pub log: Arc<dyn Log>,
    /// How often `sync` looks at the edge without being woken.
    pub sync_interval: Duration,
    /// How many requests that hash a password an address may send in a minute.
    pub password_attempts: u32,
    /// The program that transcodes: one whose `main` begins with `akademi_transcode::child::main_if_child`. None is this
    /// very program.
    pub transcode_program: Option<PathBuf>,
}

/// A deployment that runs.
pub struct Local {
    pub edge: Edge,
    pub lambda: LambdaPlane,
    pub variables: Variables,
    pub address: SocketAddr,
    /// Everything that the port answers, for callers in the same process.
    pub router: Router,
    server: Server,
    sync: JoinHandle<()>,
    payments: JoinHandle<()>,
    reports: JoinHandle<()>,
    mail: JoinHandle<()>,
    invoices: JoinHandle<()>,
    workers: Workers,
}

impl Local {
    /// Opens the stores, migrates the edge's, joins the planes and serves them on one port.
    ///
    /// # Errors
    /// When the folder, a store or the port cannot be had.
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        std::fs::create_dir_all(&options.data)
            .with_context(|| format!("making {}", options.data.display()))?;
        let mut variables = secrets::load_or_create(&options.data)?;
        // Hosts that nobody resolves: both planes are this process.
        variables.insert("lambda_url".into(), format!("http://{LAMBDA_HOST}"));
        variables.insert("edge_url".into(), "http://edge.internal".into());
        variables.entry("dns_url".into()).or_insert_with(|| "https://cloudflare-dns.com".into());
        let listener = TcpListener::bind(options.listen)
            .await
            .with_context(|| format!("listening on {}", options.listen))?;
        // An address of this machine is no academy's host.
        variables.entry("mail_from".into()).or_insert_with(|| "Akademi <akademi@localhost>".into());
        let authority = reachable(listener.local_addr()?).to_string();
        variables.insert("storage_url".into(), format!("http://{authority}{}", storage::PATH));
        let media_url = format!("http://{authority}{}", storage::MEDIA_PATH);
        variables.insert("media_url".into(), media_url.clone());
        // Here the CDN is this process too.
        if let Some(root) =
            variables.get("plane_root_keys").and_then(|text| parse_keys(text).ok()?.into_iter().next())
        {
            let key = URL_SAFE_NO_PAD.encode(*derive(&root.bytes, MEDIA_LABEL));
            variables.insert("media_signing_keys".into(), format!("{}:{key}", root.kid));
        }
        let lookup = |name: &str| variables.get(name).cloned();
        let config = Config::new(&lookup);
        let ports = ports(options.log);

        let edge = open_edge(&options.data, ports.clone())?;
        let objects = Objects::local(&options.data.join("objects")).context("opening the folder of files")?;
        let (to_edge, to_lambda) = (InProcess::new(), InProcess::new());
        let mailbox = match variables.get("mail_url") {
            None => Some(Arc::new(Mailbox::open(options.data.join("mail"))?)),
            Some(_) => None,
        };
        let mailer: Arc<dyn Mailer> = match &mailbox {
            Some(mailbox) => mailbox.clone(),
            None => Arc::new(SmtpMailer::from_config(&config)?),
        };
        let port = listener.local_addr()?.port();
        let lambda = LambdaPlane::new(
            &ports,
            options.postgres.clone(),
            to_edge.clone(),
            objects.clone(),
            (mailer, Some(port)),
            &config,
        )?;
        to_lambda.connect(lambda.router.clone());
        let outbound: Arc<dyn akademi_api::ports::HttpClient> =
            Arc::new(Outbound { lambda: to_lambda, network: Network::new() });
        let router = akademi_edge_functions::all(&edge, &outbound, &config)?;
        to_edge.connect(router.clone());
        // The platform's host is this port too.
        let router = router.merge(lambda.callbacks.clone());
        let media = config.read(akademi_functions::MEDIA_SIGNING_KEYS, |keys| {
            PolicyVerifier::from_config(&media_url, keys)
        })?;
        let storage = lambda.storage.clone();
        let router =
            router.merge(storage::router(Served { storage, media, authority, ports: ports.clone() }));
        let router = match mailbox {
            Some(mailbox) => router.merge(mailbox::router(mailbox, ports.clone())),
            None => router,
        };

        let attempts = Attempts::of(Policy { quota: options.password_attempts, ..PASSWORDS });
        let limited = router.clone().layer(from_fn_with_state(attempts, rate_limit::limit));
        let server = Server::serve(limited, listener)?;
        let transcode = Transcode {
            ports: ports.clone(),
            postgres: options.postgres,
            objects,
            program: options.transcode_program,
            limits: Limits::default(),
            part_ms: PART_MS,
        };
        let workers = Workers::start(&ports, &lambda.bell, lambda.authoring.clone(), transcode);
        let sync = lambda.run_sync(ports.clone(), options.sync_interval);
        let payments = lambda.run_payments(ports.clone());
        let mail = lambda.run_mail(ports.clone());
        let invoices = lambda.run_invoices(ports.clone());
        let reports = lambda.run_reports(ports);
        Ok(Self {
            edge,
            lambda,
            variables,
            address: server.address,
            router,
            server,
            sync,
            payments,
            reports,
            mail,
            invoices,
            workers,
        })
    }

    /// Ends requests, jobs, sync and the server.
    pub async fn stop(self) {
        self.server.stop().await;
        self.workers.stop().await;
        for job in [self.sync, self.payments, self.reports, self.mail, self.invoices] {
            job.abort();
            // It ends at its next await, or has ended already.
            let _ = job.await;
        }
    }
}

/// Where this machine reaches what listens on `address`.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// The edge store in `data`.
///
/// # Errors
/// When it cannot be opened or migrated.
pub fn open_edge(data: &std::path::Path, ports: Ports) -> anyhow::Result<Edge> {
    let database = SqliteFile::open(&data.join("edge.sqlite")).context("opening the edge store")?;
    Ok(Edge { ports, database: Arc::new(database) })
}
