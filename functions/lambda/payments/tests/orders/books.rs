//! The ledger as staff reads it: balances, pages and CSV of any books agree.

use akademi_domain::{ids::LedgerTransactionId, time::Timestamp};
use http::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;

use crate::academy::{Academy, learner, staff, tenant};
use crate::ports::NOW;

const ACCOUNTS: [&str; 4] = ["bank", "fees", "provider:paytr", "sales"];
const CURRENCIES: [&str; 3] = ["EUR", "TRY", "USD"];

/// An entry: its moment, account, amount and currency.
type Entry = (i64, String, i64, String);

/// Transactions that balance, in any accounts and currencies, some at the same moment.
async fn random_books(academy: &Academy, seed: u64, transactions: u32) -> Vec<Entry> {
    let mut state = seed;
    let mut draw = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let mut entries = Vec::new();
    let mut tx = academy.database.postgres().tenant(tenant(1)).await.unwrap();
    for n in 0..transactions {
        let at = NOW.plus_seconds(draw(40) as i64 * 60);
        let id = LedgerTransactionId::new(
            at,
            [n.to_le_bytes(), n.to_be_bytes()].concat().repeat(2)[..10].try_into().unwrap(),
        );
        sqlx::query(
            "INSERT INTO ledger_transaction (tenant_id, id, kind, at, payout_reference, payout_day)
             VALUES ($1, $2, 'payout', $3, $4, '2026-09-21')",
        )
        .bind(tenant(1).as_uuid())
        .bind(id.as_uuid())
        .bind(at.as_millis())
        .bind(format!("=deneme{n}"))
        .execute(tx.connection())
        .await
        .unwrap();
        let currency = CURRENCIES[draw(3) as usize];
        let mut rest = 0;
        let parts = 2 + draw(3) as usize;
        for (place, account) in ACCOUNTS.iter().take(parts).enumerate() {
            let is_last = place + 1 == parts;
            let mut amount = if is_last { -rest } else { draw(2_000_000) as i64 - 1_000_000 };
            if amount == 0 {
                amount = if is_last { continue } else { 1 };
            }
            rest += amount;
            sqlx::query(
                "INSERT INTO ledger_entry (tenant_id, transaction_id, account, amount, currency) VALUES ($1, $2, $3, $4, $5)",
            )
            .bind(tenant(1).as_uuid())
            .bind(id.as_uuid())
            .bind(account)
            .bind(amount)
            .bind(currency)
            .execute(tx.connection())
            .await
            .unwrap();
            entries.push((at.as_millis(), (*account).to_owned(), amount, currency.to_owned()));
        }
    }
    tx.commit().await.unwrap();
    entries
}

async fn get(academy: &Academy, target: &str) -> Value {
    let answer = academy.call(staff(), Method::GET, target, None, None).await;
    assert_eq!(answer.status, 200, "{target}: {}", answer.json());
    answer.json()
}

fn sums<'a>(entries: impl Iterator<Item = &'a Entry>) -> BTreeMap<(String, String), i64> {
    let mut sums = BTreeMap::new();
    for (_, account, amount, currency) in entries {
        *sums.entry((account.clone(), currency.clone())).or_insert(0) += amount;
    }
    sums
}

fn balances(answer: &Value) -> BTreeMap<(String, String), i64> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let balance = |row: &Value| {
        let amount = row["balance"]["amount"].as_i64().unwrap();
        ((text(&row["account"]), text(&row["balance"]["currency"])), amount)
    };
    answer["data"].as_array().unwrap().iter().map(balance).collect()
}

fn sorted(mut entries: Vec<Entry>) -> Vec<Entry> {
    entries.sort();
    entries
}

