//! The academy's invoices and those of one's own orders, through `origin`.

use http::Method;
use serde_json::{Value, json};

use super::NOTHING;
use crate::{
    ask::Ask,
    kind::Kind,
    recorder::Recorder,
    seed::invoices::{INVOICED_ORDERS, INVOICES},
};

const SETTINGS: &str = "GET /api/v1/commerce/invoice-settings";
const SET: &str = "PUT /api/v1/commerce/invoice-settings";
const RATE: &str = "GET /api/v1/commerce/exchange-rates/{currency}/{date}";
const SET_RATE: &str = "PUT /api/v1/commerce/exchange-rates/{currency}/{date}";
const LIST: &str = "GET /api/v1/invoices";
const SHOW: &str = "GET /api/v1/invoices/{invoice_id}";
const XML: &str = "GET /api/v1/invoices/{invoice_id}/xml";
const RETRY: &str = "POST /api/v1/invoices/{invoice_id}/retry";
const DETAILS: &str = "PUT /api/v1/orders/{order_id}/invoice-details";
const OWN: &str = "GET /api/v1/orders/{order_id}/invoices";
const OWN_XML: &str = "GET /api/v1/orders/{order_id}/invoices/{invoice_id}/xml";

pub async fn invoices(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    settings(r).await?;
    exchange_rates(r).await?;
    of_academy(r).await?;
    of_own_orders(r).await
}

fn party(tax_number: &str) -> Value {
    json!({ "name": "Ümraniye Işık A.Ş.", "tax_number": tax_number, "tax_office": "Ümraniye", "district": "Ümraniye",
            "city": "İstanbul", "country": "Türkiye" })
}

async fn settings(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let (staff, path) = (r.staff.clone(), "/api/v1/commerce/invoice-settings");
    let set = |series: &str, seller: Value| {
        let settings = json!({ "seller": seller, "archive_series": "EAR", "invoice_series": series, "scenario": "basic" });
        Ask::json(Method::PUT, path, &settings)
    };
    r.bad((SETTINGS, "before there are any"), &staff, Ask::get(path)).await?;
    r.good((SET, "set"), &staff, set("EFT", party("1234567890"))).await?;
    r.turkish((SET, "a seller's Turkish name"), &staff, set("EFA", party("1234567890"))).await?;
    r.bad((SET, "a number that does not hold"), &staff, set("EFT", party("1234567891"))).await?;
    r.bad((SET, "one series for both"), &staff, set("EAR", party("1234567890"))).await?;
    r.good((SETTINGS, "settings"), &staff, Ask::get(path)).await?;
    Ok(())
}

async fn exchange_rates(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let staff = r.staff.clone();
    let path = |currency: &str| format!("/api/v1/commerce/exchange-rates/{currency}/2026-01-02");
    let set = |currency: &str, rate: &str| Ask::json(Method::PUT, path(currency), &json!({ "rate": rate }));
    r.good((SET_RATE, "set"), &staff, set("EUR", "49.1234")).await?;
    r.bad((SET_RATE, "with a comma"), &staff, set("EUR", "49,1234")).await?;
    r.bad((SET_RATE, "of the lira"), &staff, set("TRY", "1")).await?;
    r.good((RATE, "of a day"), &staff, Ask::get(path("EUR"))).await?;
    r.bad((RATE, "that nobody has set"), &staff, Ask::get(path("USD"))).await?;
    Ok(())
}

async fn of_academy(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let (staff, list) = (r.staff.clone(), "/api/v1/invoices");
    let [failed, issued] = INVOICES.map(|id| format!("{list}/{id}"));
    let unknown = format!("{list}/{NOTHING}");
    r.good((LIST, "the academy's"), &staff, Ask::get(list)).await?;
    r.paged(LIST, &staff, list, "").await?;
    r.send(Kind::Good, (LIST, "those that failed"), &staff, &Ask::get(format!("{list}?state=failed")))
        .await?;
    r.bad((LIST, "in no state"), &staff, Ask::get(format!("{list}?state=lost"))).await?;
    r.good((SHOW, "one that was issued"), &staff, Ask::get(&issued)).await?;
    r.bad((SHOW, "unknown"), &staff, Ask::get(&unknown)).await?;
    r.good((XML, "its document"), &staff, Ask::get(format!("{issued}/xml"))).await?;
    r.bad((XML, "not issued"), &staff, Ask::get(format!("{failed}/xml"))).await?;
    let retry = |of: &str| Ask::new(Method::POST, format!("{of}/retry"));
    r.good((RETRY, "try it again"), &staff, retry(&failed)).await?;
    r.bad((RETRY, "which waits"), &staff, retry(&failed)).await?;
    r.bad((RETRY, "which was delivered"), &staff, retry(&issued)).await?;
    r.bad((RETRY, "unknown"), &staff, retry(&unknown)).await?;
    Ok(())
}

async fn of_own_orders(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let (staff, learner) = (r.staff.clone(), r.learner()?);
    let [waiting, invoiced] = INVOICED_ORDERS.map(|id| format!("/api/v1/orders/{id}"));
    let details =
        |of: &str, number: &str| Ask::json(Method::PUT, format!("{of}/invoice-details"), &party(number));
    r.good((DETAILS, "name a company"), &staff, details(&waiting, "1234567890")).await?;
    r.turkish((DETAILS, "a Turkish name"), &staff, details(&waiting, "1234567890")).await?;
    r.bad((DETAILS, "a number that does not hold"), &staff, details(&waiting, "1234567891")).await?;
    r.bad((DETAILS, "once it is issued"), &staff, details(&invoiced, "1234567890")).await?;
    r.bad((DETAILS, "another's order"), &learner, details(&waiting, "1234567890")).await?;
    let list = format!("{invoiced}/invoices");
    r.good((OWN, "an order's"), &staff, Ask::get(&list)).await?;
    r.bad((OWN, "another's order's"), &learner, Ask::get(&list)).await?;
    let [failed, issued] = INVOICES;
    r.good((OWN_XML, "its document"), &staff, Ask::get(format!("{list}/{issued}/xml"))).await?;
    r.bad((OWN_XML, "of another order"), &staff, Ask::get(format!("{list}/{failed}/xml"))).await?;
    r.bad((OWN_XML, "another's"), &learner, Ask::get(format!("{list}/{issued}/xml"))).await?;
    Ok(())
}
