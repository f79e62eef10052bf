//! What a provider keeps and what it pays out, in the ledger: once each, whatever is told again.

use akademi_domain::{
    ids::{LedgerTransactionId, TenantId},
    money::{Currency, Money},
    time::Timestamp,
};
use akademi_lambda_store::postgres::TenantTransaction;

use super::{DifferenceKind, Fee, Finding, SubjectKind, Sum, comparing::compare_payouts, days::Days};
use crate::{
    Payments, PaymentsError,
    provider::Payout,
    store::{self, ToldTransaction},
};

/// The ledger's account of what a provider owes the academy.
fn debtor(provider: &str) -> String {
    format!("provider:{provider}")
}

/// A payout's name: a provider tells all of a day and a currency as one.
fn reference(provider: &str, payout: &Payout) -> String {
    format!("{provider}:{}:{}", payout.day, payout.currency)
}

/// The provider owes so much less, and so much more as the buyers paid interest.
pub async fn book_fees(
    payments: &Payments,
    tx: &mut TenantTransaction,
    provider: &str,
    fees: &[Fee],
    now: Timestamp,
) -> Result<(), PaymentsError> {
    let mut transactions = Vec::new();
    let mut entries = Vec::new();
    for Fee { payment, fee, interest } in fees {
        // Nothing is kept of it: there is nothing to book.
        if fee.amount == 0 && *interest == 0 {
            continue;
        }
        let id = LedgerTransactionId::new(now, payments.ports.random());
        transactions.push(ToldTransaction { id, payment: Some(*payment), payout: None });
        let parts = [
            ("fees".to_owned(), fee.amount),
            ("installment_interest".to_owned(), -interest),
            (debtor(provider), interest - fee.amount),
        ];
        let parts = parts.into_iter().filter(|(_, amount)| *amount != 0);
        entries.extend(parts.map(|(account, amount)| (id, account, Money { amount, ..*fee })));
    }
    book(tx, "fee", &transactions, &entries, now).await
}

/// What the provider says that it paid out on these days: money in the bank that it owes no longer.
pub async fn book_payouts(
    payments: &Payments,
    tenant: TenantId,
    provider: &str,
    days: Days,
    told: &[Payout],
    now: Timestamp,
) -> Result<(), PaymentsError> {
    let told: Vec<Payout> = told.iter().filter(|payout| payout.net != 0).cloned().collect();
    let mut tx = payments.postgres.tenant(tenant).await?;
    store::lock_reconciliation(&mut tx, provider).await?;
    let booked = store::booked_payouts(&mut tx, Some(&debtor(provider)), days).await?;
    let booked: Vec<(String, Sum)> =
        booked.into_iter().map(|payout| (payout.reference.clone(), payout.sum())).collect();
    let (new, mut findings) = compare_payouts(&booked, &told, |payout| reference(provider, payout));
    let mut transactions = Vec::new();
    let mut entries = Vec::new();
    for payout in &new {
        let name = reference(provider, payout);
        let Some(currency) = Currency::from_code(&payout.currency) else {
            findings.push(of_another_currency(&name, payout));
            continue;
        };
        let id = LedgerTransactionId::new(now, payments.ports.random());
        let money = |amount| Money { amount, currency };
        transactions.push(ToldTransaction { id, payment: None, payout: Some((name, payout.day)) });
        entries.push((id, "bank".to_owned(), money(payout.net)));
        entries.push((id, debtor(provider), money(-payout.net)));
    }
    book(&mut tx, "payout", &transactions, &entries, now).await?;
    let told = told.iter().map(|payout| reference(provider, payout));
    let names: Vec<String> = told.chain(booked.into_iter().map(|(name, _)| name)).collect();
    payments.save_findings(&mut tx, provider, &names, &findings, now).await?;
    tx.commit().await?;
    Ok(())
}

/// The books of academies have no such account.
fn of_another_currency(name: &str, payout: &Payout) -> Finding {
    Finding {
        kind: DifferenceKind::MissingHere,
        subject_kind: SubjectKind::Payout,
        subject: name.to_owned(),
        attempt: name.to_owned(),
        payment: None,
        ours: None,
        theirs: Some(Sum { amount: payout.net, currency: payout.currency.clone() }),
    }
}

async fn book(
    tx: &mut TenantTransaction,
    kind: &str,
    transactions: &[ToldTransaction],
    entries: &[(LedgerTransactionId, String, Money)],
    now: Timestamp,
) -> Result<(), PaymentsError> {
    if !transactions.is_empty() {
        store::insert_told_transactions(tx, kind, transactions, now).await?;
        store::insert_ledger_entries(tx, entries).await?;
    }
    Ok(())
}