#[tokio::test(flavor = "multi_thread")]
async fn balances_pages_and_csv_of_random_books_are_the_sums_of_their_entries() {
    for seed in 1..=3 {
        let academy = Academy::new().await;
        let entries = random_books(&academy, seed, 60).await;
        let now = academy.now().plus_seconds(60 * 60);
        academy.clock.advance_seconds(60 * 60);
        let told = get(&academy, "/api/v1/ledger/balances").await;
        assert_eq!(balances(&told), sums(entries.iter()));
        assert_eq!(told["at"], json!(now.to_string()));
        let at = NOW.plus_seconds(20 * 60);
        let then = get(&academy, &format!("/api/v1/ledger/balances?at={at}")).await;
        assert_eq!(balances(&then), sums(entries.iter().filter(|entry| entry.0 <= at.as_millis())));

        let mut paged: Vec<Entry> = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = get(&academy, &format!("/api/v1/ledger/entries?limit=7{cursor}")).await;
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            paged.extend(page["data"].as_array().unwrap().iter().map(|row| {
                let at: Timestamp = serde_json::from_value(row["at"].clone()).unwrap();
                let amount = row["amount"]["amount"].as_i64().unwrap();
                (at.as_millis(), text(&row["account"]), amount, text(&row["amount"]["currency"]))
            }));
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert!(paged.is_sorted_by(|a, b| a.0 >= b.0), "the newest first");
        assert_eq!(sorted(paged), sorted(entries.clone()), "each once");

        let answer = academy.call(staff(), Method::GET, "/api/v1/ledger/entries.csv", None, None).await;
        assert_eq!(answer.headers["content-type"], "text/csv; charset=utf-8");
        assert_eq!(answer.headers["akademi-truncated"], "false");
        let text = String::from_utf8(answer.body.to_vec()).unwrap();
        let mut reader = csv::Reader::from_reader(text.strip_prefix('\u{feff}').unwrap().as_bytes());
        let read: Vec<Entry> = reader
            .records()
            .map(|row| {
                let row = row.unwrap();
                assert!(row[8].starts_with("'=deneme"), "no spreadsheet computes it");
                let at: Timestamp = serde_json::from_value(json!(&row[0])).unwrap();
                let minor: i64 = row[4].replace('.', "").parse().unwrap();
                (at.as_millis(), row[3].to_owned(), minor, row[5].to_owned())
            })
            .collect();
        assert_eq!(sorted(read), sorted(entries.clone()));
        println!("seed {seed}: {} entries", entries.len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_are_chosen_by_account_and_time_and_shown_to_staff_alone() {
    let academy = Academy::new().await;
    let (_, oid) = academy.order_one(1, None).await;
    academy.pay(&oid, 14990).await;
    let count = async |query: &str| {
        get(&academy, &format!("/api/v1/ledger/entries?{query}")).await["data"].as_array().unwrap().len()
    };
    assert_eq!((count("").await, count("account=vat").await, count("account=bank").await), (3, 1, 0));
    let (now, later) = (NOW, NOW.plus_seconds(1));
    assert_eq!((count(&format!("from={now}")).await, count(&format!("to={now}")).await), (3, 0));
    assert_eq!((count(&format!("from={later}")).await, count(&format!("to={later}")).await), (0, 3));
    let entry = &get(&academy, "/api/v1/ledger/entries?account=sales").await["data"][0];
    assert_eq!((&entry["kind"], &entry["amount"]["amount"]), (&json!("capture"), &json!(-12492)));
    for (target, status) in [
        ("/api/v1/ledger/entries?cursor=abc", 422),
        ("/api/v1/ledger/entries?limit=0", 422),
        ("/api/v1/ledger/balances?at=dün", 422),
        ("/api/v1/ledger/entries.csv?limit=5", 422),
        ("/api/v1/ledger/payouts?from=2026-09-22&to=2026-09-21", 422),
        ("/api/v1/ledger/payouts?from=2020-01-01", 422),
        ("/api/v1/ledger/payouts", 200),
    ] {
        let target = target.replace('ü', "%C3%BC");
        assert_eq!(academy.call(staff(), Method::GET, &target, None, None).await.status, status, "{target}");
        assert_eq!(academy.call(learner(1), Method::GET, &target, None, None).await.status, 403, "{target}");
    }
}
