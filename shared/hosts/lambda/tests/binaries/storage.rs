//! Object storage as a folder and as a bucket of S3, each behind HTTP, and the cases that both must pass.

use akademi_api::{
    Ports,
    ports::{Clock, HttpClient},
};
use akademi_domain::{ids::TenantId, time::Timestamp};
use akademi_lambda::{
    aws::{self, Aws},
    http_client::Network,
};
use akademi_lambda_store::{
    links::{Access, Grant, Link, Links},
    object_key::ObjectKey,
    objects::{ObjectError, Objects},
    signed_url::{LinkSecret, LinkSigner},
};
use akademi_local::storage::{self, Folder, PolicyVerifier, Served};
use akademi_process::{
    ports::{WriteLog, ports},
    server::Server,
};
use akademi_runtime_api::bucket::{BUCKET, Bucket, CREDENTIALS};
use bytes::Bytes;
use http::{Method, Request, Response};
use object_store::aws::AwsCredential;
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};
use tempfile::TempDir;
use tokio::net::TcpListener;

/// Runs each case on both.
macro_rules! on_both {
    ($($case:ident)*) => {
        mod folder {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $case() {
                super::$case($crate::storage::Storage::folder().await).await;
            })*
        }
        mod bucket {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $case() {
                super::$case($crate::storage::Storage::bucket()).await;
            })*
        }
    };
}
pub(crate) use on_both;

pub struct Storage {
    pub objects: Objects,
    links: Arc<dyn Links>,
    host: Host,
}

enum Host {
    Folder { late: Arc<Late>, _folder: TempDir, _server: Server },
    Bucket(Bucket),
}

/// The system's clock, so many seconds late.
struct Late {
    seconds: AtomicI64,
    system: Ports,
}

impl Clock for Late {
    fn now(&self) -> Timestamp {
        self.system.now().plus_seconds(self.seconds.load(Ordering::Relaxed))
    }
}

/// The bucket as functions reach it.
pub fn reached(server: &Bucket) -> aws::Bucket {
    let [region, key, secret, token] = CREDENTIALS.map(|(_, value)| value.to_owned());
    let credential = AwsCredential { key_id: key, secret_key: secret, token: Some(token) };
    let aws = Aws::new(Network::new(), credential, region);
    aws::Bucket::new(BUCKET, Some(&format!("http://{}", server.address)), &aws).unwrap()
}

impl Storage {
    pub async fn folder() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let authority = listener.local_addr().unwrap().to_string();
        let secret = LinkSecret { kid: "k".into(), bytes: [7; 32] };
        let links = LinkSigner::new(&format!("http://{authority}{}", storage::PATH), secret, None);
        let served = Folder { objects: Objects::local(folder.path()).unwrap(), links: links.clone() };
        let late = Arc::new(Late { seconds: AtomicI64::new(0), system: system() });
        let ports = Ports { clock: late.clone(), ..system() };
        // No video is read through it.
        let key = "k1:BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc";
        let media = PolicyVerifier::from_config("http://nowhere", key).unwrap();
        let router = storage::router(Served { storage: served.clone(), media, authority, ports });
        let server = Server::serve(router, listener).unwrap();
        let host = Host::Folder { late, _folder: folder, _server: server };
        Self { objects: served.objects, links: Arc::new(links), host }
    }

    pub fn bucket() -> Self {
        let server = Bucket::start().unwrap();
        let bucket = reached(&server);
        Self { objects: bucket.objects(), links: bucket.links(), host: Host::Bucket(server) }
    }

    /// A link that holds a minute.
    pub fn link(&self, key: &ObjectKey, access: Access) -> Link {
        let now = system().now();
        let grant = Grant { key: key.clone(), access, expires_at: now.plus_seconds(60) };
        self.links.sign(&grant, now).unwrap()
    }

    /// Links grow older by so much.
    pub fn pass_seconds(&self, seconds: u64) {
        match &self.host {
            Host::Folder { late, .. } => {
                late.seconds.fetch_add(i64::try_from(seconds).unwrap(), Ordering::Relaxed);
            }
            Host::Bucket(bucket) => bucket.pass_seconds(seconds).unwrap(),
        }
    }

    /// What a bucket keeps of an object's type; a folder keeps nothing.
    pub fn kept_type(&self, key: &ObjectKey) -> Option<String> {
        match &self.host {
            Host::Folder { .. } => None,
            Host::Bucket(bucket) => bucket.objects().unwrap().remove(key.as_str()),
        }
    }

    pub async fn is_there(&self, key: &ObjectKey) -> bool {
        match self.objects.head(key).await {
            Ok(_) => true,
            Err(ObjectError::NotFound) => false,
            Err(error) => panic!("{}", error.with_source()),
        }
    }
}

fn system() -> Ports {
    ports(Arc::new(WriteLog::new(std::io::sink())))
}

pub fn key(tenant: u8, parts: &[&str]) -> ObjectKey {
    let tenant = TenantId::new(Timestamp::from_millis(1_790_000_000_000), [tenant; 10]);
    ObjectKey::new(tenant, parts.iter().copied()).unwrap()
}

/// Sends a request as whoever holds a link does, without a token.
pub async fn request(method: Method, link: &Link, headers: &[(&str, &str)], body: &[u8]) -> Response<Bytes> {
    let mut request = Request::builder().method(method).uri(&link.url);
    for (name, value) in
        link.headers.iter().map(|(name, value)| (*name, value.as_str())).chain(headers.iter().copied())
    {
        request = request.header(name, value);
    }
    Network::new().send(request.body(Bytes::copy_from_slice(body)).unwrap()).await.unwrap()
}

pub async fn put(link: &Link, body: &[u8]) -> u16 {
    request(Method::PUT, link, &[], body).await.status().as_u16()
}
