//! Accounts without a mailbox, for whoever holds a deployment's keys: the link of the e-mail is made as the mailer makes it.

use akademi_api::{
    links::LinkKeys,
    signed::{CALL_HEADER, CallContext, PlaneKeys, Purpose},
};
use akademi_domain::{
    ids::{LinkId, TenantId, UserId},
    mail::LinkPurpose,
    time::Timestamp,
};
use akademi_feed::{Answer, Decoded, EdgeEvent};
use anyhow::Context;
use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, Uri, header};

use crate::api_client::ApiClient;

/// The token of a link, from the roots that the planes share (`plane_root_keys`).
///
/// # Errors
/// When those are none.
pub fn token(
    plane_roots: &str,
    purpose: LinkPurpose,
    tenant: TenantId,
    link: LinkId,
) -> anyhow::Result<String> {
    Ok(LinkKeys::from_config(plane_roots)?.token(purpose, tenant, link))
}

/// Whom the newest mail of an academy with a link is for, and the link: read in the edge's feed, as `sync` reads it, which
/// acknowledges all pages but the last.
///
/// # Errors
/// When the edge does not answer, or no such mail was asked for.
pub async fn newest_link(
    edge: &ApiClient,
    plane_roots: &str,
    tenant: TenantId,
    now: Timestamp,
) -> anyhow::Result<(UserId, LinkId)> {
    let keys = PlaneKeys::from_config(plane_roots)?;
    let (mut newest, mut target) = (None, "/internal/feed".to_owned());
    loop {
        let uri: Uri = target.parse()?;
        let context = CallContext { request_id: "newcomers".into(), ..CallContext::default() };
        let signature = keys.sign(Purpose::Feed, &Method::GET, &uri, b"", &context, now);
        let headers = [
            (CALL_HEADER, signature.context("the call cannot be signed")?),
            // A proxy in front may compress for whoever does not say.
            (header::ACCEPT_ENCODING, HeaderValue::from_static("identity")),
        ];
        let page = edge.send(Method::GET, &target, &headers, Bytes::new()).await?.expect(StatusCode::OK)?;
        let page: Answer = serde_json::from_value(page)?;
        for event in page.batch.events.iter().filter(|event| event.tenant == tenant) {
            if let Ok(Decoded::Known(EdgeEvent::MailWanted { person, link: Some(link), .. })) =
                EdgeEvent::decode(event)
            {
                newest = Some((person, link));
            }
        }
        if page.batch.to >= page.head {
            return newest.context("no mail with a link was asked for");
        }
        target = format!("/internal/feed?after={}", page.batch.to);
    }
}

/// Registers somebody and confirms the address; the account's id.
///
/// # Errors
/// When the academy refuses.
pub async fn make_account(
    academy: &ApiClient,
    plane_roots: &str,
    tenant: TenantId,
    now: Timestamp,
    (name, email, password): (&str, &str, &str),
) -> anyhow::Result<UserId> {
    academy.register(name, email, password).await?;
    let (person, link) = newest_link(academy, plane_roots, tenant, now).await?;
    academy.confirm(&token(plane_roots, LinkPurpose::ConfirmAddress, tenant, link)?).await?;
    Ok(person)
}
