//! What the academy's staff see of its mail.

use akademi_api::{
    Body, Caller, PathParam, Problem, QueryParams,
    paging::{Cursor, Limit, Page},
    problem::ProblemDocument,
    signed::CallContext,
};
use akademi_domain::{
    ids::{JobId, MailId, UserId},
    mail::MailKind,
    time::Timestamp,
};
use akademi_lambda_store::{
    audit::{Action, Actor, Write},
    mail::enqueue_delivery,
};
use axum::{Extension, extract::State};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{Mail, MailError, store};

/// Where a mail is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MailState {
    /// It waits for its first attempt, or another one.
    Queued,
    /// The mail server has taken it over.
    Sent,
    /// It is not tried again, unless staff say so.
    Failed,
}

impl MailState {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sent => "sent",
            Self::Failed => "failed",
        }
    }

    /// The schema lets no other name in.
    pub fn from_name(name: &str) -> Self {
        match name {
            "queued" => Self::Queued,
            "sent" => Self::Sent,
            _ => Self::Failed,
        }
    }
}

/// A mail as staff see it: without its address and its words.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Mail)]
pub struct MailAnswer {
    pub id: MailId,
    /// `null` for a kind that this version does not know.
    pub kind: Option<MailKind>,
    /// Whom it is for; perhaps not an account yet.
    pub person: UserId,
    pub state: MailState,
    pub attempts: i32,
    /// Why the last attempt sent nothing.
    pub reason: Option<String>,
    pub created_at: Timestamp,
    pub sent_at: Option<Timestamp>,
}

impl From<store::ListedMail> for MailAnswer {
    fn from(mail: store::ListedMail) -> Self {
        Self {
            id: mail.id,
            kind: MailKind::parse(&mail.kind),
            person: mail.person,
            state: mail.state,
            attempts: mail.attempts,
            reason: mail.reason,
            created_at: mail.created_at,
            sent_at: mail.sent_at,
        }
    }
}

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListParams {
    /// How many entries to answer at most: 1 to 100.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Limit,
    /// Where the page before ended: its `next_cursor`.
    #[serde(default)]
    cursor: Option<String>,
    /// Only those in this state.
    #[serde(default)]
    state: Option<MailState>,
}

/// The academy's mail, newest first
#[utoipa::path(get, path = "/api/v1/mails", tag = "mail", params(ListParams),
    responses((status = 200, description = "A page of mails", body = Page<MailAnswer>)))]
pub async fn list(
    State(mail): State<Mail>,
    caller: Caller,
    QueryParams(params): QueryParams<ListParams>,
) -> Result<Body<Page<MailAnswer>>, MailError> {
    let after = params.cursor.as_deref().map(Cursor::decode_at).transpose()?;
    let mut tx = mail.postgres.tenant(caller.tenant).await?;
    let found = match params.state {
        None => store::list_mails(&mut tx, after, params.limit.and_one()).await?,
        Some(state) => store::list_mails_in_state(&mut tx, state, after, params.limit.and_one()).await?,
    };
    tx.commit().await?;
    let found = Page::of(found, params.limit, |last| Cursor::at(last.created_at, last.id));
    Ok(Body(found.map(MailAnswer::from)))
}

/// Send a mail again
///
/// One that failed, from now on for another day; one whose link is no longer good fails again.
#[utoipa::path(post, path = "/api/v1/mails/{mail_id}/retry", tag = "mail",
    params(("mail_id" = MailId, Path, description = "The mail")),
    responses((status = 202, description = "It waits to be sent", body = MailAnswer),
              (status = 409, description = "It has not failed", body = ProblemDocument, content_type = "application/problem+json")))]
pub async fn retry(
    State(mail): State<Mail>,
    caller: Caller,
    Extension(call): Extension<CallContext>,
    PathParam(id): PathParam<MailId>,
) -> Result<(StatusCode, Body<MailAnswer>), MailError> {
    let now = mail.ports.now();
    let mut tx = mail.postgres.tenant(caller.tenant).await?;
    let was_failed = store::queue_failed_mail(&mut tx, id, now).await?;
    let found = store::find_mail(&mut tx, id).await?.ok_or_else(Problem::not_found)?;
    if !was_failed {
        let detail = "The mail has not failed: there is nothing to send again.";
        return Err(Problem::new(StatusCode::CONFLICT, "not-failed", detail).into());
    }
    enqueue_delivery(&mut tx, id, JobId::new(now, mail.ports.random()), now).await?;
    let retried = Write {
        action: Action::MailRetried,
        target: format!("mail:{id}"),
        before: json!({ "state": MailState::Failed }),
        after: json!({ "state": MailState::Queued }),
    };
    mail.auditor.record(&mut tx, Actor::new(&caller, &call), retried).await?;
    tx.commit().await?;
    mail.wake.wake();
    Ok((StatusCode::ACCEPTED, Body(found.into())))
}
