//! Sends requests, keeps what came back, and asks each row in all the ways that follow from how it is asked rightly.

use akademi_api::signed::{CALL_HEADER, CallContext, PlaneKeys};
use akademi_domain::time::Timestamp;
use akademi_feed::{Batch, Envelope, LambdaEvent};
use akademi_functions::{Access, ROUTES, Route};
use akademi_local::api_client::{Answer, ApiClient};
use anyhow::{Context, ensure};
use http::{HeaderValue, Method, Uri, header};

use crate::{
    Deployment, Exchange,
    ask::Ask,
    kind::{Kind, exemption, name_of},
};

/// The feed that the requests bring to the edge.
pub const SOURCE: &str = "lambda:parity";

/// The row of this name, as `GET /api/v1/academy`.
pub fn row(name: &str) -> anyhow::Result<&'static Route> {
    ROUTES.iter().find(|route| name_of(route) == name).with_context(|| format!("there is no route {name}"))
}

/// A deployment as the requests go through it.
pub struct Recorder<'a> {
    pub deployment: &'a Deployment,
    pub now: &'a dyn Fn() -> Timestamp,
    /// Two academies' own hosts, and one that is nobody's.
    pub umraniye: ApiClient,
    pub kadikoy: ApiClient,
    pub nobody: ApiClient,
    /// The Lambda plane's own address.
    pub platform: ApiClient,
    /// Who may do everything in the first academy, and who may do nothing but learn there, once registered.
    pub staff: ApiClient,
    pub learner: Option<ApiClient>,
    /// The administrator of all academies, on the platform's own host.
    pub operator: ApiClient,
    /// How many events were brought to the edge.
    pub events: i64,
    pub exchanges: Vec<Exchange>,
}

