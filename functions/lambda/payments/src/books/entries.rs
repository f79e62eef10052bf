//! The entries of the ledger, in pages.

use akademi_api::{
    Body, Caller, Problem, QueryParams,
    paging::{Cursor, Limit, Page},
};
use akademi_domain::{
    ids::{LedgerTransactionId, PaymentId, RefundId},
    money::Money,
    time::Timestamp,
};
use axum::extract::State;
use serde::{Deserialize, Serialize};

use crate::{
    Payments, PaymentsError,
    store::{self, LedgerEntry, LedgerPosition},
};

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EntryParams {
    /// How many entries to answer at most: 1 to 100.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Limit,
    /// Where the page before ended: its `next_cursor`.
    #[serde(default)]
    cursor: Option<String>,
    /// Only this account, as `sales`.
    #[serde(default)]
    #[param(max_length = 100)]
    account: Option<String>,
    /// Not before this moment.
    #[serde(default)]
    from: Option<Timestamp>,
    /// Before this moment.
    #[serde(default)]
    to: Option<Timestamp>,
}

/// An entry of the ledger. Those of a transaction sum to zero.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = LedgerEntry)]
pub struct EntryAnswer {
    pub transaction: LedgerTransactionId,
    pub at: Timestamp,
    /// `capture`, `capture_to_refund`, `refund`, `fee` or `payout`.
    pub kind: String,
    pub account: String,
    /// A debit above zero, a credit below.
    pub amount: Money,
    pub payment: Option<PaymentId>,
    pub refund: Option<RefundId>,
    /// The provider, the day and the currency of a payout.
    pub payout: Option<String>,
}

impl EntryAnswer {
    fn new(entry: LedgerEntry) -> Self {
        Self {
            transaction: entry.transaction,
            at: entry.at,
            kind: entry.kind,
            account: entry.account,
            amount: entry.amount,
            payment: entry.payment,
            refund: entry.refund,
            payout: entry.payout,
        }
    }
}

/// From the first moment to the one after the last.
pub fn period(from: Option<Timestamp>, to: Option<Timestamp>) -> (Timestamp, Timestamp) {
    let whole = (Timestamp::from_millis(i64::MIN), Timestamp::from_millis(i64::MAX));
    (from.unwrap_or(whole.0), to.unwrap_or(whole.1))
}

fn position(cursor: &str) -> Result<LedgerPosition, Problem> {
    let invalid = || Problem::field("cursor", "is not a cursor of this list");
    let Cursor { key, id } = Cursor::decode(cursor)?;
    let (transaction, account) = id.split_once('/').ok_or_else(invalid)?;
    Ok(LedgerPosition {
        at: Timestamp::from_millis(key),
        transaction: transaction.parse().map_err(|_| invalid())?,
        account: account.to_owned(),
    })
}

/// The entries of the academy's ledger, newest transaction first
#[utoipa::path(get, path = "/api/v1/ledger/entries", tag = "commerce", params(EntryParams),
    responses((status = 200, description = "A page of entries", body = Page<EntryAnswer>)))]
pub async fn list(
    State(payments): State<Payments>,
    caller: Caller,
    QueryParams(params): QueryParams<EntryParams>,
) -> Result<Body<Page<EntryAnswer>>, PaymentsError> {
    let after = params.cursor.as_deref().map(position).transpose()?;
    let period = period(params.from, params.to);
    let mut tx = payments.postgres.tenant(caller.tenant).await?;
    let (account, limit) = (params.account.as_deref(), params.limit.and_one());
    let entries = store::list_ledger_entries(&mut tx, account, period, after.as_ref(), limit).await?;
    tx.commit().await?;
    let cursor = |last: &LedgerEntry| Cursor::at(last.at, format!("{}/{}", last.transaction, last.account));
    Ok(Body(Page::of(entries, params.limit, cursor).map(EntryAnswer::new)))
}
