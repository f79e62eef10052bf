//! The mail that the deployment on this machine keeps instead of sending it (`/dev/mail`).

use akademi_local::api_client::{ApiClient, JsonExt};
use http::StatusCode;
use serde_json::Value;

use crate::steps::until;

/// How long a mail may take, in milliseconds: it leaves within seconds.
const DELIVERY: u64 = 10_000;

/// The token of the newest mail to `email` whose link leads to `page`.
pub async fn token(mailbox: &ApiClient, email: &str, page: &str) -> anyhow::Result<String> {
    let query = email.replace('@', "%40");
    until("the mail", DELIVERY, async || {
        let mails = mailbox.get(&format!("/dev/mail.json?to={query}")).await?.expect(StatusCode::OK)?;
        let mails = mails.as_array().cloned().unwrap_or_default();
        let mut texts = mails.iter().map(|mail: &Value| mail.text("text").unwrap_or_default());
        Ok(texts.find_map(|text| {
            let (_, token) = text.split_once(&format!("{page}?token="))?;
            Some(token.split(|letter: char| letter.is_whitespace()).next()?.to_owned())
        }))
    })
    .await
}
