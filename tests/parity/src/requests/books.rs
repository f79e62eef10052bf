//! The ledger, and where it does not agree with what a provider reports.

use serde_json::json;

use crate::{ask::Ask, recorder::Recorder};

const DIFFERENCES: &str = "GET /api/v1/reconciliation/differences";
const RUNS: &str = "GET /api/v1/reconciliation/runs";
const NEW_RUN: &str = "POST /api/v1/reconciliation/runs";
const BALANCES: &str = "GET /api/v1/ledger/balances";
const ENTRIES: &str = "GET /api/v1/ledger/entries";
const EXPORT: &str = "GET /api/v1/ledger/entries.csv";
const PAYOUTS: &str = "GET /api/v1/ledger/payouts";

pub async fn books(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let staff = r.staff.clone();
    let differences = "/api/v1/reconciliation/differences";
    r.good((DIFFERENCES, "resolved"), &staff, Ask::get(format!("{differences}?state=resolved"))).await?;
    r.bad((DIFFERENCES, "of no state"), &staff, Ask::get(format!("{differences}?state=lost"))).await?;
    r.paged(DIFFERENCES, &staff, differences, "").await?;

    let runs = "/api/v1/reconciliation/runs";
    r.good((RUNS, "accounts"), &staff, Ask::get(runs)).await?;
    r.bad((RUNS, "made-up token"), &r.umraniye.signed_in("abc"), Ask::get(runs)).await?;
    let run = |provider: &str, day: &str| Ask::post(runs, &json!({ "provider": provider, "day": day }));
    r.refused((NEW_RUN, "without an account"), &staff, run("iyzico", "2026-09-21")).await?;
    r.bad((NEW_RUN, "of the future"), &staff, run("paytr", "9999-01-01")).await?;
    r.bad((NEW_RUN, "no day"), &staff, run("paytr", "bugün")).await?;

    r.good((BALANCES, "balances"), &staff, Ask::get("/api/v1/ledger/balances")).await?;
    r.bad((BALANCES, "at no moment"), &staff, Ask::get("/api/v1/ledger/balances?at=x")).await?;
    let entries = "/api/v1/ledger/entries";
    r.good((ENTRIES, "of an account"), &staff, Ask::get(format!("{entries}?account=sales"))).await?;
    r.bad((ENTRIES, "since no moment"), &staff, Ask::get(format!("{entries}?from=x"))).await?;
    r.paged(ENTRIES, &staff, entries, "").await?;
    // The export holds times and ids.
    r.good((EXPORT, "of nothing"), &staff, Ask::get(format!("{entries}.csv?account=nothing"))).await?;
    r.bad((EXPORT, "with a page"), &staff, Ask::get(format!("{entries}.csv?limit=5"))).await?;
    let payouts = |query: &str| Ask::get(format!("/api/v1/ledger/payouts?{query}"));
    r.good((PAYOUTS, "a week"), &staff, payouts("from=2026-09-15&to=2026-09-21")).await?;
    r.bad((PAYOUTS, "backwards"), &staff, payouts("from=2026-09-21&to=2026-09-15")).await?;
    Ok(())
}
