//! The ledger as CSV (RFC 4180) that spreadsheets open, as the audit log is exported.

use akademi_api::{Caller, Problem, QueryParams};
use akademi_domain::{money::Money, time::Timestamp};
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use csv::{Terminator, WriterBuilder};
use http::{HeaderName, HeaderValue, header};
use serde::Deserialize;

use super::entries::period;
use crate::{
    Payments, PaymentsError,
    store::{self, LedgerEntry, LedgerPosition},
};

/// The most entries of an export.
const MAX_ROWS: usize = 10_000;
/// How many entries are read at once.
const AT_ONCE: i64 = 1000;
/// Without it Excel takes UTF-8 for the system's own encoding.
const BYTE_ORDER_MARK: &str = "\u{feff}";
const TRUNCATED: HeaderName = HeaderName::from_static("akademi-truncated");
const COLUMNS: [&str; 9] =
    ["at", "transaction", "kind", "account", "amount", "currency", "payment", "refund", "payout"];

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LedgerExportParams {
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

/// The ledger as CSV, newest transaction first
///
/// At most 10,000 entries: `Akademi-Truncated` says whether that left some out, which the last row's `at` as `to` brings: no
/// moment is cut, unless it has more entries than that. RFC 4180 in UTF-8
/// with a byte order mark; amounts are decimals with a dot; a text that a spreadsheet would take for a formula has an
/// apostrophe before it.
#[utoipa::path(get, path = "/api/v1/ledger/entries.csv", tag = "commerce", params(LedgerExportParams),
    responses((status = 200, description = "The entries", body = String, content_type = "text/csv; charset=utf-8",
                headers(("Akademi-Truncated" = bool, description = "Whether there are more entries than these"),
                        ("Content-Disposition" = String)))))]
pub async fn export(
    State(payments): State<Payments>,
    caller: Caller,
    QueryParams(params): QueryParams<LedgerExportParams>,
) -> Result<Response, PaymentsError> {
    let period = period(params.from, params.to);
    let mut entries: Vec<LedgerEntry> = Vec::new();
    let mut tx = payments.postgres.tenant(caller.tenant).await?;
    while entries.len() <= MAX_ROWS {
        let after = entries.last().map(position);
        let account = params.account.as_deref();
        let more = store::list_ledger_entries(&mut tx, account, period, after.as_ref(), AT_ONCE).await?;
        let is_last = (more.len() as i64) < AT_ONCE;
        entries.extend(more);
        if is_last {
            break;
        }
    }
    tx.commit().await?;
    let truncated = entries.len() > MAX_ROWS;
    cut(&mut entries, MAX_ROWS);
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8")),
        (header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"ledger.csv\"")),
        (TRUNCATED, HeaderValue::from_static(if truncated { "true" } else { "false" })),
    ];
    Ok((headers, sheet(&entries)?).into_response())
}

/// Leaves so many at most, before a moment's first one if there is such a place.
fn cut(entries: &mut Vec<LedgerEntry>, most: usize) {
    let Some(beyond) = entries.get(most).map(|entry| entry.at) else { return };
    entries.truncate(most);
    if let Some(last) = entries.iter().rposition(|entry| entry.at != beyond) {
        entries.truncate(last + 1);
    }
}

fn position(last: &LedgerEntry) -> LedgerPosition {
    LedgerPosition { at: last.at, transaction: last.transaction, account: last.account.clone() }
}

fn sheet(entries: &[LedgerEntry]) -> Result<String, Problem> {
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(COLUMNS).map_err(Problem::broken)?;
    for entry in entries {
        let id = |id: Option<String>| id.unwrap_or_default();
        let cells = [
            entry.at.to_string(),
            entry.transaction.to_string(),
            entry.kind.clone(),
            defused(entry.account.clone()),
            decimal(entry.amount),
            entry.amount.currency.code().to_owned(),
            id(entry.payment.map(|payment| payment.to_string())),
            id(entry.refund.map(|refund| refund.to_string())),
            defused(id(entry.payout.clone())),
        ];
        writer.write_record(&cells).map_err(Problem::broken)?;
    }
    let bytes = writer.into_inner().map_err(Problem::broken)?;
    let text = String::from_utf8(bytes).map_err(Problem::broken)?;
    Ok(format!("{BYTE_ORDER_MARK}{text}"))
}

/// The amount in major units: `-149.90`. All currencies of academies have two decimals.
fn decimal(money: Money) -> String {
    let sign = if money.amount < 0 { "-" } else { "" };
    let minor = money.amount.unsigned_abs();
    format!("{sign}{}.{:02}", minor / 100, minor % 100)
}

/// A text as text, also where a spreadsheet would compute what it says (CSV injection, CWE-1236). A number is none.
fn defused(cell: String) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) { format!("'{cell}") } else { cell }
}

#[cfg(test)]
mod tests {
    use super::*;
    use akademi_domain::{ids::LedgerTransactionId, money::Currency};
    use proptest::prelude::*;

    fn entry(account: &str, amount: i64) -> LedgerEntry {
        LedgerEntry {
            transaction: LedgerTransactionId::new(Timestamp::from_millis(0), [1; 10]),
            at: Timestamp::from_millis(1_790_000_000_000),
            kind: "fee".to_owned(),
            account: account.to_owned(),
            amount: Money { amount, currency: Currency::TRY },
            payment: None,
            refund: None,
            payout: None,
        }
    }

    #[test]
    fn no_moment_is_cut_unless_it_is_all_there_is() {
        let left = |moments: &[i64], most| {
            let at = |millis: &i64| LedgerEntry { at: Timestamp::from_millis(*millis), ..entry("sales", 1) };
            let mut entries: Vec<_> = moments.iter().map(at).collect();
            cut(&mut entries, most);
            entries.len()
        };
        assert_eq!(left(&[4, 3, 2], 3), 3);
        assert_eq!(left(&[4, 3, 2, 1], 3), 3);
        assert_eq!(left(&[4, 3, 3, 3], 3), 1);
        assert_eq!(left(&[3, 3, 3, 3], 3), 3);
    }

    fn minor(text: &str) -> i128 {
        let (whole, cents) = text.split_once('.').unwrap();
        let sign = if text.starts_with('-') { -1 } else { 1 };
        whole.parse::<i128>().unwrap() * 100 + sign * cents.parse::<i128>().unwrap()
    }

    proptest! {
        #[test]
        fn what_is_read_back_has_the_same_numbers_and_computes_nothing(
            rows in proptest::collection::vec(("[=+@\\-a-z:,\"\\n]{1,12}", any::<i64>()), 0..20),
        ) {
            let entries: Vec<_> = rows.iter().map(|(account, amount)| entry(account, *amount)).collect();
            let text = sheet(&entries).unwrap();
            let mut reader = csv::Reader::from_reader(text.strip_prefix(BYTE_ORDER_MARK).unwrap().as_bytes());
            let read: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
            prop_assert_eq!(read.len(), rows.len());
            for (row, (account, amount)) in read.iter().zip(&rows) {
                prop_assert_eq!(minor(&row[4]), i128::from(*amount));
                prop_assert!(!row[3].starts_with(['=', '+', '-', '@', '\n']));
                prop_assert_eq!(row[3].trim_start_matches('\''), account);
            }
        }
    }
}