impl Recorder<'_> {
    /// # Errors
    /// When nobody has registered yet.
    pub fn learner(&self) -> anyhow::Result<ApiClient> {
        self.learner.clone().context("nobody has registered yet")
    }

    /// Asks as it should be asked, and then in all the ways that are made of that.
    ///
    /// # Errors
    /// When no answer comes, or asking twice gives two answers.
    pub async fn good(&mut self, name: (&str, &str), client: &ApiClient, ask: Ask) -> anyhow::Result<Answer> {
        let answer = self.send(Kind::Good, name, client, &ask).await?;
        self.derive(name, client, &ask, &answer).await.with_context(|| format!("{} · {}", name.0, name.1))?;
        Ok(answer)
    }

    /// # Errors
    /// When no answer comes.
    pub async fn bad(&mut self, name: (&str, &str), client: &ApiClient, ask: Ask) -> anyhow::Result<Answer> {
        self.send(Kind::Bad, name, client, &ask).await
    }

    /// Asks what nobody here can ask rightly, in all the ways that need no good answer.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn refused(&mut self, name: (&str, &str), client: &ApiClient, ask: Ask) -> anyhow::Result<()> {
        let answer = self.bad(name, client, ask.clone()).await?;
        self.derive(name, client, &ask, &answer).await.with_context(|| format!("{} · {}", name.0, name.1))
    }

    /// # Errors
    /// When no answer comes.
    pub async fn turkish(
        &mut self,
        name: (&str, &str),
        client: &ApiClient,
        ask: Ask,
    ) -> anyhow::Result<Answer> {
        self.send(Kind::Turkish, name, client, &ask).await
    }

    /// The list's first page of one entry and the page after it; `query` begins with `?` or is empty.
    ///
    /// # Errors
    /// When no answer comes, or there is no second page.
    pub async fn paged(
        &mut self,
        route: &str,
        client: &ApiClient,
        path: &str,
        query: &str,
    ) -> anyhow::Result<()> {
        let limit = if query.is_empty() { "?limit=1".to_owned() } else { format!("{query}&limit=1") };
        let first = Ask::get(format!("{path}{limit}"));
        let first = self.send(Kind::Paged, (route, "first page"), client, &first).await?.json()?;
        let cursor = first.get("next_cursor").and_then(|cursor| cursor.as_str());
        let cursor = cursor.with_context(|| format!("{route} has no second page: {first}"))?;
        let second = Ask::get(format!("{path}{limit}&cursor={cursor}"));
        self.send(Kind::Paged, (route, "second page"), client, &second).await?;
        let made_up = Ask::get(format!("{path}?cursor=abc"));
        self.bad((route, "made-up cursor"), client, made_up).await?;
        let nothing = Ask::get(format!("{path}?limit=0"));
        self.bad((route, "limit of nothing"), client, nothing).await?;
        Ok(())
    }

    /// Sends one request of this row, or of no row where its name is empty.
    ///
    /// # Errors
    /// When no answer comes, or the same was asked under this name before.
    pub async fn send(
        &mut self,
        kind: Kind,
        (route, name): (&str, &str),
        client: &ApiClient,
        ask: &Ask,
    ) -> anyhow::Result<Answer> {
        if !route.is_empty() {
            row(route)?;
        }
        let mut headers = ask.headers.clone();
        // Who names no coding takes any (RFC 9110 §12.5.3), and hosts may choose different ones.
        if !headers.iter().any(|(name, _)| *name == header::ACCEPT_ENCODING) {
            headers.push((header::ACCEPT_ENCODING, HeaderValue::from_static("identity")));
        }
        if let Some(purpose) = ask.signed {
            let uri: Uri = ask.target.parse()?;
            let context = CallContext {
                request_id: "parity".into(),
                tenant: Some(self.deployment.umraniye),
                ..CallContext::default()
            };
            let keys: PlaneKeys = self.deployment.plane_keys()?;
            let signature = keys.sign(purpose, &ask.method, &uri, &ask.body, &context, (self.now)());
            headers.push((CALL_HEADER, signature.context("the call could not be signed")?));
        }
        let answer = client.send(ask.method.clone(), &ask.target, &headers, ask.body.clone()).await;
        let answer = answer.with_context(|| format!("{route} · {kind} · {name}"))?;
        let exchange = Exchange::new(route.to_owned(), kind, name, &answer)?;
        let known = self.exchanges.iter().find(|known| known.to_string() == exchange.to_string());
        ensure!(known.is_none(), "{exchange} is asked twice under one name");
        self.exchanges.push(exchange);
        Ok(answer)
    }

    async fn derive(
        &mut self,
        name: (&str, &str),
        client: &ApiClient,
        ask: &Ask,
        answer: &Answer,
    ) -> anyhow::Result<()> {
        let route = row(name.0)?;
        let wants = |kind| exemption(route, kind).is_none();
        let stranger = self.uninvited(route, client, ask)?;
        let plain = Ask { body: bytes::Bytes::new(), headers: Vec::new(), ..ask.clone() };
        if wants(Kind::Head) {
            self.send(Kind::Head, name, client, &ask.by("HEAD")).await?;
        }
        self.send(Kind::Options, name, client, &plain.by("OPTIONS")).await?;
        self.send(Kind::UnknownMethod, name, client, &plain.by("PROPFIND")).await?;
        if wants(Kind::LargeBody) {
            self.send(Kind::LargeBody, name, client, &ask.enlarged()).await?;
        }
        if let Some((stranger, ask)) = stranger.filter(|_| wants(Kind::Uninvited)) {
            self.send(Kind::Uninvited, name, &stranger, &ask).await?;
        }
        if wants(Kind::Cached) {
            self.send(Kind::Cached, name, client, ask).await?;
            self.expect_the_same(name)?;
        }
        if wants(Kind::Conditional) {
            let tag = answer.headers.get(header::ETAG).context("there is no ETag")?.clone();
            self.send(Kind::Conditional, name, client, &ask.clone().with(header::IF_NONE_MATCH, tag)).await?;
        }
        if wants(Kind::Compressed) {
            let gzip = ask.clone().with(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
            self.send(Kind::Compressed, name, client, &gzip).await?;
        }
        // Last: where a host spells the path its own way, nothing that follows here is asked of another state.
        self.send(Kind::PercentEncoded, name, client, &ask.percent_encoded(route)).await?;
        Ok(())
    }

    /// Somebody who may not ask this, and how they would.
    fn uninvited(
        &self,
        route: &Route,
        client: &ApiClient,
        ask: &Ask,
    ) -> anyhow::Result<Option<(ApiClient, Ask)>> {
        Ok(match route.access {
            Access::Public | Access::GuestOrSignedIn => Some((self.nobody.clone(), ask.clone())),
            Access::SignedIn => Some((self.umraniye.clone(), ask.clone())),
            Access::Needs(_) => Some((self.learner()?, ask.clone())),
            Access::OtherPlane => Some((client.clone(), Ask { signed: None, ..ask.clone() })),
            Access::AnyHost | Access::Provider => None,
        })
    }

    /// The last exchange repeated the good one: on one host, too, it must be the same.
    fn expect_the_same(&self, (route, name): (&str, &str)) -> anyhow::Result<()> {
        let of = |kind| {
            let found = self
                .exchanges
                .iter()
                .find(|exchange| exchange.route == route && exchange.name == name && exchange.kind == kind);
            found.map(|exchange| (exchange.status, &exchange.headers, &exchange.body))
        };
        let (first, second) = (of(Kind::Good), of(Kind::Cached));
        ensure!(first == second, "asked twice, it answers {first:?} and {second:?}");
        Ok(())
    }

    /// Brings an event of the Lambda plane's to the edge, as `sync` does.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn bring(&mut self, name: &str, event: &LambdaEvent) -> anyhow::Result<()> {
        let (tenant, from) = (self.deployment.umraniye, self.events);
        let record = event.record();
        let (kind, version) = (record.kind.to_owned(), record.version);
        let envelope = Envelope { number: from + 1, tenant, kind, version, payload: record.payload };
        let batch = Batch { source: SOURCE.into(), from, to: from + 1, events: vec![envelope] };
        let ask = Ask::json(Method::POST, "/internal/feed", &serde_json::to_value(batch)?);
        let client = self.umraniye.clone();
        let ask = ask.signed(akademi_api::signed::Purpose::Feed);
        self.send(Kind::Good, ("POST /internal/feed", name), &client, &ask).await?;
        self.events += 1;
        Ok(())
    }
}
