//! Mail that stays on this machine: each message a file that any mail program opens, and pages that show them.
//!
//! The pages are for whoever sits at this machine: nobody else's connection is answered, and no host but this machine's
//! own, so that no page elsewhere reads them by a name that it points here.

use akademi_api::{Ports, Problem, caller::ClientAddress, host_name::host_of, public_url::is_this_machine};
use akademi_domain::ids::MailId;
use akademi_lambda_store::jobs::Failure;
use akademi_mail::{Mailer, Message, Undelivered};
use anyhow::Context;
use askama::Template;
use axum::{
    Json, Router,
    extract::{Path as PathOf, Query, Request, State},
    middleware::{Next, from_fn},
    response::{Html, IntoResponse as _, Response},
    routing::get,
};
use futures::future::BoxFuture;
use http::{HeaderValue, header};
use mail_parser::MessageParser;
use serde::{Deserialize, Serialize};
use std::{
    fs, io,
    net::IpAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Older ones make way.
const MAX_MESSAGES: usize = 500;

/// What may run in the pages: nothing. Mails bring their own styles.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; base-uri 'none'";

/// A folder of messages, `{id}.eml` each: ids sort by when the mail was wanted.
pub struct Mailbox {
    folder: PathBuf,
}

impl Mailbox {
    /// # Errors
    /// When the folder cannot be made.
    pub fn open(folder: PathBuf) -> anyhow::Result<Self> {
        fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        Ok(Self { folder })
    }

    /// The kept messages, newest first; those for `to` only, if it is given.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn mails(&self, to: Option<&str>) -> io::Result<Vec<KeptMail>> {
        let files = files(&self.folder)?;
        let mails = files.iter().rev().filter_map(|file| read(file).ok().flatten());
        Ok(mails.filter(|mail| to.is_none_or(|to| mail.to.eq_ignore_ascii_case(to))).collect())
    }

    fn mail(&self, id: MailId) -> io::Result<Option<KeptMail>> {
        match read(&self.folder.join(format!("{id}.eml"))) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            read => read,
        }
    }
}

impl Mailer for Mailbox {
    /// A message that comes again takes its own place.
    fn send<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<(), Undelivered>> {
        let (folder, id, bytes) = (self.folder.clone(), message.id, message.bytes.clone());
        Box::pin(async move {
            let kept = tokio::task::spawn_blocking(move || keep(&folder, id, &bytes)).await;
            let reason = match kept {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(error)) => error.kind().to_string(),
                Err(error) => error.to_string(),
            };
            let reason = format!("the mailbox cannot keep it: {reason}");
            Err(Undelivered { failure: Failure::Passing, reason })
        })
    }
}

/// Writes one message and deletes what is too much.
fn keep(folder: &Path, id: MailId, bytes: &[u8]) -> io::Result<()> {
    // Whoever looks meanwhile sees a whole message or none.
    let unfinished = folder.join(format!("{id}.unfinished"));
    fs::write(&unfinished, bytes)?;
    fs::rename(unfinished, folder.join(format!("{id}.eml")))?;
    let files = files(folder)?;
    for file in files.iter().take(files.len().saturating_sub(MAX_MESSAGES)) {
        fs::remove_file(file)?;
    }
    Ok(())
}

/// The messages, oldest first.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    let mut files: Vec<_> = entries.into_iter().map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "eml"));
    files.sort();
    Ok(files)
}

/// A message as its readers see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeptMail {
    pub id: String,
    /// The address alone.
    pub to: String,
    pub subject: String,
    /// When it was sent, RFC 3339.
    pub at: String,
    pub text: String,
    pub html: String,
}

/// `None` for a file that is no message.
fn read(file: &Path) -> io::Result<Option<KeptMail>> {
    let bytes = fs::read(file)?;
    Ok(MessageParser::default().parse(&bytes).map(|mail| KeptMail {
        id: file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default(),
        to: mail.to().and_then(|to| to.first()?.address()).unwrap_or_default().to_owned(),
        subject: mail.subject().unwrap_or_default().to_owned(),
        at: mail.date().map(|date| date.to_rfc3339()).unwrap_or_default(),
        text: mail.body_text(0).unwrap_or_default().into_owned(),
        html: mail.body_html(0).unwrap_or_default().into_owned(),
    }))
}

#[derive(Template)]
#[template(path = "mailbox.html")]
struct ListPage {
    mails: Vec<KeptMail>,
}

#[derive(Template)]
#[template(path = "mail.html")]
struct MailPage {
    mail: KeptMail,
}

/// Whose mail is asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    to: Option<String>,
}

/// `/dev/mail`: the list, each message, and `/dev/mail.json?to=ADDRESS`.
pub fn router(mailbox: Arc<Mailbox>, ports: Ports) -> Router {
    Router::new()
        .route("/dev/mail", get(list))
        .route("/dev/mail/{id}", get(show))
        .route("/dev/mail.json", get(list_json))
        .with_state(mailbox)
        .layer(from_fn(move |request, next| guard(ports.clone(), request, next)))
}

async fn list(State(mailbox): State<Arc<Mailbox>>) -> Result<Html<String>, Problem> {
    let mails = mailbox.mails(None).map_err(Problem::broken)?;
    ListPage { mails }.render().map(Html).map_err(Problem::broken)
}

async fn show(
    State(mailbox): State<Arc<Mailbox>>,
    PathOf(id): PathOf<String>,
) -> Result<Html<String>, Problem> {
    let id = id.parse().map_err(|_| Problem::not_found())?;
    let mail = mailbox.mail(id).map_err(Problem::broken)?.ok_or_else(Problem::not_found)?;
    MailPage { mail }.render().map(Html).map_err(Problem::broken)
}

async fn list_json(
    State(mailbox): State<Arc<Mailbox>>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Vec<KeptMail>>, Problem> {
    mailbox.mails(wanted.to.as_deref()).map(Json).map_err(Problem::broken)
}

async fn guard(ports: Ports, request: Request, next: Next) -> Response {
    let mut response =
        if is_from_here(&request) { next.run(request).await } else { Problem::not_found().into_response() };
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        let request_id = format!("{:032x}", u128::from_be_bytes(ports.random()));
        response = problem.render(&request_id);
    }
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Callers in the same process have no address.
fn is_from_here(request: &Request) -> bool {
    let is_loopback =
        |text: &str| text.trim_matches(['[', ']']).parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    let peer = request.extensions().get::<ClientAddress>();
    let host = host_of(request).unwrap_or_default();
    peer.is_none_or(|ClientAddress(peer)| is_loopback(peer)) && (is_this_machine(&host) || is_loopback(&host))
}
